"""What this machine gives: versions, folders, file systems, and the network."""
