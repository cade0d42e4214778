"""The fileids of the simulator say what QQ's own do, in the same form."""

import base64
import hashlib
import time
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from nonebot_plugin_qqimage.simulator.flavours import FLAVOURS
from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.fileid import new_fileid, unreadable_fileid
from nonebot_plugin_qqimage.simulator.pictures import PHOTO, STICKER, qq_name

from .clients import talk
from .conftest import MakeImplementation

# Published by users of several implementations: size, appid, day of the upload, fileid.
SAMPLES = (
    (
        871157,
        1407,
        "2024-10-22",
        "EhQSdGwB1zdTx3vOFHPIk4LH5klh7hj1lTUg_woowbaBuYmiiQMyBHByb2RQgL2jAVoQpNtWwVRr3APaJXD4AV4i-A",
    ),
    (
        131960,
        1406,
        "2024-12-17",
        "EhQF3Xnijsp3IK2KcmpHzZPMa15-6Bj4hggg_goo_uDjn5euigMyBHByb2RaEJWFf3OmI4-5qo5fnEocoBQ",
    ),
    (
        174762,
        1407,
        "2024-10-23",
        "EhQUF44jzJ2UpXQ5wgCbzSDrXE6fwBiq1Qog_woozb_H76qkiQMyBHByb2RQgL2jAVoQ-4KUwjXwnPw5XThLD-tL1w",
    ),
    (
        164882,
        1407,
        "2026-07-25",
        "EhSduvhPaULWrCWdqKW-X9MN8t6jsxiSiAog_wooqYPctLftlQMyBHByb2RQgL2jAVoQ5faoiM59PRBAPHo86fwa"
        "43oCYReCAQJuag",
    ),
    (
        7072,
        1406,
        "2025-05-08",
        "EhQ7zBU4i9BPJTs7Is8Z1hI03P0MhhigNyD-Cii5qJb99pKNAzIEcHJvZFoQCtlD7JGNXCz-J7GQthR1SHoCwOw",
    ),
)


def _decoded(fileid: str) -> dict[int, int | bytes]:
    """The fields of a fileid by their numbers; fails at anything that is no fileid."""
    data = base64.urlsafe_b64decode(fileid + "=" * (-len(fileid) % 4))
    place = 0

    def varint() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    fields: dict[int, int | bytes] = {}
    while place < len(data):
        number, wire = divmod(varint(), 8)
        assert wire in (0, 2)
        assert number not in fields
        value = varint()
        if wire == 2:
            assert place + value <= len(data)
            fields[number], place = data[place : place + value], place + value
        else:
            fields[number] = value
    return fields


@pytest.mark.parametrize(("size", "appid", "day", "fileid"), SAMPLES)
def test_public_fileids_can_be_made_again(size: int, appid: int, day: str, fileid: str) -> None:
    fields = _decoded(fileid)
    assert (fields[3], fields[4], fields[6]) == (size, appid, b"prod")
    uploaded = int(fields[5]) / 1_000_000
    assert time.strftime("%Y-%m-%d", time.gmtime(uploaded)) == day
    kind = "group" if appid == 1407 else "private"
    sha1 = bytes(fields[2])
    made = new_fileid(b"", kind, sha1=sha1, size=size, uploaded_at=uploaded)
    again = _decoded(made)
    assert made[:30] == fileid[:30]
    # the end of the field that nobody has explained, and of what follows it, is random
    known = {number: value for number, value in fields.items() if number < 11}
    assert again.pop(11) != fields[11]
    assert again == known


def test_what_is_not_told_is_true(cdn: SimulatedCdn) -> None:
    picture = cdn.add(PHOTO, kind="private")
    query = parse_qs(urlsplit(cdn.url(picture)).query)
    assert query["appid"] == ["1406"]
    fields = _decoded(query["fileid"][0])
    assert fields[2] == hashlib.sha1(PHOTO).digest()
    assert fields[3] == len(PHOTO)
    assert fields[4] == 1406
    assert abs(int(fields[5]) / 1_000_000 - time.time()) < 60
    assert len(bytes(fields[11])) == 16
    assert 10 not in fields
    assert _decoded(cdn.add(PHOTO).fileid)[10] == 31 * 86_400
    assert _decoded(new_fileid(PHOTO, sender=30001, ttl=5)) | {11: b""} == {
        **_decoded(new_fileid(PHOTO, ttl=5)),
        1: b"30001",
        5: pytest.approx(time.time() * 1e6, abs=6e7),
        11: b"",
    }


@pytest.mark.parametrize(
    "flavour", [flavour for flavour in FLAVOURS if flavour != "luckylilliabot-3.24"]
)
async def test_an_uploader_may_lie(
    make_implementation: MakeImplementation,
    cdn: SimulatedCdn,
    session: aiohttp.ClientSession,
    flavour: str,
) -> None:
    implementation = make_implementation(flavour)
    async with talk(implementation) as client:
        await implementation.send_group(
            [
                implementation.picture(PHOTO, declared=STICKER),
                implementation.picture(PHOTO, fileid=new_fileid(PHOTO, size=7), name="a.jpg"),
                implementation.picture(PHOTO, fileid=unreadable_fileid()),
            ]
        )
        lie, other, unreadable = (segment["data"] for segment in (await client.event())["message"])
    fields = [_decoded(parse_qs(urlsplit(data["url"]).query)["fileid"][0]) for data in (lie, other)]
    assert [field[3] for field in fields] == [len(STICKER), 7]
    assert fields[0][2] == hashlib.sha1(STICKER).digest()
    assert fields[1][2] == hashlib.sha1(PHOTO).digest()
    if "file_size" in lie:
        assert (lie["file"], lie["file_size"]) == (qq_name(STICKER), str(len(STICKER)))
    with pytest.raises((AssertionError, IndexError)):
        _decoded(parse_qs(urlsplit(unreadable["url"]).query)["fileid"][0])
    for data in (lie, other, unreadable):
        async with session.get(data["url"]) as response:
            assert await response.read() == PHOTO
