"""Downloads over HTTP."""
