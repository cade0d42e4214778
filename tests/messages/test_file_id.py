"""What is read from QQ's links and from names, whatever they hold."""

import base64
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nonebot_plugin_qqimage.messages.names.file_id import FileId, file_id_of, names_another
from nonebot_plugin_qqimage.messages.names.named_md5 import md5_in_fields, md5_in_name, md5_in_url
from nonebot_plugin_qqimage.simulator.image_host.fileid import new_fileid

SAMPLES = [
    (
        871157,
        "EhQSdGwB1zdTx3vOFHPIk4LH5klh7hj1lTUg_woowbaBuYmiiQMyBHByb2RQgL2jAVoQpNtWwVRr3APaJXD4AV4i-A",
    ),
    (
        131960,
        "EhQF3Xnijsp3IK2KcmpHzZPMa15-6Bj4hggg_goo_uDjn5euigMyBHByb2RaEJWFf3OmI4-5qo5fnEocoBQ",
    ),
    (
        174762,
        "EhQUF44jzJ2UpXQ5wgCbzSDrXE6fwBiq1Qog_woozb_H76qkiQMyBHByb2RQgL2jAVoQ-4KUwjXwnPw5XThLD-tL1w",
    ),
    (
        164882,
        "EhSduvhPaULWrCWdqKW-X9MN8t6jsxiSiAog_wooqYPctLftlQMyBHByb2RQgL2jAVoQ5faoiM59PRBAPHo86fwa43oCYReCAQJuag",
    ),
    (
        7072,
        "EhQ7zBU4i9BPJTs7Is8Z1hI03P0MhhigNyD-Cii5qJb99pKNAzIEcHJvZFoQCtlD7JGNXCz-J7GQthR1SHoCwOw",
    ),
]
"""Public links: size in bytes, fileid."""
APPIDS = {131960: "1406", 7072: "1406"}
HOSTS = ("multimedia.nt.qq.com.cn", "gchat.qpic.cn", "c2cpicdw.qpic.cn", "multimedia.qq.com")
LIMIT = 0.25
"""Seconds for anything hostile, on a machine that does other things, too."""


def link(fileid: str, appid: object = 1407, host: str = HOSTS[0]) -> str:
    return f"https://{host}/download?appid={appid}&fileid={fileid}&rkey=k"


@pytest.mark.parametrize(("size", "fileid"), SAMPLES)
@pytest.mark.parametrize("host", HOSTS)
def test_public_samples(size: int, fileid: str, host: str) -> None:
    appid = APPIDS.get(size, "1407")
    read = file_id_of(link(fileid, appid, host))
    assert read is not None
    assert (read.size, read.name) == (size, f"{appid}:{fileid}")
    assert len(read.sha1) == 40
    assert 1_717_000_000 < read.uploaded < 1_790_000_000
    assert read.ttl == (2_678_400 if appid == "1407" else 0)
    # an id of the other kind of chat is not believed
    other = file_id_of(link(fileid, "1406" if appid == "1407" else "1407"))
    assert other is not None
    assert (other.sha1, other.size) == ("", 0)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://gchat.qpic.cn/download?rkey=k&fileid={}&appid=1407", id="order"),
        pytest.param("http://gchat.qpic.cn:80/download?appid=1407&amp;fileid={}", id="escaped"),
        pytest.param("HTTPS://MULTIMEDIA.NT.QQ.COM.CN/download?APPID=1407&FileID={}", id="case"),
        pytest.param("https://gchat.qpic.cn/download?appid=%31407&fileid={}#x", id="percent"),
        pytest.param("https://gchat.qpic.cn/download?appid=1407&fileid={}%3D%3D", id="padding"),
        pytest.param("http://127.0.0.1:8080/x/download?appid=1407&fileid={}", id="here"),
        pytest.param("http://[::1]:8080/x/download?appid=1407&fileid={}", id="here, v6"),
    ],
)
def test_every_spelling_of_a_link(url: str) -> None:
    size, fileid = SAMPLES[0]
    read = file_id_of(url.format(fileid))
    assert read is not None
    assert (read.name, read.size) == (f"1407:{fileid}", size)


@pytest.mark.parametrize(
    "url",
    [
        link(SAMPLES[0][1], 14901),
        link(SAMPLES[0][1], 1408),
        link(SAMPLES[0][1], ""),
        link(SAMPLES[0][1], "١٤٠٧"),
        link(SAMPLES[0][1], host="evil.example"),
        link(SAMPLES[0][1], host="qq.com.evil.example"),
        link(SAMPLES[0][1], host="evilqq.com"),
        link(SAMPLES[0][1], host="evil.example/.qq.com"),
        link(SAMPLES[0][1], host="evil.example#.qq.com"),
        link(SAMPLES[0][1], host="evil.example\\.qq.com"),
        link(SAMPLES[0][1], host="x@qq.com"),
        link(SAMPLES[0][1], host="evil.example:80.qq.com"),
        link(SAMPLES[0][1], host="evil.example%2f.qq.com"),
        link(SAMPLES[0][1], host="127.0.0.1.evil.example"),
        link(SAMPLES[0][1], host="localhost.evil.example"),
        link(SAMPLES[0][1], host="192.168.1.1"),
        link(SAMPLES[0][1]).replace("/download", "/upload"),
        link(SAMPLES[0][1]).replace("https", "ftp"),
        link("short"),
        link("x" * 513),
        link("図" * 20),
        "",
    ],
)
def test_other_links_say_nothing(url: str) -> None:
    assert file_id_of(url) is None


def test_two_uploads_of_one_picture_are_one() -> None:
    first, second, another = (new_fileid(data) for data in (b"one", b"one", b"other"))
    private = new_fileid(b"one", "private")
    assert first != second
    assert not names_another(link(first), link(second))
    assert not names_another(link(first), link(private, 1406))
    assert names_another(link(first), link(another))
    assert names_another(link(first), link(first[:-4]))
    assert not names_another(link(first), "https://gchat.qpic.cn/gchatpic_new/1/1-1-A/0")


def _checked(read: FileId | None) -> None:
    if read is None:
        return
    assert read.name.partition(":")[0] in ("1406", "1407")
    assert len(read.name) <= 5 + 512
    assert read.name.isascii()
    assert len(read.sha1) in (0, 40)
    assert (read.size > 0) == bool(read.sha1)
    assert read.size < 1 << 40
    assert 0 <= read.uploaded < 1 << 34
    assert 0 <= read.ttl < 1 << 32


@given(st.binary(max_size=400), st.sampled_from(["1406", "1407"]))
@example(b"\x12\x14" + b"\xff" * 20 + b"\x18" + b"\xff" * 300, "1407")
@example(b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "1407")
@example(b"\x0b" * 300, "1406")
def test_any_bytes(data: bytes, appid: str) -> None:
    text = base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    _checked(file_id_of(link(text, appid)))


@given(st.binary(min_size=20, max_size=20).filter(any), st.integers(1, (1 << 40) - 1), st.data())
def test_what_was_declared_is_read(sha1: bytes, size: int, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["private", "group"]))
    sender = data.draw(st.none() | st.integers(1, 1 << 40))
    fileid = new_fileid(
        b"", kind, sha1=sha1, size=size, uploaded_at=1_750_000_000.25, sender=sender
    )
    read = file_id_of(link(fileid, 1406 if kind == "private" else 1407))
    assert read is not None
    assert (read.sha1, read.size, read.uploaded) == (sha1.hex(), size, 1_750_000_000.25)
    # one changed or lost byte never makes it say more than it is allowed to
    raw = bytearray(base64.urlsafe_b64decode(fileid + "=" * (-len(fileid) % 4)))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    cut = raw[: data.draw(st.integers(1, len(raw)))]
    for changed in (raw, cut):
        _checked(file_id_of(link(base64.urlsafe_b64encode(changed).decode())))


@given(st.text(max_size=300) | st.builds(link, st.text(), st.text(), st.text()))
def test_any_url(url: str) -> None:
    _checked(file_id_of(url))
    assert len(md5_in_url(url)) in (0, 32)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(link(SAMPLES[0][1]) + "&a" * 4_000_000, id="parameters"),
        pytest.param(link(SAMPLES[0][1]) + "&%41=%41" * 1_000_000, id="escapes"),
        pytest.param(link("A" * 8_000_000), id="long id"),
        pytest.param("https://" + "a." * 4_000_000 + "/download?fileid=", id="long host"),
        pytest.param("https://" + "qq.com." * 1_000 + "?fileid=", id="many hosts"),
        pytest.param("https://gchat.qpic.cn" + "/gchatpic_new/" * 500_000, id="paths"),
        pytest.param("https://gchat.qpic.cn/offpic_new/" + "-" * 8_000_000, id="dashes"),
    ],
)
def test_hostile_links_take_no_time(url: str) -> None:
    started = time.perf_counter()
    _checked(file_id_of(url))
    md5_in_url(url[:8192])  # as much of a URL as is ever kept
    assert time.perf_counter() - started < LIMIT


MD5 = "0123456789abcdef0123456789abcdef"
GUID = "01234567-89ab-cdef-0123-456789abcdef"


@pytest.mark.parametrize(
    "name",
    [
        MD5,
        f"{MD5}.jpg",
        f"{MD5.upper()}.PNG",
        f"{MD5}.image",
        f"{GUID}.jpg",
        f"{{{GUID.upper()}}}.jpg",
        f"{{{MD5}}}.gif",
        f"{'ab' * 60}.{MD5}.png",
    ],
)
def test_names_made_of_an_md5(name: str) -> None:
    assert md5_in_name(name) == MD5
    assert md5_in_fields({"filename": name}) == MD5


@pytest.mark.parametrize(
    "name",
    [
        "",
        "image.png",
        f"x{MD5}.jpg",
        f"{MD5}0.jpg",
        f"{MD5[:-1]}.jpg",
        f"{{{MD5}.jpg",
        f"{MD5}}}.jpg",
        f"{GUID[:-1]}.jpg",
        f"{GUID.replace('-', '', 1)}.jpg",
        f"{MD5}\n",
        f"{MD5}.tar.gz",
        f"../{MD5}.jpg",
        "d41d8cd98f00b204e9800998ecf8427e.jpg",
        "０" * 32 + ".jpg",
    ],
)
def test_other_names(name: str) -> None:
    assert md5_in_name(name) == ""


@given(st.text(max_size=200))
@example("0" * 100_000)
@example("0." * 50_000)
def test_any_name(name: str) -> None:
    started = time.perf_counter()
    found = md5_in_name(name)
    assert time.perf_counter() - started < LIMIT
    assert found == "" or found in name.lower().replace("-", "")


@given(st.dictionaries(st.sampled_from(["filename", "name", "file_unique"]), st.none() | st.text()))
def test_any_fields(data: dict[str, Any]) -> None:
    assert len(md5_in_fields(data)) in (0, 32)
