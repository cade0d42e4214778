"""What this process knows, and what it has yet to write down."""
