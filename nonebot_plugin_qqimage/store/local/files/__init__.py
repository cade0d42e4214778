"""The files of the store: images, copies, thumbnails, and what was put aside."""
