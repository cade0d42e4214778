"""The store: verified image bytes that stay when every link to them has died."""
