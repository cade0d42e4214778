"""What is made of the segments that implementations really send, and of those nobody would."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nonebot.adapters.onebot.v11 import GroupMessageEvent, Message, MessageEvent, MessageSegment

from nonebot_plugin_qqimage.messages.events import find_in_event
from nonebot_plugin_qqimage.messages.reader import find_in_message
from nonebot_plugin_qqimage.messages.reference import ImageReference, from_uri
from nonebot_plugin_qqimage.messages.segments import from_segment

MD5 = "0123456789abcdef0123456789abcdef"
NT_URL = "https://multimedia.nt.qq.com.cn/download?appid=1407&fileid=EhQ&spec=0&rkey=CAQS"
FACE_URL = "https://gxh.vip.qq.com/club/item/parcel/item/ab/abcd/raw300.gif"


def image(**data: Any) -> dict[str, Any]:
    return {"type": "image", "data": data}


def read(segment: object) -> ImageReference:
    reference = from_segment(segment, "10001", "-77", 2)
    assert reference is not None
    return reference


def event(message: Message, reply: Message | None = None) -> MessageEvent:
    sender = {"user_id": 20002}
    fields: dict[str, Any] = {
        "time": 0,
        "self_id": 10001,
        "post_type": "message",
        "message_type": "group",
        "sub_type": "normal",
        "message_id": -77,
        "group_id": 30003,
        "user_id": 20002,
        "message": message,
        "original_message": message,
        "raw_message": "",
        "font": 0,
        "sender": sender,
    }
    if reply is not None:
        fields["reply"] = {
            "time": 0,
            "message_type": "group",
            "message_id": 55,
            "real_id": 55,
            "sender": sender,
            "message": reply,
        }
    return GroupMessageEvent(**fields)


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        pytest.param(
            image(file=f"{MD5.upper()}.png", url=NT_URL, file_size="852", subType=0),
            {"file": f"{MD5.upper()}.png", "url": NT_URL, "size": 852, "md5": MD5},
            id="LuckyLilliaBot 8",
        ),
        pytest.param(
            image(file=f"{MD5.upper()}.jpg", url="", file_size=852),
            {"file": f"{MD5.upper()}.jpg", "url": "", "size": 852, "md5": MD5},
            id="LLOneBot 3.24 without a URL",
        ),
        pytest.param(
            image(file=f"{MD5}.png", url=NT_URL, file_size="852", sub_type=1, summary="[动画表情]"),
            {"url": NT_URL, "size": 852, "md5": MD5, "sticker": True},
            id="NapCat 4.18",
        ),
        pytest.param(
            image(
                file=f"{'ab' * 60}.{MD5}.png",
                file_id="x",
                path="/app/x.png",
                file_unique=MD5,
                url=NT_URL,
                file_size="852",
                sub_type=0,
            ),
            {"file": f"{'ab' * 60}.{MD5}.png", "size": 852, "md5": MD5, "sticker": False},
            id="NapCat 2.2.30 to 4.3.4",
        ),
        pytest.param(
            image(file=NT_URL, url=NT_URL, filename="x.png", subType=0, summary="[图片]"),
            {"file": "", "url": NT_URL, "size": None, "md5": ""},
            id="Lagrange",
        ),
        pytest.param(
            image(file=NT_URL),
            {"file": "", "url": NT_URL},
            id="Lagrange, were the URL only in file",
        ),
        pytest.param(
            image(file=f"{MD5}.image", url="https://gchat.qpic.cn/x", subType="1"),
            {"file": f"{MD5}.image", "md5": MD5, "sticker": True},
            id="go-cqhttp",
        ),
        pytest.param(
            image(file="{01234567-89AB-CDEF-0123-456789ABCDEF}.jpg", url=NT_URL),
            {"file": "{01234567-89AB-CDEF-0123-456789ABCDEF}.jpg", "md5": MD5},
            id="MD5 as GUID of an old client",
        ),
        pytest.param(
            {
                "type": "mface",
                "data": {"url": FACE_URL, "emoji_id": "abcd", "key": "k", "summary": "[好]"},
            },
            {"file": "", "url": FACE_URL, "face_id": "abcd", "sticker": True},
            id="market face of LuckyLilliaBot and Lagrange",
        ),
        pytest.param(
            image(file="ab-abcd.gif", url=FACE_URL, emoji_id="abcd", key="k"),
            {"file": "", "url": FACE_URL, "face_id": "abcd", "sticker": True},
            id="market face of NapCat",
        ),
        pytest.param(
            image(file=None, url=None), {"file": "", "url": "", "md5": ""}, id="own, Lagrange"
        ),
        pytest.param(
            image(file=f"{MD5}.png", url=NT_URL.replace("&", "&amp;")),
            {"url": NT_URL},
            id="CQ escapes left in",
        ),
        pytest.param(image(file="base64://aGk="), {"file": "", "url": ""}, id="base64"),
        pytest.param(image(file="data:image/png;base64,aGk="), {"file": ""}, id="data URI"),
        pytest.param(image(file="file:///etc/passwd"), {"file": "", "url": ""}, id="file URI"),
        pytest.param(image(url="file:///etc/passwd"), {"url": ""}, id="file URI as url"),
        pytest.param(image(url="/app/x.png"), {"url": ""}, id="a path as url"),
        pytest.param(image(url=f"  {NT_URL}\n"), {"url": NT_URL}, id="space around the URL"),
        pytest.param(image(url="HTTPS://H/x"), {"url": "HTTPS://H/x"}, id="upper-case scheme"),
    ],
)
def test_segments_of_every_implementation(
    segment: dict[str, Any], expected: dict[str, Any]
) -> None:
    reference = read(segment)
    assert {name: getattr(reference, name) for name in expected} == expected
    assert (reference.self_id, reference.message_id, reference.position) == ("10001", "-77", 2)
    assert read(MessageSegment(segment["type"], segment["data"])) == reference


@pytest.mark.parametrize(
    ("declared", "size"),
    [
        ("852", 852),
        (852, 852),
        ("0", None),
        (0, None),
        (-1, None),
        ("-1", None),
        ("", None),
        ("852 B", None),
        ("８５２", None),
        ("²", None),
        (852.0, None),
        (True, None),
        (None, None),
        ([852], None),
        ("9" * 400, None),
        (10**400, None),
    ],
)
def test_sizes_are_numbers_or_nothing(declared: object, size: int | None) -> None:
    assert read(image(file_size=declared)).size == size


@pytest.mark.parametrize(
    "segment",
    [
        {"type": "text", "data": {"text": "hi"}},
        {"type": "image"},
        {"type": "image", "data": None},
        {"type": "image", "data": [1]},
        {"type": ["image"], "data": {}},
        {"data": {"file": "x"}},
        {},
        [],
        None,
        "[CQ:image,file=x]",
        3,
    ],
)
def test_what_is_no_image_segment(segment: object) -> None:
    assert from_segment(segment) is None


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(
        ["x" * 100_000, "\ud83d", "https://h/\ud83d", "https://" + "h" * 9000, 10**400]
    ),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3)
    ),
    max_leaves=5,
)
FIELDS = ["file", "url", "file_size", "emoji_id", "sub_type", "subType", "summary", "path"]
SEGMENTS = (
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["image", "mface"]) | VALUES,
            "data": st.dictionaries(st.sampled_from(FIELDS), VALUES) | VALUES,
        }
    )
    | VALUES
)


@given(message=st.lists(SEGMENTS, max_size=5))
def test_no_segment_is_too_odd(message: list[Any]) -> None:
    for position, reference in enumerate(find_in_message(message, "1", "2")):
        assert reference.position == position
        assert len(reference.file) <= 1024
        assert len(reference.url) <= 8192
        assert reference.url.startswith("http") or not reference.url[:4].islower()
        assert reference.size is None or reference.size > 0
        for text in (reference.key, reference.own_key, reference.name, reference.md5):
            assert text.encode() is not None
        assert str(reference).encode()
        assert hash(reference) == hash(reference)


@given(data=st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_a_segment_reads_the_same_as_mapping_and_object(data: dict[str, Any]) -> None:
    assert from_segment(MessageSegment("image", data)) == from_segment(image(**data))


def test_a_message_of_thousands_of_images_is_cut() -> None:
    found = find_in_message([image(file=f"{n}.png") for n in range(5000)])
    assert 20 <= len(found) <= 200
    assert [reference.file for reference in found] == [f"{n}.png" for n in range(len(found))]


def test_positions_count_images_only() -> None:
    message = [
        {"type": "text", "data": {"text": "look"}},
        image(file="a.png"),
        {"type": "at", "data": {"qq": "1"}},
        {"type": "mface", "data": {"emoji_id": "abcd"}},
        image(file="b.png"),
    ]
    assert [reference.position for reference in find_in_message(message)] == [0, 1, 2]


def test_an_event_and_the_message_it_quotes() -> None:
    own = Message([MessageSegment.text("this"), MessageSegment("image", {"file": "own.png"})])
    quoted = Message([MessageSegment("image", {"file": "quoted.png", "url": NT_URL})])
    first, second = find_in_event(event(own, quoted))
    assert [(r.self_id, r.message_id, r.file) for r in first] == [("10001", "-77", "own.png")]
    assert [(r.self_id, r.message_id, r.file) for r in second] == [("10001", "55", "quoted.png")]
    assert second[0].url == NT_URL


def test_an_event_without_images_or_quote() -> None:
    assert find_in_event(event(Message("hi"))) == ([], [])


def test_the_same_picture_in_two_messages_is_fetched_once() -> None:
    segment = image(file=f"{MD5}.png", file_size="852", url="https://h/1")
    again = image(file=f"{MD5.upper()}.jpg", file_size=852, url="https://h/2")
    first, second = from_segment(segment, "1", "10"), from_segment(again, "1", "11")
    assert first is not None
    assert second is not None
    assert first.key == second.key
    assert first.own_key != second.own_key


@pytest.mark.parametrize(
    "other",
    [
        {"file": f"{MD5}.png", "file_size": 853},
        {"file": f"{MD5[::-1]}.png", "file_size": 852},
    ],
)
def test_another_size_or_name_is_another_picture(other: dict[str, Any]) -> None:
    assert read(image(file=f"{MD5}.png", file_size=852)).key != read(image(**other)).key


def test_names_that_promise_no_digest_speak_for_their_message_only() -> None:
    segment = image(file="photo.jpg", url=NT_URL)
    keys = {
        reference.key
        for reference in (
            from_segment(segment, "1", "10", 0),
            from_segment(segment, "1", "10", 1),
            from_segment(segment, "1", "11", 0),
            from_segment(segment, "2", "10", 0),
        )
        if reference is not None
    }
    assert len(keys) == 4


def test_a_market_face_is_the_same_everywhere() -> None:
    face = image(file="ab-abcd.gif", emoji_id="abcd", url=FACE_URL)
    names = {r.name for r in (from_segment(face, "1", "2"), from_segment(face, "3", "4")) if r}
    assert names == {"face:abcd"}


def test_a_segment_of_no_message_has_no_name_but_a_key() -> None:
    one, other = from_segment(image(url="https://h/1")), from_segment(image(url="https://h/2"))
    assert one is not None
    assert other is not None
    assert one.name == other.name == ""
    assert one.key != other.key


def test_in_words() -> None:
    text = str(read(image(file="a.png", url=NT_URL)))
    assert "a.png" in text
    assert "-77" in text
    assert "10001" in text
    assert "rkey" not in text


def test_a_uri_is_read() -> None:
    sha256 = "ab" * 32
    assert from_uri(f"qqimage:{sha256}").sha256 == sha256


@pytest.mark.parametrize(
    "uri", ["", "qqimage:", "qqimage:" + "AB" * 32, "ab" * 32, "qqimage:" + "ab" * 32 + "\n"]
)
def test_a_wrong_uri_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="qqimage:<sha256>"):
        from_uri(uri)


def test_half_an_emoji_from_json_is_left_out() -> None:
    segment = json.loads('{"type":"image","data":{"file":"\\ud83d.png","url":"https://h/\\ud83d"}}')
    assert (read(segment).file, read(segment).url) == ("", "")
