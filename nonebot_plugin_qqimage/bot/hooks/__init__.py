"""What is done with each event and each call, by NoneBot's hooks."""
