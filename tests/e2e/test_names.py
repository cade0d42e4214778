"""What names a picture: it is known by every form of its names, and by nothing that contradicts."""

import base64
import hashlib
from collections.abc import Callable
from urllib.parse import quote

import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.fileid import new_fileid, unreadable_fileid
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation

from .bots import new_png, sha256, told
from .stages import Stage, by_hand, traffic, written

DEAD = "http://127.0.0.1:9/download"


def dashed(data: bytes) -> str:
    digest = hashlib.md5(data).hexdigest().upper()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))


def plain(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


LONG = "0123456789abcdef0123456789abcdef01"
MD5_FORMS: dict[str, Callable[[bytes], dict[str, str]]] = {
    "plain": lambda data: {"file": f"{plain(data).upper()}.png"},
    "no suffix": lambda data: {"file": plain(data)},
    "go-cqhttp": lambda data: {"file": f"{plain(data)}.image"},
    "dashes": lambda data: {"file": f"{dashed(data)}.jpg"},
    "braces": lambda data: {"file": f"{{{dashed(data)}}}.jpg"},
    "braces, lower case": lambda data: {"file": f"{{{dashed(data).lower()}}}.jpg"},
    "braces alone": lambda data: {"file": f"{{{dashed(data)}}}"},
    "behind a long id": lambda data: {"file": f"{LONG}.{plain(data)}.jpg"},
    "Lagrange": lambda data: {
        "file": f"{DEAD}?q={plain(data)[:4]}",
        "url": f"{DEAD}?q={plain(data)[:4]}",
        "filename": f"{plain(data).upper()}.jpg",
    },
    "filename": lambda data: {"file": "a.jpg", "filename": f"{{{dashed(data)}}}.jpg"},
    "name": lambda data: {"file": "a.jpg", "name": f"{plain(data)}.png"},
    "file_unique": lambda data: {"file": "a.jpg", "file_unique": plain(data)},
    "old link": lambda data: {
        "file": "a.jpg",
        "url": f"https://gchat.qpic.cn/gchatpic_new/0/0-0-{plain(data).upper()}/0?term=2",
    },
    "old private link": lambda data: {
        "file": "",
        "url": f"https://c2cpicdw.qpic.cn/offpic_new/1/1-2-{plain(data).upper()}/0?term=2",
    },
}


@pytest.mark.parametrize("form", MD5_FORMS)
async def test_a_known_picture_by_its_md5(
    stage: Stage, implementation: SimulatedImplementation, form: str
) -> None:
    """N1, N2: its link is dead and `get_image` refuses, and nobody is asked either."""
    data = await stage.known(implementation)
    before = traffic(implementation)
    said = {"url": DEAD, **MD5_FORMS[form](data)}
    await written(implementation, by_hand(**said))
    answer = await told(implementation)
    assert (answer.get("source"), answer.get("sha256")) == ("store", sha256(data)), answer
    assert traffic(implementation) == before


def escaped(text: str) -> str:
    return "".join(f"%{ord(letter):02X}" for letter in text)


def standard(fileid: str) -> str:
    return base64.b64encode(base64.urlsafe_b64decode(fileid + "=" * (-len(fileid) % 4))).decode()


LINKS: dict[str, Callable[[str], str]] = {
    "usual": lambda it: f"https://multimedia.nt.qq.com.cn/download?appid=1407&fileid={it}&rkey=X",
    "no key": lambda it: f"https://multimedia.nt.qq.com.cn/download?appid=1407&fileid={it}",
    "order": lambda it: f"https://multimedia.nt.qq.com.cn/download?rkey=X&fileid={it}&appid=1407",
    "group host": lambda it: f"http://gchat.qpic.cn/download?appid=1407&fileid={it}&spec=0",
    "private host": lambda it: f"https://c2cpicdw.qpic.cn/download?spec=0&appid=1407&fileid={it}",
    "escaped": lambda it: (
        f"https://multimedia.nt.qq.com.cn/download?appid=1407&fileid={escaped(it)}&rkey=X"
    ),
    "CQ escapes": lambda it: (
        f"https://multimedia.nt.qq.com.cn/download?appid=1407&amp;fileid={it}&amp;rkey=X"
    ),
    "standard base64": lambda it: (
        "https://multimedia.nt.qq.com.cn/download?appid=1407"
        f"&fileid={quote(standard(it), safe='')}&rkey=X"
    ),
    "bare standard base64": lambda it: (
        f"https://multimedia.nt.qq.com.cn/download?appid=1407&fileid={standard(it)}&rkey=X"
    ),
    "upper case": lambda it: (
        f"HTTPS://MULTIMEDIA.nt.QQ.com.cn:443/download?appid=1407&fileid={it}&rkey=X"
    ),
    "fragment": lambda it: (
        f"https://multimedia.nt.qq.com.cn/download?appid=1407&fileid={it}&rkey=X#a"
    ),
}


@pytest.mark.parametrize("place", ["url", "file"])
@pytest.mark.parametrize("form", LINKS)
async def test_a_known_picture_by_its_link(
    stage: Stage, implementation: SimulatedImplementation, form: str, place: str
) -> None:
    """N3: nothing but the link's fileid says which picture it is."""
    data = await stage.known(implementation)
    before = traffic(implementation)
    url = LINKS[form](new_fileid(data, sender=30001 if form == "order" else None))
    said = {"file": "a.jpg", "url": url} if place == "url" else {"file": url}
    await written(implementation, by_hand(**said))
    answer = await told(implementation)
    assert (answer.get("source"), answer.get("sha256")) == ("store", sha256(data)), answer
    assert traffic(implementation) == before


async def test_a_whole_fileid_that_nobody_can_read(
    stage: Stage, implementation: SimulatedImplementation
) -> None:
    data = new_png()
    picture = implementation.picture(data, name="image.png", fileid=unreadable_fileid())
    url = implementation.flavour.signed_url(picture)
    await written(implementation, by_hand(file="image.png", url=url))
    assert (await told(implementation))["sha256"] == sha256(data)
    before = traffic(implementation)
    await written(implementation, by_hand(file=f"{url}&x=1"), group_id=20005)
    assert (await told(implementation))["source"] == "store"
    assert traffic(implementation) == before


@pytest.mark.parametrize("size", ["with its size", "without"])
@pytest.mark.parametrize("form", ["plain", "braces", "filename", "name", "file_unique"])
async def test_a_name_that_its_link_contradicts(
    stage: Stage, implementation: SimulatedImplementation, form: str, size: str
) -> None:
    """N4: named with the MD5 of a stored picture of another chat; it is what its link brings."""
    known, true = await stage.known(implementation), new_png()
    picture = implementation.picture(true)
    said = {"file": "a.jpg", **MD5_FORMS[form](known)}
    said["url"] = implementation.flavour.signed_url(picture)
    if size == "with its size":
        said["file_size"] = str(len(known))
    await written(implementation, by_hand(**said), group_id=20006)
    assert (await told(implementation)).get("sha256") == sha256(true)


@pytest.mark.parametrize("form", ["plain", "braces", "filename"])
async def test_a_name_that_a_dead_link_contradicts(
    stage: Stage, implementation: SimulatedImplementation, form: str
) -> None:
    known = await stage.known(implementation)
    lost = LINKS["usual"](new_fileid(new_png()))
    said = {"file": "a.jpg", **MD5_FORMS[form](known), "url": lost}
    await written(implementation, by_hand(**said), group_id=20006)
    assert "error" in await told(implementation)


async def test_a_wrong_name_of_a_known_picture(
    stage: Stage, implementation: SimulatedImplementation
) -> None:
    """NapCat#458: another MD5 in the name, while the link, once links are believed, is right."""
    await stage.known(implementation)
    await implementation.send_group(implementation.picture(new_png()))  # links tell the truth
    await told(implementation)
    data = await stage.known(implementation)
    before = traffic(implementation)
    url = LINKS["usual"](new_fileid(data))
    await written(implementation, by_hand(file=f"{'B8' * 16}.jpg", url=url))
    answer = await told(implementation)
    assert (answer.get("source"), answer.get("sha256")) == ("store", sha256(data)), answer
    assert traffic(implementation) == before


async def test_the_first_link_is_dead_and_the_second_is_fine(
    stage: Stage, implementation: SimulatedImplementation, cdn: SimulatedCdn
) -> None:
    """N5: both say the same MD5, in one message."""
    data = new_png()
    implementation.behaviour.missing |= {"get_image", "get_msg"}
    name, url = f"{plain(data)}.png", cdn.url(cdn.add(data))
    await written(
        implementation, by_hand(file=name, url=DEAD), by_hand(file=name, url=url), group_id=20007
    )
    answers = [await told(implementation) for _ in range(2)]
    assert answers[1].get("sha256") == sha256(data), answers


@pytest.mark.parametrize("names", ["MD5", "plain"])
async def test_the_implementation_mixes_up_two_pictures_of_a_message(
    stage: Stage, implementation: SimulatedImplementation, names: str
) -> None:
    """N6: no sizes, and `get_image` answers with the first for both."""
    first, second = new_png(), new_png()
    segments = [
        by_hand(
            file=f"{plain(data)}.png" if names == "MD5" else "image.png",
            url=implementation.flavour.signed_url(implementation.picture(data)),
        )
        for data in (first, second)
    ]
    encoded = base64.b64encode(first).decode()
    implementation.answers["get_image"] = lambda params: implementation.flavour.ok(
        {"file": "", "url": "", "base64": encoded}
    )
    await written(implementation, *segments)
    answers = [(await told(implementation)).get("sha256") for _ in range(2)]
    assert answers == [sha256(first), sha256(second)]


STRANGE: dict[str, Callable[[str], str]] = {
    "another host": lambda it: f"http://127.0.0.9:9/download?appid=1407&fileid={it}",
    "a user's name": lambda it: (
        f"http://multimedia.nt.qq.com.cn@127.0.0.9:9/download?appid=1407&fileid={it}"
    ),
    "the host in the path": lambda it: (
        f"http://127.0.0.9:9/multimedia.nt.qq.com.cn/download?appid=1407&fileid={it}"
    ),
    "a flash transfer": lambda it: f"{DEAD}?appid=14901&fileid={it}",
    "no appid": lambda it: f"{DEAD}?fileid={it}",
    "another appid than inside": lambda it: f"{DEAD}?appid=1406&fileid={it}",
    "another path": lambda it: f"http://127.0.0.1:9/upload?appid=1407&fileid={it}",
    "cut": lambda it: f"{DEAD}?appid=1407&fileid={it[:20]}",
}


@pytest.mark.parametrize("form", STRANGE)
async def test_a_link_that_is_none_of_a_picture_names_nothing(
    stage: Stage, implementation: SimulatedImplementation, form: str
) -> None:
    data = await stage.known(implementation)
    await written(implementation, by_hand(file="a.jpg", url=STRANGE[form](new_fileid(data))))
    assert "error" in await told(implementation)


@pytest.mark.parametrize("form", ["MD5", "SHA-1"])
async def test_a_size_that_a_name_contradicts(
    stage: Stage, implementation: SimulatedImplementation, form: str
) -> None:
    data = await stage.known(implementation)
    link = LINKS["usual"](new_fileid(data, size=len(data) + 1))
    said = (
        {"file": f"{plain(data)}.png", "url": DEAD, "file_size": str(len(data) + 1)}
        if form == "MD5"
        else {"file": "a.jpg", "url": link}
    )
    await written(implementation, by_hand(**said))
    assert "error" in await told(implementation)
