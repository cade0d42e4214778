"""What every command starts from: its arguments, its store, and how it ends."""
