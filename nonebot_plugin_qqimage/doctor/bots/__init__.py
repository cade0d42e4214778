"""The bots that run, what they say of themselves, and their implementations."""
