"""Single-flight: what many want at the same time is done once."""
