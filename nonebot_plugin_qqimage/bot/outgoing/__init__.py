"""What the bot sends, translated into what implementations understand."""
