"""What the store holds, listed, counted, and shown one by one."""
