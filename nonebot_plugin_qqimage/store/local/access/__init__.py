"""The one way to the index and the files; a damaged index is replaced on it."""
