"""The store that bots on many hosts share, behind the local store of each."""
