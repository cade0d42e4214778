"""The checks that operators run when pictures do not come, each answered in a line."""
