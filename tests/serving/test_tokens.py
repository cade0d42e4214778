"""Tokens: they carry what finds an image again, and nobody else can write one."""

import base64
import os
import string
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonebot_plugin_qqimage.errors import StoreError
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.serving.tokens import MAX_TOKEN, Tokens

TOKENS = Tokens(b"s" * 32)
URL = "https://multimedia.nt.qq.com.cn/download?appid=1407&fileid=EhQ_-x%2B&spec=0"
FULL = ImageReference(
    self_id="10001",
    message_id="-12345",
    position=3,
    file="0123456789ABCDEF0123456789ABCDEF.png",
    url=URL,
    size=123,
    face_id="face",
    sha256="0" * 64,
    sticker=True,
    file_id="/id",
    group_id=42,
    forwarded=True,
    own=True,
)


SAID = replace(FULL, message_id="", position=0)


def test_what_the_segment_said_comes_back() -> None:
    assert TOKENS.open(TOKENS.seal(FULL)) == SAID
    for changed in (
        *({flag: False} for flag in ("sticker", "forwarded", "own")),
        {"named_md5": "0123456789abcdef0123456789abcdef", "size": None},
    ):
        assert TOKENS.open(TOKENS.seal(replace(FULL, **changed))) == replace(SAID, **changed)


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(text, text.filter(bool), text, text, text, st.booleans())
def test_any_reference_comes_back(
    self_id: str, message: str, file: str, url: str, file_id: str, own: bool
) -> None:
    reference = ImageReference(
        self_id, message, 0, file, "https://x/" + url.replace("#", ""), file_id=file_id, own=own
    )
    without_key = TOKENS.open(TOKENS.seal(reference))
    assert without_key is not None
    assert replace(without_key, url=reference.url) == replace(reference, message_id="")


NAMELESS = ImageReference("10001", "7", 2, "image.png", chat="group:20001", one_of_several=True)


@given(text, text.filter(bool), st.integers(0, 99), text, text, st.booleans())
def test_where_nothing_names_the_image_its_place_comes_back(
    self_id: str, message: str, position: int, chat: str, inside: str, several: bool
) -> None:
    fields = {"chat": chat, "inside": inside, "one_of_several": several}
    reference = ImageReference(self_id, message, position, "image.png", **fields)
    opened = TOKENS.open(TOKENS.seal(reference))
    assert opened is not None
    assert vars(replace(opened)) == vars(replace(reference))


def test_nobody_reads_the_place_in_a_token() -> None:
    token = TOKENS.seal(NAMELESS)
    assert b"20001" not in base64.urlsafe_b64decode(token[1:-22] + "==")


MD5 = "0123456789ABCDEF0123456789ABCDEF"


@pytest.mark.parametrize(
    "said",
    [
        {"url": URL},
        {"file": f"{MD5}.png"},
        {"named_md5": MD5.lower()},
        {"face_id": "abcdef"},
        {"sha256": "0" * 64},
        {"file_id": "/id"},
        {"file": "photo.jpg", "url": "https://gchat.qpic.cn/gchatpic_new/1/2-3-9/0"},
    ],
    ids=str,
)
def test_equal_segments_have_equal_tokens_whatever_the_key(said: dict[str, str]) -> None:
    first = ImageReference("10001", "1", 0, chat="group:20001", **said)
    later = replace(first, message_id="2", position=3, chat="private:5", one_of_several=True)
    keyed = replace(later, url=later.url and f"{later.url}&rkey=CAQS")
    assert TOKENS.seal(first) == TOKENS.seal(later)
    assert not later.url or "?" not in later.url or TOKENS.seal(keyed) == TOKENS.seal(first)
    for other in ({"self_id": "2"}, {"forwarded": True}, {"own": True}, {"size": 5}):
        assert TOKENS.seal(replace(first, **other)) != TOKENS.seal(first)


def test_what_nothing_names_is_told_apart_by_its_place() -> None:
    for other in ({"message_id": "8"}, {"position": 3}, {"chat": "group:20002"}):
        assert TOKENS.seal(replace(NAMELESS, **other)) != TOKENS.seal(NAMELESS)


def test_it_fits_into_a_url_as_it_is() -> None:
    assert set(TOKENS.seal(FULL)) <= set(string.ascii_letters + string.digits + "-_")


def test_the_image_itself_is_left_out() -> None:
    reference = ImageReference(self_id="1", message_id="2", content="base64://" + "A" * 10**6)
    token = TOKENS.seal(reference)
    assert len(token) < 200
    assert TOKENS.open(token) == replace(reference, content="")


def test_a_long_url_is_left_out_first() -> None:
    for url in ("https://x/" + "a" * 5000, "https://x/" + "\N{CJK UNIFIED IDEOGRAPH-4E00}" * 2000):
        reference = ImageReference("1", "2", file="x" * 1000, url=url)
        token = TOKENS.seal(reference)
        assert len(token) <= MAX_TOKEN
        assert TOKENS.open(token) == replace(reference, url="")
        assert TOKENS.open(TOKENS.seal(replace(reference, content="base64://A"))) is not None


@pytest.mark.parametrize(
    "reference",
    [
        ImageReference(content="base64://AAAA"),
        ImageReference(file="a.png", url="https://x/" + "a" * 5000),
        ImageReference(self_id="1", message_id="2" * 10_000),
    ],
)
def test_what_cannot_be_told_from_others_gets_none(reference: ImageReference) -> None:
    with pytest.raises(ValueError, match="no name"):
        TOKENS.seal(reference)


def test_another_installation_has_other_tokens() -> None:
    assert Tokens(b"t" * 32).open(TOKENS.seal(FULL)) is None


def test_no_changed_token_opens() -> None:
    token = TOKENS.seal(FULL)
    for at in range(len(token)):
        for character in ("A" if token[at] != "A" else "B", "=", "é", "\0", ""):
            assert TOKENS.open(token[:at] + character + token[at + 1 :]) is None
    for other in (
        "",
        "1",
        token + "A",
        token + "=",
        token + "\n",
        token[:-1],
        token * 30,
        "é" * 90,
    ):
        assert TOKENS.open(other) is None


def test_the_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    token = Tokens.load(folder).seal(FULL)
    assert Tokens.load(folder).open(token) == SAID
    assert [file.name for file in folder.iterdir()] == ["secret"]
    assert (folder / "secret").stat().st_size == 32
    if os.name == "posix":
        assert (folder / "secret").stat().st_mode & 0o777 == 0o600


def test_a_damaged_secret_is_told_of_and_kept(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"short")
    with pytest.raises(StoreError, match=r"secret is damaged: 5 bytes"):
        Tokens.load(tmp_path)
    assert (tmp_path / "secret").read_bytes() == b"short"


def test_a_secret_that_cannot_be_kept_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot use"):
        Tokens.load(tmp_path / "file")


def test_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    token = Tokens.load(tmp_path).seal(FULL)
    assert Tokens.load(tmp_path).open(token) == SAID
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]


RACE = """
import sys
from pathlib import Path
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.serving.tokens import Tokens

print("ready", flush=True)
input()
for folder in sorted(Path(sys.argv[1]).iterdir()):
    print(Tokens.load(folder).seal(ImageReference("1", "2")))
"""


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    for folder in range(100):
        (tmp_path / f"{folder:03}").mkdir()
    command = [sys.executable, "-c", RACE, str(tmp_path)]
    pipe = subprocess.PIPE
    racers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
    results = [racer.communicate(timeout=60)[0].split() for racer in racers]
    assert len(results[0]) == len(set(results[0])) == 100
    assert results[0] == results[1]
