"""What several programs write alike: of a message whose it is, when and where; of a face."""

from ..cq_code import Segment
from ..messages import Message
from .answers import Json


def about(message: Message, self_id: int) -> Json:
    """Say what every event of a message says.

    Args:
        message: the message.
        self_id: the bot's account.
    """
    group = message.kind == "group"
    written: Json = {
        "self_id": self_id,
        "user_id": message.user_id,
        "time": message.time,
        "message_id": message.message_id,
        "message_type": message.kind,
        "sub_type": "normal" if group else "friend",
    }
    return {**written, "group_id": message.implementation_id} if group else written


def sender(message: Message) -> Json:
    """Say who sent it, and as what in a group."""
    written: Json = {"user_id": message.user_id, "nickname": message.nickname}
    if message.kind == "group":
        written |= {"card": message.card, "role": "member", "level": "1", "title": ""}
    return written


def sender_with_card(message: Message) -> Json:
    """Say who sent it as LLOneBot and NapCat do, with a card that is empty for a friend."""
    group = message.kind == "group"
    written: Json = {
        "user_id": message.user_id,
        "nickname": message.nickname,
        "card": message.card if group else "",
    }
    return {**written, "role": "member"} if group else written


def face_as_image(written: Segment) -> Segment:
    """Write a face from the shop as the picture that NapCat and SnowLuma take it for."""
    data = written["data"]
    named = {**data, "file": f"{data['emoji_id'][:2]}-{data['emoji_id']}.gif"}
    # CQ codes show the order.
    order = ("summary", "file", "url", "key", "emoji_id", "emoji_package_id")
    return {"type": "image", "data": {name: named[name] for name in order}}
