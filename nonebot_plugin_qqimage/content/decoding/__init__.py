"""Pictures decoded by Pillow: what may be decoded, colours, and pixels."""
