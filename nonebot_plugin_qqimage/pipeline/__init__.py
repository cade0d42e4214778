"""From a reference to verified bytes: store first, then one fetch for all who want the image."""
