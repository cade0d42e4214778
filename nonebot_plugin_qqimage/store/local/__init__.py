"""The store's engine on one machine: files for the bytes, SQLite for everything else."""
