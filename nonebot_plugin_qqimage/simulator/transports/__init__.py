"""The three ways between an implementation and a bot."""
