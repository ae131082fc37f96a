"""``vagus serve --workers 3`` before unmodified clients whose connections come to any of the workers."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.integration.redis.servers import RedisServer
from tests.integration.serving.processes import Serving
from tests.integration.socketio.sockets import Socket
from tests.patience import DEADLINE_S

from .conftest import OpenNative, OpenPeer, OpenSocket
from .house import Door

APPLICATION: Final = """
from tests.integration.siblings.house import furnished_hub

hub = furnished_hub()
"""
MANY: Final = 20

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def crew(tmp_path: Path, redis_server: RedisServer, door: Door, pytestconfig: pytest.Config) -> Iterator[Serving]:
    """Workers at one port, at which clients look for the door."""
    (tmp_path / "crew_app.py").write_text(APPLICATION)
    crew = Serving(
        tmp_path,
        *("--workers", "3", "--app", "crew_app:hub"),
        VAGUS_BROKER__URL=redis_server.url,
        VAGUS_BROKER__PREFIX=f"crew-{tmp_path.name}"[:60],
        VAGUS_SERVER__DRAIN_S="0.5",
        PYTHONPATH=str(pytestconfig.rootpath),
    )
    door.port = crew.port
    yield crew
    crew.end()


async def test_every_client_finds_its_worker_and_all_hear_each_other(
    crew: Serving, open_socket: OpenSocket, open_peer: OpenPeer, open_native: OpenNative
) -> None:
    sockets = [await open_socket(transport) for transport in ("polling", "upgrade", "websocket") * 2]
    peers = [await open_peer(f"json-{transport}") for transport in ("polling", "sse", "websockets") * 2]
    native = await open_native(["/connection/websocket"])
    await native.subscribe("news")
    for socket in sockets:
        await socket.connected()
        assert await socket.ask("add", 1, 41) == 42
        await socket.ask("subscribe", "news")
    for peer in peers:
        await peer.on("publication")
        assert await peer.run("burst", target="echo", size=MANY) == list(range(MANY))
        await peer.invoke("subscribe", "news")
    for number in range(MANY):
        await native.publish("news", number)
    for socket in sockets:
        assert [(await socket.event("publication"))[0]["data"] for _ in range(MANY)] == list(range(MANY))
    for peer in peers:
        assert [(await peer.called("publication"))[0]["data"] for _ in range(MANY)] == list(range(MANY))
    assert await native.data("news", MANY) == list(range(MANY))


async def test_clients_that_poll_come_back_when_the_workers_are_replaced(
    crew: Serving, open_socket: OpenSocket, tmp_path: Path
) -> None:
    sockets = [await open_socket("polling") for _ in range(6)]
    for socket in sockets:
        await socket.connected()
    before = _names(tmp_path)
    crew.signal(signal.SIGUSR2)
    await crew.heard("restart_done")
    for socket in sockets:
        await socket.expect("connect")
        await until_answered(socket)
    after = await asyncio.to_thread(_names, tmp_path)
    assert (len(before), len(after), before & after) == (3, 3, set())


async def until_answered(socket: Socket) -> None:
    """A worker that was about to go may have been asked, and the library asks nobody else."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(3):
                    assert await socket.ask("add", 1, 41) == 42
                    return


def _names(folder: Path) -> set[str]:
    """Where the workers find each other."""
    return {path.name for path in (folder / "vagus-data" / "nodes").glob("*.sock")}
