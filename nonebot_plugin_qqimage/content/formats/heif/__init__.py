"""HEIF and AVIF: boxes, the items in them, and the tracks of animations."""
