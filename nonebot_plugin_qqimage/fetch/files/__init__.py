"""Images in files and in base64."""
