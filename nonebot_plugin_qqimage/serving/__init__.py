"""Images over HTTP, for plugins that only know URLs: the URLs, their tokens, and the answers."""
