"""What implementations answer, in all the shapes there are."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonebot_plugin_qqimage.implementation.answers import image_answer, keys, version_info
from nonebot_plugin_qqimage.messages.contents import forward_nodes, message_content

SOON = int(time.time()) + 1000
NOW = int(time.time())

SHAPES = {
    "LuckyLilliaBot": {
        "private_key": "&rkey=PRIV",
        "group_key": "&rkey=GRP",
        "expired_time": SOON,
        "updated_time": "2026-11-22 07:33:24",
    },
    "NapCat get_rkey": [
        {"type": "private", "rkey": "&rkey=PRIV", "created_at": NOW, "ttl": 1000},
        {"type": "group", "rkey": "&rkey=GRP", "created_at": NOW, "ttl": 1000},
    ],
    "NapCat get_rkey_server": {
        "private_rkey": "&rkey=PRIV",
        "group_rkey": "&rkey=GRP",
        "expired_time": SOON,
        "name": "NapCat 4",
    },
    "NapCat nc_get_rkey": [
        {"rkey": "&rkey=PRIV", "time": NOW, "type": 10, "ttl": 1000},
        {"rkey": "&rkey=GRP", "time": NOW, "type": 20, "ttl": 1000},
    ],
    "SnowLuma": [
        {"rkey": "?rkey=PRIV", "type": 10, "ttl": 1000, "create_time": NOW},
        {"rkey": "GRP", "type": 20, "ttl": 1000, "create_time": NOW},
        {"rkey": "&rkey=OTHER", "type": 2, "ttl": 1000, "create_time": NOW},
    ],
    "Lagrange": {
        "rkeys": [
            {"type": "private", "rkey": "PRIV", "created_at": NOW, "ttl": 1000},
            {"type": "group", "rkey": "GRP", "created_at": NOW, "ttl": 1000},
        ]
    },
    "numbers as text": [
        {"type": "private", "rkey": "&rkey=PRIV", "created_at": str(NOW), "ttl": "1000"},
        {"type": "group", "rkey": " &rkey=GRP\n", "created_at": str(NOW), "ttl": "1000"},
    ],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_keys_in_every_shape(shape: str) -> None:
    found = keys(SHAPES[shape])
    assert {kind: key.value for kind, key in found.items()} == {"private": "PRIV", "group": "GRP"}
    assert all(NOW + 900 < key.expires < NOW + 1100 for key in found.values())


@pytest.mark.parametrize(
    ("data", "values"),
    [
        ({"group_key": "&rkey=GRP"}, {"group": "GRP"}),
        (
            [{"type": "group", "rkey": "&rkey=GRP"}, {"type": "sealed", "rkey": "x"}],
            {"group": "GRP"},
        ),
        ([{"type": "group", "rkey": ""}, {"type": "private", "rkey": "&rkey="}], {}),
        ({"private_key": "", "private_rkey": "&rkey=PRIV"}, {"private": "PRIV"}),
        ({"private_key": None, "group_key": 5}, {}),
        ([None, 5, "x", [], {}, {"type": []}, {"type": {}, "rkey": "x"}], {}),
        ({"rkeys": {"type": "group", "rkey": "x"}}, {}),
        (None, {}),
        ("&rkey=GRP", {}),
    ],
)
def test_keys_that_are_missing_or_odd(data: object, values: dict[str, str]) -> None:
    assert {kind: key.value for kind, key in keys(data).items()} == values


@pytest.mark.parametrize(
    "end",
    [
        *(None, 0, -1, 1, 10**30, "soon", True, [], float("nan"), float("inf")),
        pytest.param(NOW - 10, id="a moment ago"),  # the same in every worker of the tests
        pytest.param(NOW + 10**6, id="far away"),
    ],
)
def test_a_key_is_believed_in_for_an_hour_at_most(end: object) -> None:
    key = keys({"group_key": "&rkey=GRP", "expired_time": end})["group"]
    assert time.time() < key.expires <= time.time() + 3600


@pytest.mark.parametrize(
    ("data", "base64", "file", "url"),
    [
        ({"file": "/a", "url": "http://h/x"}, "", "/a", "http://h/x"),
        ({"file": "http://h/x"}, "", "", "http://h/x"),
        ({"file": "http://h/x", "url": "http://h/y"}, "", "", "http://h/y"),
        ({"file": "/a", "url": "/a"}, "", "/a", ""),
        ({"file": "", "url": "", "base64": "AAAA"}, "AAAA", "", ""),
        ({"file": None, "url": 5, "base64": []}, "", "", ""),
        ({"url": "ftp://h/x"}, "", "", ""),
        ([], "", "", ""),
        (None, "", "", ""),
    ],
)
def test_images_and_files(data: object, base64: str, file: str, url: str) -> None:
    answer = image_answer(data)
    assert (answer.base64, answer.file, answer.url) == (base64, file, url)


SEGMENTS = [{"type": "text", "data": {"text": "hi"}}]


@pytest.mark.parametrize(
    ("data", "content"),
    [
        pytest.param({"message": SEGMENTS, "message_id": 1}, SEGMENTS, id="get_msg and NapCat"),
        pytest.param({"content": SEGMENTS, "sender": {}}, SEGMENTS, id="LuckyLilliaBot"),
        pytest.param({"type": "node", "data": {"content": SEGMENTS}}, SEGMENTS, id="the standard"),
        pytest.param({"type": "node", "data": {"message": SEGMENTS}}, SEGMENTS, id="as a node"),
        pytest.param({"message": "[CQ:face,id=1]"}, "[CQ:face,id=1]", id="CQ codes"),
        pytest.param({"message": None, "content": SEGMENTS}, SEGMENTS, id="one of them empty"),
        pytest.param({"message": 5, "data": {"content": SEGMENTS}}, SEGMENTS, id="one of them odd"),
        pytest.param({"message": {}}, [], id="an object"),
        pytest.param({}, [], id="nothing"),
        pytest.param(None, [], id="null"),
        pytest.param(SEGMENTS, [], id="a list"),
    ],
)
def test_messages(data: object, content: object) -> None:
    assert message_content(data) == content


@pytest.mark.parametrize(
    "data",
    [
        {"messages": SEGMENTS},
        {"message": SEGMENTS},
        SEGMENTS,
        {"messages": [], "message": SEGMENTS},
    ],
)
def test_forwarded_records(data: object) -> None:
    assert forward_nodes(data) == SEGMENTS


@pytest.mark.parametrize("data", [None, 5, "x", {}, [], {"messages": "x"}, {"message": {"a": 1}}])
def test_no_forwarded_record(data: object) -> None:
    assert forward_nodes(data) == []


@pytest.mark.parametrize(
    ("data", "name", "version"),
    [
        ({"app_name": "NapCat.Onebot", "app_version": "4.18.19"}, "NapCat.Onebot", (4, 18, 19)),
        ({"app_name": "LLOneBot", "app_version": "v8.1.7-beta.3"}, "LLOneBot", (8, 1, 7)),
        ({"app_name": "x", "app_version": "v1"}, "x", (1,)),
        ({"app_name": "x", "app_version": "Dev"}, "x", ()),
        ({"app_name": "x" * 1000, "app_version": "9" * 5000}, "x" * 64, (10**9 - 1,) * 3),
        ({"app_name": "", "app_version": 4}, "unknown", ()),
        ({"app_name": None}, "unknown", ()),
        ([], "unknown", ()),
        (None, "unknown", ()),
    ],
)
def test_what_a_implementation_is(data: object, name: str, version: tuple[int, ...]) -> None:
    assert version_info(data) == (name, version)


FIELDS = (
    "type rkey rkeys ttl time created_at expired_time group_key private_rkey file url base64 "
    "message messages content data app_name app_version"
).split()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(FIELDS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(data=VALUES)
def test_no_answer_is_too_odd(data: Any) -> None:
    for key in keys(data).values():
        assert key.value
        assert key.expires > time.time()
    answer = image_answer(data)
    assert all(isinstance(field, str) for field in (answer.base64, answer.file, answer.url))
    assert isinstance(message_content(data), str | list)
    assert isinstance(forward_nodes(data), list)
    name, version = version_info(data)
    assert name
    assert len(version) <= 3
