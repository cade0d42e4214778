"""Ways to an image that are tried for real."""
