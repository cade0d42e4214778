"""Shares: whose turn it is, and how much of memory and of the network each bot and chat gets."""
