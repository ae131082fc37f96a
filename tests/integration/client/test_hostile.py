"""Servers that send what is not the protocol: the client says so and stops, and nothing of it is believed.

The server is a WebSocket of the test's own, which says what it is told to.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.integration.client.conftest import OpenClient
from tests.integration.client.following import status, take
from tests.patience import DEADLINE_S
from vagus.client import Client, ProtocolError
from vagus.client.client import MAX_BYTES

Say = Callable[..., Awaitable[str]]
WELCOME = {"id": 1, "connect": {"client": "c", "version": "0", "ping": 25, "pong": True}}
STANDS = {"id": 2, "subscribe": {"recoverable": True, "epoch": "e"}}


@pytest.fixture
async def saying() -> AsyncIterator[Say]:
    """Start a server that says one frame for each that it hears; its address."""
    async with AsyncExitStack() as stack:

        async def started(*frames: str | bytes | dict[str, Any]) -> str:
            async def talk(connection: ServerConnection) -> None:
                try:
                    for frame in frames:
                        await connection.recv()
                        await connection.send(json.dumps(frame) if isinstance(frame, dict) else frame)
                    await connection.wait_closed()
                except ConnectionClosed:
                    pass

            server = await stack.enter_async_context(
                serve(talk, "127.0.0.1", 0, max_size=None, compression=None, ping_interval=None)
            )
            port = next(iter(server.sockets)).getsockname()[1]
            return f"ws://127.0.0.1:{port}"

        yield started


@pytest.mark.parametrize(
    "frame",
    [
        "hello",
        "{",
        '{"id":1,"connect":[]}',
        '{"id":-1,"connect":{"client":"c"}} trailing',
        '{"id":1,"connect":{"client":7}}',
        '{"id":1}',
        '{"id":1,"rpc":{}}',
        '{"id":9,"connect":{"client":"c"}}',
        b"\x00\xff\xfe",
        "[" * 100_000,
    ],
    ids=range(10),
)
async def test_what_is_not_the_protocol_is_the_end(saying: Say, open_client: OpenClient, frame: str | bytes) -> None:
    client = await open_client(await saying(frame))
    with pytest.raises(ProtocolError, match="server"):
        await client.ready()
    assert client.status.state == "error"


@pytest.mark.parametrize(
    "frame",
    [
        '{"push":{"channel":"a","pub":{"data":1,"offset":"one"}}}',
        '{"push":{"channel":"a","pub":{"data":{]}}}',
        '{"push":{"channel":"a","unsubscribe":{}}}',
        '{"id":77,"rpc":{"data":1}}',
        "\x00",
    ],
    ids=range(5),
)
async def test_nonsense_in_mid_flow_ends_iterations(saying: Say, open_client: OpenClient, frame: str) -> None:
    client = await open_client(await saying(WELCOME, STANDS, frame))
    async with client.subscribe("a") as followed:
        await client.send("next")
        with pytest.raises(ProtocolError):
            await take(followed, 1)


async def test_a_frame_that_is_too_large_is_refused(saying: Say, open_client: OpenClient) -> None:
    huge = '{"push":{"channel":"a","pub":{"data":"%s"}}}' % ("x" * MAX_BYTES)
    client = await open_client(await saying(WELCOME, STANDS, huge))
    async with client.subscribe("a") as followed:
        await client.send("next")
        with pytest.raises(ProtocolError, match="larger"):
            await take(followed, 1)


async def test_strangers_channels_old_offsets_and_unknown_fields_are_passed_over(
    saying: Say, open_client: OpenClient
) -> None:
    lines = [
        {"push": {"channel": "b", "pub": {"data": 0, "offset": 1}}},
        {"push": {"channel": "a", "pub": {"data": 1, "offset": 1, "wonder": [1]}}},
        {"push": {"channel": "a", "pub": {"data": "again", "offset": 1}}},
        {"push": {"channel": "b", "unsubscribe": {"code": 2000, "reason": "x"}}},
        {"push": {"channel": "a", "join": {"info": {"user": "u", "client": "c"}}}},
        {"news": {}, "push": {"channel": "a", "pub": {"data": 2, "offset": 2}}},
    ]
    client = await open_client(await saying(WELCOME, STANDS, "\n".join(json.dumps(line) for line in lines) + "\n"))
    async with client.subscribe("a") as followed:
        await client.send("next")
        assert [message.data for message in await take(followed, 2)] == [1, 2]


async def test_json_in_binary_frames_is_read(saying: Say, open_client: OpenClient) -> None:
    client = await open_client(await saying(json.dumps(WELCOME).encode(), json.dumps(STANDS).encode()))
    async with client.subscribe("a"):
        assert client.status.client == "c"


async def test_a_difference_to_something_else_is_subscribed_anew(saying: Say, open_client: OpenClient) -> None:
    stands = {"id": 2, "subscribe": {"recoverable": True, "epoch": "e", "delta": True}}
    stray = {"push": {"channel": "a", "pub": {"data": "5\n5@0,0;", "delta": True, "offset": 1}}}
    client = await open_client(await saying(WELCOME, stands, stray))
    async with client.subscribe("a", delta=True):
        told = client.watch()
        before = await anext(told)
        await client.send("next")
        lost = await anext(told)
        assert (before.state, lost.state) == ("connected", "connecting")
        assert "difference" in lost.reason
        await status(client, "connected")


async def test_a_server_that_never_welcomes_is_given_up(
    saying: Say, open_client: OpenClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vagus.client.lifeline.OPEN_S", 0.05)
    client = await open_client(await saying())
    async for now in client.watch():
        if now.attempt:
            break
    assert "has not answered within 0.05 s" in now.reason


@pytest.mark.parametrize("url", ["live.example.com", "ftp://a", "http://", "http://u:p@a", "http://a/#b", ""])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Client(url)


async def test_a_server_that_answers_publications_with_nonsense_fails_those(
    saying: Say, open_client: OpenClient
) -> None:
    client = await open_client(await saying(WELCOME, {"id": 2, "rpc": {"data": {"results": 7}}}))
    with pytest.raises(Exception, match=r"vagus.publish"):
        await asyncio.wait_for(client.publish("a", 1), DEADLINE_S)
