"""Who gets in, and by which address."""
