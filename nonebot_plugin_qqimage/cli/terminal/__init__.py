"""What people see on a terminal: lines, tables, progress and pictures."""
