"""How well pictures are found by what they look like: ``python -m tests.looks`` measures it."""
