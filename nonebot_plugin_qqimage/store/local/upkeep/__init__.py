"""What leaves the store: evicted, forgotten, or found damaged."""
