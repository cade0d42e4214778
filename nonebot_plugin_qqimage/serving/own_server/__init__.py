"""The server of our own: images over HTTP from a thread, whatever the bot's event loop does."""
