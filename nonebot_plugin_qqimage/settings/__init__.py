"""Settings as operators write them: read, checked, and explained where they make no sense."""
