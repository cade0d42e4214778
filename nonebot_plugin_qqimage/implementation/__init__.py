"""The OneBot implementation behind a bot: what it is and does, its calls, and its answers."""
