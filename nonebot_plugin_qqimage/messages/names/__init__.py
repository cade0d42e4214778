"""What an image is named by: digests and ids in file names and links."""
