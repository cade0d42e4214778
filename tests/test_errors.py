"""What errors say, and what they keep to themselves."""

import copy
import json
import pickle
import re
from collections.abc import Iterator
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonebot_plugin_qqimage import language
from nonebot_plugin_qqimage.errors import (
    Attempt,
    AttemptFailed,
    Cause,
    ImageExpired,
    ImageNotFound,
    ImageRejected,
    ImageUnavailable,
    QQImageError,
    StoreError,
    mask_keys,
    unavailable,
)
from nonebot_plugin_qqimage.language import Text, localized

KEY = "CAQSKAB6JWENi5LM_xp9vumLbuThJSaYf-yzMrbZsuq7Uz2qEc3Rbib9LP4"


def attempt(cause: Cause, detail: str = "why", source: str = "get_image") -> Attempt:
    return Attempt(source, cause, detail, 1.5)


@pytest.mark.parametrize(
    "text",
    [
        f"https://multimedia.nt.qq.com.cn/download?appid=1407&fileid=E&spec=0&rkey={KEY}",
        f"https://h/download?rkey={KEY}&appid=1407",
        f"https://h/download?RKEY={KEY}",
        f"https://h/?u=https%3A%2F%2Fq%2Fdownload%3Fappid%3D1407%26rkey%3D{KEY}",
        f"https://h/?u=https%253A%252F%252Fq%253Frkey%253D{KEY}",
        f"https://h/download?appid=1407&amp;rkey={KEY}",
        f"https://h/download?rkey={KEY} 下载失败, statusText: Bad Request",
        f'{{"rkey": "{KEY}"}}',
        f'{{"rkey":"&rkey={KEY}","ttl":3600}}',
        f'{{"private_rkey":"&rkey={KEY}"}}',
        f"{{'rkey': '{KEY}'}}",
        f'"{{\\"rkey\\": \\"{KEY}\\"}}"',
        f"<a href='https://h/?rkey={KEY}'>here</a>",
        f"ws://h/?access_token={KEY}",
        "x" * 290 + f" https://h/?rkey={KEY}",
        f"GET https://h/?rkey={KEY} " * 20,
        f"line\nrkey={KEY}\nline",
    ],
)
def test_keys_are_masked_wherever_they_stand(text: str) -> None:
    assert KEY[:10] not in mask_keys(text)
    assert KEY[:10] not in str(AttemptFailed(Cause.FAILED, text))
    assert KEY[:10] not in repr(AttemptFailed(Cause.FAILED, text))
    assert KEY[:10] not in str(ImageUnavailable(text, (attempt(Cause.FAILED, mask_keys(text)),)))


@pytest.mark.parametrize(
    "text",
    [
        "http://user:secret@proxy.example:8080/",
        "cannot reach socks5://user:secret@proxy.example:1080",
        "http://secret@proxy.example/",
        "http://user:se@secret@proxy.example/",
        "http://user:a:secret@proxy.example/",
        '"http://user:secret@proxy.example"',
    ],
)
def test_credentials_are_masked(text: str) -> None:
    masked = mask_keys(text)
    assert "secret" not in masked
    assert "proxy.example" in masked


@pytest.mark.parametrize(
    "text",
    [
        "HTTP 404: Not Found",
        "https://multimedia.nt.qq.com.cn/download?appid=1407&fileid=EhQ&spec=0",
        '{"retcode":-5503007,"retmsg":"download url has expired","retryflag":0}',
        '{"retcode":-5503010,"retmsg":"invalid rkey","retryflag":1}',
        "mail to a@b.example",
        "https://h/path?to=a@b.example",
        "图片 0123.png",
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert mask_keys(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("red \x1b[31m", "red \\x1b[31m"),
        ("a\x00b\x07", "a\\x00b\\x07"),
        ("gpj.\u202egnp", "gpj.\\u202egnp"),
        ("half \ud83d", "half \\ud83d"),
        ("图片 😀 é", "图片 😀 é"),
    ],
)
def test_what_cannot_be_printed_is_escaped(text: str, masked: str) -> None:
    assert mask_keys(text) == masked
    assert AttemptFailed(Cause.FAILED, text).detail == masked
    assert AttemptFailed(Cause.FAILED, Text("{x}!", x=text)).detail == masked + "!"


@given(text=st.text(st.characters()))
def test_masked_text_can_be_printed(text: str) -> None:
    assert mask_keys(text).isprintable()


@given(text=st.text(), where=st.integers(0, 400))
def test_masked_text_is_one_short_line(text: str, where: int) -> None:
    masked = mask_keys("y" * where + text + f" rkey={KEY} " + text)
    assert KEY[:8] not in masked
    assert len(masked.splitlines()) <= 1
    assert len(masked) < 400
    assert mask_keys(masked)[:300] == masked[:300]


@pytest.mark.parametrize(
    ("causes", "expected"),
    [
        ([], ImageUnavailable),
        ([Cause.EXPIRED], ImageExpired),
        ([Cause.TIMEOUT, Cause.EXPIRED], ImageExpired),
        ([Cause.NOT_FOUND, Cause.REJECTED, Cause.EXPIRED], ImageExpired),
        ([Cause.REJECTED], ImageRejected),
        ([Cause.UNREACHABLE, Cause.REJECTED], ImageRejected),
        ([Cause.TOO_LARGE], ImageRejected),
        ([Cause.NOT_FOUND, Cause.TOO_LARGE], ImageRejected),
        ([Cause.NOT_FOUND], ImageNotFound),
        ([Cause.UNSUPPORTED, Cause.NOT_FOUND], ImageNotFound),
        ([Cause.NOT_FOUND, Cause.TIMEOUT], ImageUnavailable),
        ([Cause.TIMEOUT], ImageUnavailable),
        ([Cause.UNREADABLE, Cause.UNREACHABLE], ImageUnavailable),
        ([Cause.FAILED], ImageUnavailable),
    ],
)
def test_the_most_telling_error_is_chosen(
    causes: list[Cause], expected: type[ImageUnavailable]
) -> None:
    error = unavailable("image a.png", tuple(map(attempt, causes)))
    assert type(error) is expected


def test_an_error_names_image_attempts_and_hint() -> None:
    attempts = (
        attempt(Cause.UNREADABLE, "/app/x.png: No such file", "file in the answer"),
        attempt(Cause.EXPIRED, "HTTP 400", "url of the segment"),
    )
    error = unavailable("image a.png of message 5 (bot 1)", attempts)
    text = str(error)
    assert error.attempts == attempts
    assert "image a.png of message 5 (bot 1)" in text
    for part in ("file in the answer", "No such file", "url of the segment", "HTTP 400", "1.50 s"):
        assert part in text
    assert "QQIMAGE__PATH_MAP" in error.hint
    assert error.hint in text


class Upper:
    """A language of its own, for what is read in another than English."""

    def gettext(self, template: str) -> str:
        fields = re.split(r"(\{.*?\})", template)
        return "".join(part if part.startswith("{") else part.upper() for part in fields)


@pytest.fixture
def another_language(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(language, "_chinese", Upper)
    language.use("zh")
    yield
    language.use("en")


@pytest.mark.usefixtures("another_language")
def test_people_read_errors_in_their_language_and_programs_in_english() -> None:
    detail = Text("{url} not read within {seconds:g} s", url=f"http://h/?rkey={KEY}", seconds=3.0)
    failure = AttemptFailed(Cause.TIMEOUT, detail)
    english = "http://h/?rkey=*** not read within 3 s"
    local = "http://h/?rkey=*** NOT READ WITHIN 3 S"
    assert (failure.detail, str(failure)) == (english, f"TIMED OUT: {local}")
    attempts = (
        Attempt(Text("url of the segment"), Cause.TIMEOUT, failure.detail, 1.5),
        Attempt("get_image", Cause.SKIPPED, "said so", 0),
    )
    error = unavailable("image a.png", attempts)
    assert str(error).startswith(
        f"image a.png: URL OF THE SEGMENT TIMED OUT AFTER 1.50 S ({local}); "
        "get_image SKIPPED AFTER 0.00 S (said so). HINT: QQ'S IMAGE HOST DOES NOT"
    )
    known = json.loads(json.dumps([asdict(attempt) for attempt in error.attempts]))
    assert [each["detail"] for each in known] == [english, "said so"]
    assert [each["cause"] for each in known] == ["timed out", "skipped"]
    assert "; or its answer would not fit" in json.loads(json.dumps(error.hint))
    assert "; OR ITS ANSWER WOULD NOT FIT" in localized(error.hint)
    for clone in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert str(clone) == str(error)


def test_every_cause_has_words() -> None:
    assert [cause.words for cause in Cause] == [cause.value for cause in Cause]


def test_where_nothing_helps_there_is_no_hint() -> None:
    error = unavailable("image a.png", (attempt(Cause.FAILED),))
    assert error.hint == ""
    assert "Hint" not in str(error)


def test_an_error_without_attempts_says_so() -> None:
    assert "names no way" in str(unavailable("image a.png", ()))
    assert "QQIMAGE__OWN_IMAGES" in unavailable("image a.png", ()).hint


@pytest.mark.parametrize(
    ("cause", "word"),
    [
        (Cause.UNREADABLE, "PATH_MAP"),
        (Cause.REFUSED, "TRUSTED_HOSTS"),
        (Cause.EXPIRED, "PREFETCH"),
        (Cause.TIMEOUT, "TIMEOUT"),
        (Cause.UNREACHABLE, "connection to the implementation"),
        (Cause.TOO_LARGE, "MAX_IMAGE_SIZE"),
        (Cause.REJECTED, "no image"),
        (Cause.NOT_FOUND, "again"),
    ],
)
def test_each_cause_that_has_a_cure_names_it(cause: Cause, word: str) -> None:
    assert word in unavailable("image a.png", (attempt(cause),)).hint


@pytest.mark.parametrize(
    ("tried", "says", "omits"),
    [
        # the image host is out of reach, and the implementation did not help
        ({"url of the segment": Cause.UNREACHABLE}, ["PROXY", "MIRRORS"], ["PATH_MAP"]),
        (
            {"url of the segment": Cause.UNREACHABLE, "get_image": Cause.TIMEOUT},
            ["PROXY"],
            ["GET_IMAGE_TIMEOUT"],
        ),
        ({"url of the segment": Cause.TIMEOUT}, ["PROXY", "DOWNLOAD_TIMEOUT"], ["GET_IMAGE"]),
        # two things are wrong, and to cure either is enough
        (
            {"file in the answer": Cause.UNREADABLE, "url in the answer": Cause.UNREACHABLE},
            ["PROXY", "PATH_MAP"],
            [],
        ),
        (
            {"get_image": Cause.SKIPPED, "url of the segment": Cause.EXPIRED},
            ["sent again", "FRAME_LIMIT"],
            ["get_rkey"],
        ),
        # the link is dead, with or without a way to fresh keys
        (
            {"url of the segment": Cause.EXPIRED, "url with a fresh key": Cause.UNSUPPORTED},
            ["sent again", "get_rkey"],
            ["PATH_MAP"],
        ),
        (
            {"url of the segment": Cause.EXPIRED, "url with a fresh key": Cause.EXPIRED},
            ["sent again"],
            ["get_rkey"],
        ),
        # nothing else matters
        (
            {"file in the answer": Cause.TOO_LARGE, "url of the segment": Cause.UNREACHABLE},
            ["MAX_IMAGE_SIZE"],
            ["PROXY"],
        ),
    ],
)
def test_the_hint_names_every_cure_that_helps(
    tried: dict[str, Cause], says: list[str], omits: list[str]
) -> None:
    attempts = tuple(attempt(cause, source=source) for source, cause in tried.items())
    hint = unavailable("image a.png", attempts).hint
    assert all(word in hint for word in says), hint
    assert not any(word in hint for word in omits), hint


@pytest.mark.parametrize("text", ["image a\nFAKE LOG LINE", "image " + "x" * 5000])
def test_a_hostile_name_cannot_fill_or_forge_the_log(text: str) -> None:
    error = unavailable(text, ())
    assert "\n" not in str(error)
    assert len(str(error)) < 550


@pytest.mark.parametrize("kind", [ImageUnavailable, ImageExpired, ImageNotFound, ImageRejected])
def test_a_copy_for_another_waiter(kind: type[ImageUnavailable]) -> None:
    error = kind("image a.png", (attempt(Cause.FAILED),))
    try:
        raise error
    except ImageUnavailable:
        again = error.again()
    assert again is not error
    assert type(again) is kind
    assert str(again) == str(error)
    assert again.__traceback__ is None


@pytest.mark.parametrize(
    "error",
    [AttemptFailed(Cause.FAILED, "why"), ImageExpired("image", (attempt(Cause.EXPIRED),))],
)
def test_errors_can_be_copied_and_pickled(error: QQImageError) -> None:
    for clone in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (type(clone), str(clone)) == (type(error), str(error))


def test_one_family() -> None:
    for kind in (AttemptFailed, ImageUnavailable, StoreError):
        assert issubclass(kind, QQImageError)
    for kind in (ImageExpired, ImageNotFound, ImageRejected):
        assert issubclass(kind, ImageUnavailable)
