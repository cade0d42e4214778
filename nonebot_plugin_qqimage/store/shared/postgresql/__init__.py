"""PostgreSQL as the shared store: images as `bytea`, everything else in the same database."""
