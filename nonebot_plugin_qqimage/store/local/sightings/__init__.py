"""Sightings in the index, and which of them were forgotten."""
