"""QQ images for NoneBot2 plugins: verified bytes, long after the link died."""

from nonebot.plugin import PluginMetadata, get_plugin_by_module_name

from .bot.lifespan import get_resolver as get_resolver
from .config import Config
from .content.info import ImageInfo as ImageInfo
from .errors import Attempt as Attempt
from .errors import Cause as Cause
from .errors import ImageExpired as ImageExpired
from .errors import ImageNotFound as ImageNotFound
from .errors import ImageRejected as ImageRejected
from .errors import ImageUnavailable as ImageUnavailable
from .errors import QQImageError as QQImageError
from .errors import StoreError as StoreError
from .image import Image as Image
from .messages.reference import ImageReference as ImageReference
from .messages.sighting import Sighting as Sighting
from .params import ForwardedImages as ForwardedImages
from .params import Images as Images
from .params import MessageImages as MessageImages
from .params import QuotedImages as QuotedImages
from .params import Resolver as Resolver
from .pipeline.stored_image import StoredImage as StoredImage
from .resolver import ImageResolver as ImageResolver

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
