"""Uses everything an image offers, and sends the picture again."""

import anyio
from nonebot import on_command, require
from nonebot.matcher import Matcher

require("nonebot_plugin_qqimage")
from nonebot_plugin_qqimage import Images, MessageImages, QuotedImages, Resolver, get_resolver


@on_command("echo").handle()
async def _(
    matcher: Matcher,
    images: Images,
    own: MessageImages,
    quoted: QuotedImages,
    resolver: Resolver,
) -> None:
    assert resolver is get_resolver()
    assert [i.reference for i in images] == [i.reference for i in own + quoted]
    for image in images:
        data, path, info = await image.read(), await image.path(), await image.info()
        assert await anyio.Path(path).read_bytes() == data
        assert info.size == len(data)
        assert (await image.data_url()).startswith(f"data:{info.mime};base64,")
        assert await resolver.image(info.uri).read() == data
        assert image.state == "stored"
        await matcher.send(await image.segment())
    await matcher.send(f"{len(own)} own, {len(quoted)} quoted")
