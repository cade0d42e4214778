"""The connection behind a bot: which driver made it, and whether there is one at all."""

from typing import cast

from nonebot.adapters import Adapter as BaseAdapter
from nonebot.adapters.onebot.v11 import Adapter, Bot


def driver_of(bot: Bot) -> str:
    """The module of the driver that a bot's connection is made with; empty over HTTP."""
    adapter = bot.adapter
    connections = adapter.connections if isinstance(adapter, Adapter) else {}
    connection = connections.get(bot.self_id)
    return "" if connection is None else type(connection).__module__


def is_made_for_a_test(bot: Bot) -> bool:
    """Whether nobody is behind a bot, such as one of nonebug's ``create_bot``.

    OneBot's adapter makes bots of OneBot's own class, for connections that it holds, or for HTTP
    requests, which leave no trace. A test that plays a bot makes a class of its own, without any
    connection. Nothing may be called on such a bot that the test does not expect.
    """
    adapter = cast(object, bot.adapter)
    if not isinstance(adapter, BaseAdapter) or (type(bot) is Bot and type(adapter) is Adapter):
        return False
    if not isinstance(adapter, Adapter):
        return True
    roots = adapter.onebot_config.onebot_api_roots
    return bot.self_id not in adapter.connections and bot.self_id not in roots
