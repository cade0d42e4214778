import asyncio
import ssl

import aiohttp
import pytest
import trustme

from nonebot_plugin_qqimage.simulator.image_host.cdn import InsideFetchFailed, SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault, Reply
from nonebot_plugin_qqimage.simulator.pictures import ANIMATION, PHOTO, STICKER, noise_png

EXPIRED = -5503007
INVALID = -5503010


async def _get(session: aiohttp.ClientSession, url: str) -> tuple[int, bytes]:
    async with session.get(url) as response:
        return response.status, await response.read()


async def _retcode(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(url) as response:
        assert response.status == 400
        return (await response.json())["retcode"]


@pytest.mark.parametrize("form", ["nt", "old", "face", "file"])
async def test_every_form_of_url_leads_to_the_picture(
    cdn: SimulatedCdn, session: aiohttp.ClientSession, form: str
) -> None:
    picture = cdn.add(PHOTO, form=form)
    cdn.add(ANIMATION, form=form)
    assert await _get(session, cdn.url(picture)) == (200, PHOTO)
    assert [request.outcome for request in cdn.requests] == ["ok"]


async def test_a_picture_of_today_is_not_under_its_old_url(
    cdn: SimulatedCdn, session: aiohttp.ClientSession
) -> None:
    picture = cdn.add(PHOTO)
    url = f"{cdn.base_url}/gchatpic_new/0/0-0-{picture.md5.upper()}/0"
    assert await _get(session, url) == (404, b"")


async def test_keys_are_for_one_kind_of_chat(
    cdn: SimulatedCdn, session: aiohttp.ClientSession
) -> None:
    private = cdn.add(PHOTO, kind="private")
    assert "appid=1406" in cdn.url(private)
    group_key = cdn.keys.current("group").value
    assert await _retcode(session, cdn.url(private, key=group_key)) == INVALID
    # Nor does it help to claim that the picture is of the other kind.
    url = cdn.url(private, key=group_key).replace("appid=1406", "appid=1407")
    assert await _retcode(session, url) == INVALID


async def test_expired_keys_have_lived_their_life(
    cdn: SimulatedCdn, session: aiohttp.ClientSession
) -> None:
    picture = cdn.add(PHOTO)
    before = cdn.url(picture)
    announced_end = cdn.keys.current("group").expires_at
    cdn.expire_keys()
    assert cdn.keys.now() >= announced_end
    assert await _retcode(session, before) == EXPIRED
    assert await _get(session, cdn.url(picture)) == (200, PHOTO)


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (Fault.EXPIRED, 400, b'{"retcode":-5503007,'),
        (Fault.INVALID_KEY, 400, b'{"retcode":-5503010,'),
        (Fault.NOT_FOUND, 404, b""),
        (Fault.HTML, 200, b"<html>"),
        (Fault.EMPTY, 200, b""),
        (Fault.CUT, 200, PHOTO[: len(PHOTO) // 2]),
        (Reply(302, headers={"Location": "/elsewhere"}), 404, b""),
        (Reply(503, b"busy", "text/plain"), 503, b"busy"),
    ],
)
async def test_answers_that_are_no_picture(
    cdn: SimulatedCdn,
    session: aiohttp.ClientSession,
    fault: Fault | Reply,
    status: int,
    body: bytes,
) -> None:
    picture, other = cdn.add(PHOTO), cdn.add(ANIMATION)
    cdn.faults.set(fault, fileid=picture.fileid)
    got_status, got_body = await _get(session, cdn.url(picture))
    assert got_status == status
    assert got_body == body or (body and got_body.startswith(body) and got_body != PHOTO)
    assert await _get(session, cdn.url(other)) == (200, ANIMATION)
    cdn.faults.clear()
    assert await _get(session, cdn.url(picture)) == (200, PHOTO)


async def test_redirects_lead_on(cdn: SimulatedCdn, session: aiohttp.ClientSession) -> None:
    moved, other = cdn.add(PHOTO), cdn.add(ANIMATION)
    location = cdn.url(other).removeprefix(cdn.base_url)
    cdn.faults.set(Reply(302, headers={"location": location}), fileid=moved.fileid)
    async with session.get(cdn.url(moved), allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, location)
    assert await _get(session, cdn.url(moved)) == (200, ANIMATION)
    assert (await cdn.fetch_inside(cdn.url(moved), patience=5)).body == ANIMATION
    outcomes = [request.outcome for request in cdn.requests if request.inside]
    assert outcomes == ["302", "ok"]
    cdn.faults.set(Reply(302, headers={"location": cdn.url(moved)}), fileid=moved.fileid)
    with pytest.raises(InsideFetchFailed):
        await cdn.fetch_inside(cdn.url(moved), patience=5)
    with pytest.raises(aiohttp.TooManyRedirects):
        await _get(session, cdn.url(moved))


async def test_a_reset_connection_says_nothing(cdn: SimulatedCdn) -> None:
    cdn.faults.set(Fault.RESET)
    port = int(cdn.base_url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    path = cdn.url(cdn.add(PHOTO)).removeprefix(cdn.base_url)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


async def test_dripping_bytes_are_the_right_ones(
    cdn: SimulatedCdn, session: aiohttp.ClientSession
) -> None:
    cdn.faults.set(Fault.DRIP)
    cdn.faults.drip_bytes, cdn.faults.drip_seconds = len(PHOTO) // 4, 0.01
    started = asyncio.get_running_loop().time()
    assert await _get(session, cdn.url(cdn.add(PHOTO))) == (200, PHOTO)
    assert asyncio.get_running_loop().time() - started >= 0.04


async def test_a_fault_may_end_by_itself(cdn: SimulatedCdn, session: aiohttp.ClientSession) -> None:
    picture = cdn.add(PHOTO)
    cdn.faults.set(Fault.NOT_FOUND, fileid=picture.fileid, times=2)
    statuses = [(await _get(session, cdn.url(picture)))[0] for _ in range(3)]
    assert statuses == [404, 404, 200]


async def test_a_picture_has_its_own_fault_before_that_of_all(
    cdn: SimulatedCdn, session: aiohttp.ClientSession
) -> None:
    picture, other = cdn.add(PHOTO), cdn.add(ANIMATION)
    cdn.faults.set(Fault.HTML)
    cdn.faults.set(Fault.NOT_FOUND, fileid=picture.fileid)
    assert (await _get(session, cdn.url(picture)))[0] == 404
    assert (await _get(session, cdn.url(other)))[1].startswith(b"<html>")
    cdn.faults.clear_picture(picture.fileid)
    assert (await _get(session, cdn.url(picture)))[1].startswith(b"<html>")


async def test_one_link_alone_may_be_dead(
    cdn: SimulatedCdn, session: aiohttp.ClientSession
) -> None:
    picture = cdn.add(PHOTO)
    link, other = cdn.url(picture), cdn.url(picture, spec=False)
    cdn.faults.set(Fault.NOT_FOUND, link=link, times=1)
    assert (await _get(session, other))[0] == 200
    assert (await cdn.fetch_inside(link, patience=5)).status == 404
    assert (await _get(session, link))[0] == 200


async def test_a_delay_delays(cdn: SimulatedCdn, session: aiohttp.ClientSession) -> None:
    picture = cdn.add(PHOTO)
    cdn.faults.delays[picture.fileid] = 0.05
    started = asyncio.get_running_loop().time()
    assert await _get(session, cdn.url(picture)) == (200, PHOTO)
    assert asyncio.get_running_loop().time() - started >= 0.05


async def test_abroad_nothing_comes_but_the_implementation_gets_everything(
    cdn: SimulatedCdn, session: aiohttp.ClientSession
) -> None:
    picture = cdn.add(PHOTO)
    cdn.faults.abroad = "reset"
    with pytest.raises(aiohttp.ClientError):
        await _get(session, cdn.url(picture))
    cdn.faults.abroad = "hang"
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(_get(session, cdn.url(picture)), 0.05)
    reply = await cdn.fetch_inside(cdn.url(picture), patience=5)
    assert (reply.status, reply.body) == (200, PHOTO)
    assert cdn.fetches(picture, inside=True) == 1
    # At least, for aiohttp tries again of its own accord when a connection is reset.
    assert cdn.fetches(picture, inside=False) >= 2


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.TRUNCATED, Fault.HANG])
async def test_the_implementation_meets_faults_too(cdn: SimulatedCdn, fault: Fault) -> None:
    picture = cdn.add(PHOTO)
    cdn.faults.set(fault)
    with pytest.raises(InsideFetchFailed) as caught:
        await cdn.fetch_inside(cdn.url(picture), patience=0.01)
    assert caught.value.fault is fault


async def test_real_hosts_and_their_mirrors(session: aiohttp.ClientSession) -> None:
    async with SimulatedCdn(real_hosts=True) as cdn:
        url = cdn.url(cdn.add(PHOTO))
        assert url.startswith("https://multimedia.nt.qq.com.cn/download?appid=1407&fileid=Eh")
        face = cdn.url(cdn.add(STICKER, form="face", fileid="0123"))
        assert face == "https://gxh.vip.qq.com/club/item/parcel/item/01/0123/raw300.gif"
        mirror = cdn.mirrors["multimedia.nt.qq.com.cn"]
        reached = url.replace("https://multimedia.nt.qq.com.cn", mirror)
        assert await _get(session, reached) == (200, PHOTO)


async def test_https(session: aiohttp.ClientSession) -> None:
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    async with SimulatedCdn(ssl_context=server, public_name="localhost") as cdn:
        # Up to Python 3.10 a TLS connection that is kept open cannot be closed without a warning.
        request = session.get(cdn.url(cdn.add(PHOTO)), ssl=client, headers={"Connection": "close"})
        async with request as response:
            assert await response.read() == PHOTO


async def test_a_large_picture(cdn: SimulatedCdn, session: aiohttp.ClientSession) -> None:
    data = noise_png(5_000_000)
    assert await _get(session, cdn.url(cdn.add(data))) == (200, data)


def test_a_fileid_is_taken_once() -> None:
    cdn = SimulatedCdn()
    cdn.add(PHOTO, fileid="EhT")
    with pytest.raises(ValueError, match="taken"):
        cdn.add(ANIMATION, fileid="EhT")
