"""A bot as its operator sets it up: NoneBot, the OneBot adapter, our plugin, and other plugins."""

import nonebot
from nonebot.adapters.onebot.v11 import Adapter

nonebot.init()  # reads .env
nonebot.get_driver().register_adapter(Adapter)
nonebot.load_plugin("nonebot_plugin_qqimage")
nonebot.load_plugins("plugins")

if __name__ == "__main__":
    nonebot.run()
