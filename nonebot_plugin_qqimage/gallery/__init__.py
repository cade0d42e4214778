"""The operator's page: the stored images in a browser, for superusers with a link."""
