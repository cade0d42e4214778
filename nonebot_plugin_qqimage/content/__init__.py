"""What bytes are: type, size, frames, completeness, digests; and re-encoding."""
