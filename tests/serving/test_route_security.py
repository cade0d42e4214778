"""Nothing is served to who has no token of ours, however it is asked for."""

import base64
import os
import random
import re
import string
from collections.abc import Iterator

import pytest

from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.serving.answers import Answer, Request
from nonebot_plugin_qqimage.serving.tokens import Tokens

from .conftest import PNG, Client, World, picture, query_of

TOKENS = int(os.environ.get("QQIMAGE_TEST_TOKENS", "100000"))
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


async def test_wrong_tokens(client: Client, services: Services, world: World) -> None:
    tokens = [
        query_of(services, picture(name, message)).rpartition("=")[2]
        for name, message in (("png", 1), ("png2", 2), ("gone", 3))
    ]
    assert (await client.ask(f"qqimage={tokens[0]}")).body == PNG
    answers: list[Answer] = []

    async def write(answer: Answer) -> None:
        answers.append(answer)

    fetched = len(world.fetched)
    tried = 0
    for token in wrong_tokens(tokens, TOKENS):
        if re.split("[^-A-Za-z0-9_]", token)[0] in tokens:  # damage that changed nothing
            continue
        tried += 1
        await client.route.serve(Request("GET", f"appid=1407&qqimage={token}"), write)
        answer = answers.pop()
        assert answer.status == 404, token
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
    client: Client, services: Services, world: World, query: str | bytes
) -> None:
    token = query_of(services, picture()).rpartition("=")[2]
    asked = query.replace("{}", token) if isinstance(query, str) else query
    got = await client.ask(asked)
    assert (got.status, world.fetched) == (404, [])
    assert got.problem["message"] == "no such image"
    assert not got.body.count(b"secret")


async def test_a_long_query_is_not_looked_at(
    client: Client, services: Services, world: World
) -> None:
    query = query_of(services, picture())
    for padding in (16 * 1024, 1 << 20):
        got = await client.ask("a" * padding + "&" + query)
        assert (got.status, got.problem["error"], world.fetched) == (414, "QueryTooLong", [])
    assert (await client.ask("&" * 10_000 + query)).body == PNG


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
async def test_hostile_headers(client: Client, services: Services, headers: dict[str, str]) -> None:
    got = await client.ask(query_of(services, picture()), **headers)
    assert (got.status, got.body) == (200, PNG)


async def test_errors_tell_nothing_to_who_has_no_token(client: Client) -> None:
    bodies = {(await client.ask(query)).body for query in ("", "qqimage=1", "qqimage=" + "A" * 200)}
    assert len(bodies) == 1
