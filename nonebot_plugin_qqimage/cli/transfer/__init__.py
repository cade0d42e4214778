"""Images out of the store as plain files, and plain files into it."""
