"""Makes every blocking call of our package in the bot's event loop an error."""

from blockbuster import BlockBuster
from nonebot import get_driver

detector = BlockBuster(scanned_modules=["nonebot_plugin_qqimage"])
get_driver().on_startup(detector.activate)
get_driver().on_shutdown(detector.deactivate)
