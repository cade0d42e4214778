"""What runs beside the bot, each a task of its own."""
