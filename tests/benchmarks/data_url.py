"""A vision model's data URL of a photo of 12 megapixels, at most 1 MB: ours, and Pillow by hand.

By hand, it is turned upright and loses its metadata, then quality and then pixels, as ours does.
"""

import base64
import io
from pathlib import Path

from anyio import to_thread
from PIL import Image, ImageFilter, ImageOps

from .in_process import running_bot
from .measure import Cost, compare, seconds, side_by_side, stopwatch
from .table import Result, at_most

_ROUNDS = 7
_MAX_BYTES = 1_000_000
_SIZE = (4000, 3000)
_QUALITIES = (90, 75, 55)


async def measure() -> list[Result]:
    """Row 20."""
    photo = _photo()
    async with running_bot():
        from nonebot_plugin_qqimage import get_resolver  # NoneBot has loaded it by now
        from nonebot_plugin_qqimage.bot.lifespan import get_services
        from nonebot_plugin_qqimage.content.inspection import inspect
        from nonebot_plugin_qqimage.messages.reference import ImageReference

        info = inspect(photo, max_size=1 << 30, max_pixels=1 << 30)
        reference = ImageReference(sha256=info.sha256)
        await get_services().store.put(reference, info, photo, "benchmark")
        folder = get_services().store.folder
        path = next(path for path in folder.rglob(f"*{info.sha256[2:]}*") if path.is_file())
        lengths: dict[str, int] = {}

        async def ours() -> Cost:
            with stopwatch() as cost:
                url = await get_resolver().image(info.uri).data_url(max_bytes=_MAX_BYTES)
            lengths["ours"] = len(url)
            return cost

        async def by_hand() -> Cost:
            with stopwatch() as cost:
                url = await to_thread.run_sync(_by_hand, path)
            lengths["by hand"] = len(url)
            return cost

        costs = await side_by_side({"ours": ours, "by hand": by_hand}, _ROUNDS)
    assert max(lengths.values()) <= _MAX_BYTES
    compared = compare(seconds(costs["ours"]), seconds(costs["by hand"])) * 1000
    what = f"data URL of a photo of 12 MP ({len(photo) / 1e6:.1f} MB), at most 1 MB"
    note = "{:,} characters, by hand {:,}".format(lengths["ours"], lengths["by hand"])
    return [at_most(20, what, "ms", "Pillow by hand", compared, 1.15, note)]


def _photo() -> bytes:
    """Something that is as hard to compress as a photo."""
    noise = Image.effect_noise((1000, 750), 90).resize(_SIZE, Image.Resampling.BICUBIC)
    grain = Image.effect_noise(_SIZE, 12).filter(ImageFilter.GaussianBlur(0.7))
    bands = [Image.blend(noise.rotate(turn), grain, 0.5) for turn in (0, 90, 180)]
    buffer = io.BytesIO()
    Image.merge("RGB", bands).save(buffer, "JPEG", quality=93)
    return buffer.getvalue()


def _by_hand(path: Path) -> str:
    with Image.open(path) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    while True:
        for quality in _QUALITIES:
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG", quality=quality)
            encoded = base64.b64encode(buffer.getvalue()).decode()
            url = f"data:image/jpeg;base64,{encoded}"
            if len(url) <= _MAX_BYTES:
                return url
        width, height = picture.size
        picture = picture.resize((width * 7 // 10, height * 7 // 10), Image.Resampling.LANCZOS)
