"""Plugins for the bots that benchmarks start; each is copied into the bot's folder."""
