"""Keeping stores sound and small: verifying, collecting, forgetting, the shared store."""
