"""The repository of a pretended author is run in a process of its own, as its author would."""

collect_ignore = ["author"]
