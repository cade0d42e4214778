"""QQ images for NoneBot2 plugins: verified bytes, long after the link died."""

import importlib
import sys
from typing import TYPE_CHECKING, Any

from nonebot.plugin import (
    PluginMetadata,
    get_available_plugin_names,
    get_plugin_by_module_name,
)

from .bot.lifespan import get_resolver
from .config import Config
from .content.info import ImageInfo
from .errors import (
    Attempt,
    Cause,
    ImageExpired,
    ImageNotFound,
    ImageRejected,
    ImageUnavailable,
    QQImageError,
    StoreError,
)
from .image import Image
from .messages.reference import ImageReference
from .messages.sighting import Sighting
from .params import (
    ForwardedImages,
    Images,
    ImagesOrAsk,
    MessageImages,
    QuotedImages,
    Resolver,
)
from .pipeline.arrival import StoredImage
from .resolver import ImageResolver
from .similar import SimilarImage
from .store.local.annotations import Annotation

__all__ = (
    "Annotation",
    "Attempt",
    "Cause",
    "ForwardedImages",
    "Image",
    "ImageExpired",
    "ImageInfo",
    "ImageNotFound",
    "ImageReference",
    "ImageRejected",
    "ImageResolver",
    "ImageUnavailable",
    "Images",
    "ImagesOrAsk",
    "MessageImages",
    "QQImageError",
    "QuotedImages",
    "Resolver",
    "Sighting",
    "SimilarImage",
    "StoreError",
    "StoredImage",
    "get_resolver",
)

__plugin_meta__ = PluginMetadata(
    name="QQ 图片",
    description="图片链接过期也拿得到：解析、校验并在本地保存机器人收到的每一张 QQ 图片",
    usage=(
        '声明依赖: `require("nonebot_plugin_qqimage")`\n'
        "注入图片: `from nonebot_plugin_qqimage import Images`\n"
        "  `async def _(images: Images): data = await images[0].read()`"
    ),
    type="library",
    homepage="https://github.com/nonebot-plugin-qqimage/nonebot-plugin-qqimage",
    config=Config,
    supported_adapters={"~onebot.v11"},
    extra={"tags": ["图片", "OneBot"]},
)

# Outside a bot (`python -m`, documentation tools) there is nothing to hook into.
if get_plugin_by_module_name(__name__) is not None:
    from .bot.lifespan import install

    install()


if not TYPE_CHECKING:  # a type checker would take any name for one of this package

    def __getattr__(name: str) -> Any:
        """What NoneBot asks a module for that was imported before it is loaded, as tests do it.

        NoneBot refuses such a module, for it has not been executed as a plugin. So it is executed
        once more: all its parts stay as they are, and only what is above happens.
        """
        if name != "__plugin__" or __name__ not in get_available_plugin_names():
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return importlib.reload(sys.modules[__name__]).__dict__[name]
