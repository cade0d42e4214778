"""A simulated OneBot peer and a simulated CDN, for the demo and the tests (extra ``demo``)."""
