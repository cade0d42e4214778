"""The formats of images: each one's size, frames and end, read from its structure.

A reader gives what it finds in any bytes at all: it never raises, takes time in proportion to what
it looks at, and stops at a bound that no real file comes near.
"""
