"""Putting images into the store, keeping them there, and removing them."""
