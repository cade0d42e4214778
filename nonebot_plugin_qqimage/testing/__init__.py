"""A kit for the tests of plugins that get images from this one. It needs pytest, and no extra.

Import its fixtures in your ``conftest.py``, and load the plugin before the first test, as a bot
does; which of the two comes first does not matter::

    from nonebot_plugin_qqimage.testing import qqimage, qqimage_settings

``pytest_plugins = ["nonebot_plugin_qqimage.testing"]`` does the same.

`qqimage` gives each test a `Kit`: a store in a temporary folder, pictures that resolve without any
call or fail with a chosen cause, and bots with simulated implementations behind them. The
documentation has a page of recipes with their tests.
"""

from ..simulator.behaviour import Behaviour, MessageFault
from ..simulator.flavours import FLAVOURS
from ..simulator.image_host.cdn import SimulatedCdn
from ..simulator.image_host.faults import Fault
from ..simulator.implementation import SimulatedImplementation
from ..simulator.pictures import ANIMATION, PHOTO, STICKER, WEBP, noise_png, png
from ..simulator.sending import SentMessage
from .fixtures import qqimage, qqimage_settings
from .kit import Kit, isolated

__all__ = (
    "ANIMATION",
    "FLAVOURS",
    "PHOTO",
    "STICKER",
    "WEBP",
    "Behaviour",
    "Fault",
    "Kit",
    "MessageFault",
    "SentMessage",
    "SimulatedCdn",
    "SimulatedImplementation",
    "isolated",
    "noise_png",
    "png",
    "qqimage",
    "qqimage_settings",
)
