"""Makes every blocking call of our package in the bot's event loop an error."""

from blockbuster import BlockBuster
from nonebot import get_driver

detector = BlockBuster(scanned_modules=["nonebot_plugin_qqimage"])
# the loop of the server's own thread: there it is meant to
detector.functions["time.sleep"].can_block_in("own_server/giving_way.py", "pause")
for name, function in detector.functions.items():
    if name.startswith("io."):  # NoneBot's log goes to a file, and is as blocking as it makes it
        function.can_block_in("loguru/_simple_sinks.py", {"write"})
# the loop of the server's own thread: there it is meant to
detector.functions["time.sleep"].can_block_in("own_server/giving_way.py", {"pause"})
get_driver().on_startup(detector.activate)
get_driver().on_shutdown(detector.deactivate)
