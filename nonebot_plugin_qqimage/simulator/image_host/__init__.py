"""A CDN that behaves like QQ's image host, on loopback."""
