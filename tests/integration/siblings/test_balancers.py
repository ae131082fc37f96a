"""What docs/balancing.md says of nginx and HAProxy holds: sticky where it must be, spread where it may be."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.integration.native.serving import LoopThread, Server
from tests.integration.socketio.engine_client import EngineSocket, Poller
from vagus.asgi import Response, respond

from .balancers import HAPROXY, NGINX_BY_ADDRESS, NGINX_BY_COOKIE, Balancer, haproxy, nginx
from .conftest import OpenPeer, OpenSocket
from .house import Door, furnished_hub

Balanced = Callable[..., Awaitable[tuple[Any, list[Server]]]]

COOKIE_LINES: Final = "    balance leastconn\n    cookie vagus insert indirect nocache httponly\n"
BY_COOKIE: Final = (
    HAPROXY.replace("    balance source\n    hash-type consistent\n", COOKIE_LINES)
    .replace("inter 2s\n    server two", "inter 2s cookie one\n    server two")
    .rstrip()
    + " cookie two\n"
)
"""As the page says it in words; the other backend does not mind a cookie."""


async def healthy(scope: Any, receive: Any, send: Any) -> None:
    """In the place of the API, for a balancer that asks."""
    await respond(send, Response(200, b"{}"))


@pytest.fixture
async def balanced(
    server_thread: LoopThread, tmp_path: Path, installed_program: Callable[[str], Path]
) -> AsyncIterator[Balanced]:
    """Two nodes that know nothing of each other, behind a balancer: ``await balanced("nginx", NGINX_BY_ADDRESS)``."""
    async with AsyncExitStack() as stack:

        async def started(program: str, config: str) -> tuple[Balancer, list[Server]]:
            servers = [Server(server_thread, healthy) for _ in range(2)]
            for server in servers:
                await server.start(furnished_hub())
                stack.push_async_callback(server.stop)
            run = {"nginx": nginx, "haproxy": haproxy}[program]
            path = installed_program(program)
            balancer = await asyncio.to_thread(stack.enter_context, run(path, tmp_path, config, *servers))
            return balancer, servers

        yield started


ADDRESSES: Final = pytest.mark.parametrize(
    ("program", "config"), [("nginx", NGINX_BY_ADDRESS), ("haproxy", HAPROXY)], ids=["nginx", "haproxy"]
)
COOKIES: Final = pytest.mark.parametrize(
    ("program", "config"), [("nginx", NGINX_BY_COOKIE), ("haproxy", BY_COOKIE)], ids=["nginx", "haproxy"]
)


@ADDRESSES
async def test_clients_that_poll_come_to_one_node(
    balanced: Balanced, door: Door, open_socket: OpenSocket, open_peer: OpenPeer, program: str, config: str
) -> None:
    balancer, _ = await balanced(program, config)
    door.port = balancer.port
    for transport in ("polling", "upgrade", "websocket"):
        socket = await open_socket(transport)
        await socket.connected()
        assert await socket.ask("add", 1, 41) == 42
    for way in ("json-polling", "json-sse", "messagepack-websockets"):
        peer = await open_peer(way)
        assert await peer.whole(await peer.stream("count", 50)) == list(range(50))


@ADDRESSES
async def test_websockets_that_continue_nothing_are_spread(balanced: Balanced, program: str, config: str) -> None:
    balancer, servers = await balanced(program, config)
    sockets = [await EngineSocket.joined(balancer) for _ in range(10)]
    assert sorted(len(server.hub.clients) for server in servers) == [5, 5]
    for socket in sockets:
        await socket.close()


POLLING: Final = "socket.io/?EIO=4&transport=polling"


@pytest.mark.parametrize(
    ("config", "path"),
    [(NGINX_BY_ADDRESS, ""), (NGINX_BY_ADDRESS, POLLING), (NGINX_BY_COOKIE, POLLING)],
    ids=["any", "by address", "by cookie"],
)
async def test_a_node_that_is_back_is_asked_at_once_by_nginx(balanced: Balanced, config: str, path: str) -> None:
    balancer, nodes = await balanced("nginx", config)
    async with httpx.AsyncClient(base_url=balancer.site) as http:
        for node in (*nodes, nodes[0]):
            await node.stop()
            assert {(await http.get(path)).status_code for _ in range(8)} == {200}
            await node.start(furnished_hub())


@COOKIES
async def test_a_cookie_spreads_clients_of_one_address(balanced: Balanced, program: str, config: str) -> None:
    balancer, servers = await balanced(program, config)
    pollers = [Poller(balancer) for _ in range(24)]
    for poller in pollers:
        await poller.open()
        await poller.join()
    assert all(server.hub.clients for server in servers)
    for poller in pollers:
        await poller.__aexit__()
