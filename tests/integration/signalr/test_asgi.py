"""The same endpoint behind an ASGI server that makes the frames itself."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn

from vagus.gateway.asgi import asgi_app

from .caller import END, HELLO, Caller, Socket, record
from .furnished import furnished_hub


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    config = uvicorn.Config(asgi_app(furnished_hub()), port=0, ws="websockets-sansio", log_config=None, lifespan="on")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn sets a flag, and has no event
        await asyncio.sleep(0.01)
    caller = Caller(server.servers[0].sockets[0].getsockname()[1], "chat")
    yield caller
    await caller.close()
    server.should_exit = True
    await serving


async def resumed(caller: Caller, token: str) -> Socket:
    socket = await caller.socket(f"id={token}")
    assert (await socket.record())["type"] == 9
    return socket


async def test_a_websocket_is_served(caller: Caller) -> None:
    socket = await caller.greeted(f"id={await caller.token()}")
    assert (await socket.result("Echo", 1))["result"] == [1]


async def test_a_session_is_resumed(caller: Caller) -> None:
    token = await caller.token("negotiateVersion=1&useStatefulReconnect=true")
    socket = await caller.socket(f"id={token}")
    await socket.send('{"protocol":"json","version":2}' + END)
    await socket.record()
    assert (await socket.result("Echo", 1))["result"] == [1]
    socket.connection.transport.abort()
    socket = await resumed(caller, token)
    assert (await socket.record())["result"] == [1]
    await socket.say(type=9, sequenceId=1)
    await socket.say(type=1, invocationId="1", target="Echo", arguments=["seen before"])
    assert (await socket.result("Echo", 2, id="2"))["result"] == [2]


async def test_polling_is_served(caller: Caller) -> None:
    token = await caller.polled()
    await caller.request("POST", f"id={token}", content=record(type=1, invocationId="1", target="Echo", arguments=[]))
    assert '"result":[]' in (await caller.request("GET", f"id={token}")).text
    assert (await caller.request("DELETE", f"id={token}")).status_code == 202


async def test_a_stream_of_events_is_served(caller: Caller) -> None:
    token = await caller.token()
    headers = {"accept": "text/event-stream"}
    async with caller.http.stream("GET", f"http://{caller.address}?id={token}", headers=headers) as answer:
        pieces = answer.aiter_bytes()
        assert await anext(pieces) == b":\r\n\r\n"
        await caller.request("POST", f"id={token}", content=HELLO)
        assert await anext(pieces) == b"data: {}\x1e\r\n\r\n"
