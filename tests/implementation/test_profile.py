"""What is learned of an implementation."""

import json
import time

import pytest

from nonebot_plugin_qqimage.implementation.profile import ConnectionHistory, Profile, inlined_size


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


@pytest.mark.parametrize(
    ("name", "version", "inlines", "can_skip_download"),
    [
        ("LLOneBot", (8, 1, 7), False, True),
        ("LLOneBot", (7, 6, 0), False, True),
        ("LLOneBot", (7, 5, 9), False, False),
        ("LLOneBot", (3, 29, 1), False, False),
        ("LLOneBot", (3, 29, 0), None, False),
        ("LLOneBot", (3, 24, 2), None, False),
        ("LLOneBot", (), None, False),
        ("NapCat.Onebot", (4, 18, 19), None, False),
        ("Lagrange.OneBot", (0, 0, 3), False, False),
        ("go-cqhttp", (1, 2, 0), False, False),
        ("unknown", (), None, False),
    ],
)
def test_what_follows_from_its_name(
    name: str, version: tuple[int, ...], inlines: bool | None, can_skip_download: bool
) -> None:
    profile = Profile()
    assert profile.inlines is None
    profile.identify(name, version)
    assert profile.inlines is inlines
    assert profile.can_skip_download is can_skip_download


def test_what_it_does_counts_more_than_its_name() -> None:
    profile = Profile()
    profile.inlines = True
    profile.identify("LLOneBot", (8, 1, 7))
    assert profile.inlines


def test_files_that_cannot_be_read_twice_are_not_ours() -> None:
    profile = Profile()
    profile.file_not_readable("/x.png")
    assert not profile.files_unreadable
    profile.file_not_readable("/x.png")
    assert profile.files_unreadable
    profile.file_read()
    assert not profile.files_unreadable


def test_an_unresponsive_implementation_is_trusted_again_after_a_while(clock: Clock) -> None:
    profile = Profile()
    profile.timed_out()
    assert not profile.unresponsive
    profile.timed_out()
    assert profile.unresponsive
    clock.now += 59
    assert profile.unresponsive
    clock.now += 2
    assert not profile.unresponsive
    profile.timed_out()  # the trial failed
    assert profile.unresponsive


def test_an_answer_ends_the_mistrust(clock: Clock) -> None:
    profile = Profile()
    profile.timed_out()
    profile.timed_out()
    profile.answered()
    assert not profile.unresponsive
    profile.timed_out()
    assert not profile.unresponsive


@pytest.mark.parametrize("size", [1, 2, 3, 1000, 750_000, 10_000_000])
def test_an_inlined_picture_needs_a_third_more(size: int) -> None:
    assert size * 4 / 3 < inlined_size(size) <= size * 4 / 3 + 4096


def test_what_broke_a_connection_is_remembered() -> None:
    history = ConnectionHistory()
    history.add_break("small.png", 1000)
    history.add_break("unknown.png", None)
    assert list(history.broke_on) == ["small.png", "unknown.png"]
    assert history.frame_limit is None
    history.add_break("large.png", 3_000_000)
    assert history.frame_limit == inlined_size(3_000_000) - 1
    history.add_break("smaller.png", 1_000_000)
    history.add_break("larger.png", 9_000_000)
    assert history.frame_limit == inlined_size(1_000_000) - 1


def test_what_is_remembered_is_bounded() -> None:
    history = ConnectionHistory()
    for number in range(5000):
        history.add_break(f"{number}.png", None)
    assert len(history.broke_on) <= 1024
    assert "4999.png" in history.broke_on


def test_what_broke_a_connection_outlives_the_bot_without_its_name() -> None:
    before, after = ConnectionHistory(), ConnectionHistory()
    before.add_break("large.png", 3_000_000, "forward 1048576")
    before.add_inlining("NapCat.Onebot", True)
    note = json.loads(json.dumps(before.note()))
    assert "large.png" not in str(note)
    after.recall(note)
    assert after.suspects("large.png", "forward 1048576")
    assert not after.suspects("other.png", "forward 1048576")
    assert not after.suspects("large.png", "reverse 16777216")  # which may well carry it
    assert after.frame_limit == before.frame_limit
    assert after.inlines == {"NapCat.Onebot": True}
    assert after.dropped == 1
    again = ConnectionHistory()
    again.recall(json.loads(json.dumps(after.note())))
    assert again.suspects("large.png", "forward 1048576")


def test_nothing_follows_for_another_kind_of_connection() -> None:
    history = ConnectionHistory()
    history.add_break("large.png", 3_000_000, "forward 1048576")
    history.add_break("other.png", None, "reverse 16777216")
    assert history.frame_limit is None
    assert not history.suspects("large.png", "reverse 16777216")


def test_unreadable_files_are_tried_again_after_a_while(clock: Clock) -> None:
    profile = Profile()
    for _ in range(2):
        profile.file_not_readable("/x.png")
    clock.now += 179
    assert profile.files_unreadable
    clock.now += 2
    assert not profile.files_unreadable
    profile.file_not_readable("/x.png")  # the trial failed
    assert profile.files_unreadable
    profile.file_appeared()
    assert not profile.files_unreadable


def test_forwarded_pictures_are_waited_for_where_they_are_found(clock: Clock) -> None:
    profile = Profile()
    assert profile.forwarded_timeout(15) == 2
    profile.forwarded_unknown()
    assert profile.forwarded_timeout(15) == 0
    assert not profile.unresponsive
    clock.now += 601
    assert profile.forwarded_timeout(15) == 2
    profile.finds_forwarded = True
    assert profile.forwarded_timeout(15) == 15
    downloading = Profile()
    downloading.identify("LLOneBot", (8, 1, 7))
    assert downloading.forwarded_timeout(15) == 15
