"""Which image a reference means, here or in the shared store."""
