"""Where QQ's own kernel puts the pictures it downloads."""

import time

from ..messages import Message, Picture


def kernel_path(part: Picture, message: Message) -> str:
    """Give the path of a picture, relative to the folder ``nt_data`` of the account."""
    folder = "Emoji/emoji-recv" if part.sticker else "Pic"
    month = time.strftime("%Y-%m", time.gmtime(message.time))
    _, dot, ending = part.name.rpartition(".")
    return f"{folder}/{month}/Ori/{part.hosted.md5}{dot}{ending}"
