"""Nothing is served to who has no token of ours, however it is asked for."""

import base64
import os
import random
import re
import string
from collections.abc import Iterator

import pytest

from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.serving.tokens import Tokens

from .conftest import PNG, Remote, World, picture, query_of

TOKENS = int(os.environ.get("QQIMAGE_TEST_TOKENS", "10000"))
"""How many wrong ones; a hundred thousand take about a minute."""
ALPHABET = string.ascii_letters + string.digits + "-_"


def wrong_tokens(right: list[str], count: int) -> Iterator[str]:
    """Random ones, and right ones that were damaged, cut, mixed, or written by somebody else."""
    chance = random.Random(5)
    forger = Tokens(b"not the secret of this bot......")
    payload = [base64.urlsafe_b64decode(token[1:-22] + "===") for token in right]
    for number in range(count):
        token, other = chance.sample(right, 2)
        at, to = sorted(chance.sample(range(len(token)), 2))
        kind = number % 8
        if kind == 0:
            size = chance.choice([0, 1, 21, 22, 23, 64, len(token), 6000, 6144])
            yield "".join(chance.choices(ALPHABET, k=size))
        elif kind == 1:
            yield token[:at] + chance.choice(ALPHABET + "=+/%.\0é ") + token[at + 1 :]
        elif kind == 2:
            yield token[:at] + token[to:]
        elif kind == 3:
            yield token[:-22] + other[-22:]
        elif kind == 4:
            yield token + "".join(chance.choices(ALPHABET + "=", k=chance.randint(1, 9)))
        elif kind == 5:
            yield forger.seal(picture(message=number))
        elif kind == 6:
            changed = bytearray(chance.choice(payload))
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
            text = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
            yield f"{token[0]}{text}{token[-22:]}"
        else:
            yield "".join(chance.choices([chr(code) for code in range(1, 256)], k=at + 1))


async def test_wrong_tokens(remote: Remote, services: Services, world: World) -> None:
    tokens = [
        query_of(services, picture(name, message)).rpartition("=")[2]
        for name, message in (("png", 1), ("png2", 2), ("gone", 3))
    ]
    assert (await remote.ask(f"qqimage={tokens[0]}")).body == PNG
    fetched = len(world.fetched)
    tried = 0
    for token in wrong_tokens(tokens, TOKENS):
        if re.split("[^-A-Za-z0-9_]", token)[0] in tokens:  # damage that changed nothing
            continue
        tried += 1
        # latin-1 as it is, but for what ends the request line; the server may refuse the rest
        sent = re.sub(r"[\s\x00#]", "%20", token).encode("utf-8")
        got = await remote.ask(b"appid=1407&qqimage=" + sent)
        assert got.status in (400, 404), token
        assert got.status == 404 or not token.isascii() or not token.isprintable(), token
    assert tried > 0.97 * TOKENS
    assert len(world.fetched) == fetched


@pytest.mark.parametrize(
    "query",
    [
        "",
        "qqimage",
        "qqimage=",
        "qqimage=..%2f..%2fsecret",
        "qqimage=/etc/passwd",
        "qqimage=../secret",
        "file=../secret",
        "QQIMAGE={}",
        "qqimage[]={}",
        "xqqimage={}",
        "qqimage={}&qqimage=",
        "qqimage=%00{}",
        "a=b;qqimage={}",
        b"qqimage=\xff\xfe",
    ],
)
async def test_other_queries(
    remote: Remote, services: Services, world: World, query: str | bytes
) -> None:
    token = query_of(services, picture()).rpartition("=")[2]
    asked = query.replace("{}", token) if isinstance(query, str) else query
    got = await remote.ask(asked)
    assert (got.status, world.fetched) in ((404, []), (400, []))
    assert got.status == 400 or got.problem["message"] == "no such image"
    assert not got.body.count(b"secret")


async def test_a_long_query_is_not_looked_at(
    remote: Remote, services: Services, world: World
) -> None:
    query = query_of(services, picture())
    got = await remote.ask("a" * 16 * 1024 + "&" + query)
    assert (got.status, got.problem["error"], world.fetched) == (414, "QueryTooLong", [])
    got = await remote.ask("a" * (1 << 20) + "&" + query)
    assert got.status in (400, 0)
    assert not world.fetched
    assert (await remote.ask("&" * 10_000 + query)).body == PNG


@pytest.mark.parametrize(
    "headers",
    [
        {"range": "bytes=" + "0-1," * 20_000},
        {"range": "bytes=-" + "9" * 100_000},
        {"range": "\xff" * 1000},
        {"if_none_match": '"' * 100_000},
        {"if_none_match": "W/" * 50_000},
        {"if_none_match": ["\xff"] * 1000},
        {"if_range": "x" * 100_000, "range": "bytes=0-1"},
    ],
)
async def test_hostile_headers(remote: Remote, services: Services, headers: dict[str, str]) -> None:
    got = await remote.ask(query_of(services, picture()), **headers)
    assert got.status in (400, 0) or (got.status, got.body) == (200, PNG)
    assert (await remote.ask(query_of(services, picture()))).body == PNG


async def test_errors_tell_nothing_to_who_has_no_token(remote: Remote) -> None:
    bodies = {(await remote.ask(query)).body for query in ("", "qqimage=1", "qqimage=" + "A" * 200)}
    assert len(bodies) == 1
