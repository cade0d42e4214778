"""What superusers can ask of the bot in a chat."""
