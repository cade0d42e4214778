"""The journal: what waits, and how much of it at most."""

import pytest
from nonebot_plugin_qqimage.store.local.journal import Journal

from nonebot_plugin_qqimage.store.local import journal as module


def values(journal: Journal) -> list[object]:
    """What it holds, by the last value of each write; the journal is empty then."""
    return [write[1][-1] for write in journal.take()]


def test_everything_is_taken_once() -> None:
    journal = Journal()
    journal.add("INSERT", 1)
    journal.add("INSERT", 2)
    journal.use("ab", 5.0)
    journal.use("ab", 6.0)
    for _ in range(3):
        journal.count("failed", "timeout")
    assert [write[1] for write in journal.take()] == [
        (6.0, "ab", 6.0),
        ("failed", "timeout", 3),
        (1,),
        (2,),
    ]
    assert journal.take() == []


def test_what_could_not_be_written_comes_first_the_next_time() -> None:
    journal = Journal()
    journal.add("INSERT", 1)
    taken = journal.take()
    journal.add("INSERT", 2)
    journal.restore(taken)
    assert values(journal) == [1, 2]


def test_the_oldest_go_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_WRITES", 10)
    journal = Journal()
    for number in range(25):
        journal.add("INSERT", number)
        journal.use(str(number), 1.0)
    taken = journal.take()
    assert [write[1][-1] for write in taken if write[0] == "INSERT"] == list(range(15, 25))
    assert len(taken) == 20
    journal.add("INSERT", 25)
    journal.restore(taken)
    assert values(journal) == list(range(16, 26))  # and no use: a sighting is worth more


def test_a_witness_is_heard_before_anybody_else() -> None:
    journal = Journal()
    seen: list[int] = []

    def witness() -> None:
        said, seen[:] = seen[:], []
        for number in said:
            journal.add("INSERT", number)

    journal.ask_first(witness)
    seen += range(100)
    journal.add("UPDATE", 100)
    seen.append(101)
    assert values(journal) == list(range(102))


def test_the_oldest_go_when_they_are_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_TEXT", 100)
    journal = Journal()
    for number in range(8):
        journal.add("INSERT", "x" * 30, number)
    assert values(journal) == [5, 6, 7]
    journal.add("INSERT", "x" * 30, 8)
    assert values(journal) == [8]


def test_half_an_emoji_is_made_storable() -> None:
    journal = Journal()
    journal.add("INSERT", "a\ud83d", "图", 1)
    assert [write[1] for write in journal.take()] == [("a?", "图", 1)]
