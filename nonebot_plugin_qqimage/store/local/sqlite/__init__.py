"""The index as SQLite has it: the connection, the schema and the clock."""
