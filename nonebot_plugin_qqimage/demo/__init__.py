"""The demo: a day in a chat, played by a real bot against the simulator (extra ``demo``)."""
