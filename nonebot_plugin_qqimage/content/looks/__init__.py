"""How pictures look: hashes by which the same picture is found again, and a second look at two."""
