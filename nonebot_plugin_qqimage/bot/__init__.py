"""Where NoneBot meets this plugin: hooks, lifespan, what comes in, what goes out, chat commands."""
