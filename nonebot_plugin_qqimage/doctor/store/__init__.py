"""How the stores are, and what came of images lately."""
