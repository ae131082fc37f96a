"""Draining: a node that is told to stop sends its clients to the others, and answers until they have gone."""

import asyncio
import contextlib
import json
import signal
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests.integration.serving.processes import Event, Guests, Start, Talker

pytestmark = pytest.mark.timeout(60)

HANDSHAKE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)

APPLICATION = """
import asyncio
from vagus import Hub

hub = Hub(allow_anonymous=True)
others_left = asyncio.Event()

@hub.on_disconnect
async def gone(caller, closure):
    others_left.set()

@hub.call("wait", allow=("anyone",))
async def wait(caller):
    await others_left.wait()
    return "done"
"""


async def test_clients_leave_one_after_the_other_and_find_the_other_node(start_node: Start, guests: Guests) -> None:
    staying = await asyncio.to_thread(start_node)
    leaving = await asyncio.to_thread(start_node, VAGUS_SERVER__DRAIN_S="3")
    clients = [await guests.come(leaving.url) for _ in range(20)]
    gone: list[tuple[int, int]] = []

    async def follow(client: Talker) -> None:
        code = await client.closed()
        gone.append((code, sum(other.socket.close_code is None for other in clients)))
        await guests.come(staying.url)

    following = [asyncio.create_task(follow(client)) for client in clients]
    leaving.signal()
    assert await leaving.ended() == 0
    await asyncio.gather(*following)
    assert {code for code, _ in gone} == {3001}
    assert len({left for _, left in gone}) > 5, "all left in one go"
    assert leaving.events("drain_progress")
    assert [event["clients"] for event in leaving.events("server_stopping")] == [20]


async def test_who_connected_before_it_stopped_listening_is_still_answered(start: Start, guests: Guests) -> None:
    serving = await asyncio.to_thread(start)
    reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
    client = await guests.come(serving.url)  # which it took later than the one that says nothing yet
    serving.signal()
    assert await client.closed() == 3001
    await asyncio.sleep(0.3)  # as on a slow way; it waits for two seconds
    with contextlib.closing(writer):
        writer.write(b"GET /health?live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    assert await serving.ended() == 0


async def test_who_connected_and_never_asks_does_not_keep_it_from_stopping(start: Start, guests: Guests) -> None:
    serving = await asyncio.to_thread(start)
    _, writer = await asyncio.open_connection("127.0.0.1", serving.port)
    await guests.come(serving.url)
    serving.signal()
    with contextlib.closing(writer):
        assert await serving.ended() == 0


async def test_while_it_drains_nobody_new_comes_in_and_connections_are_given_back(
    start_node: Start, guests: Guests, folder: Path
) -> None:
    await asyncio.to_thread(start_node)
    leaving = await asyncio.to_thread(start_node, VAGUS_SERVER__DRAIN_S="600", VAGUS_SERVER__SHUTDOWN_S="700")
    clients = [await guests.come(leaving.url) for _ in range(3)]
    health, live, publishing, newcomer = [await guests.keep(leaving.port) for _ in range(4)]
    leaving.signal()
    await leaving.heard("server_stopping")
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.1", leaving.port)
    status, headers, body = await health.ask("GET /health")
    assert (status, headers["connection"], body) == (503, "close", b'{"status":"draining"}')
    assert await health.is_given_back()
    status, headers, _ = await live.ask("GET /health?live")
    assert (status, headers["connection"]) == (200, "close")
    key = (folder / "vagus-data" / "api_key").read_text().strip()
    status, headers, body = await publishing.ask(
        "POST /api/publish", f"X-API-Key: {key}\r\n", '{"channel": "news", "data": 1}'
    )
    assert (status, headers["connection"], b'"offset":' in body) == (200, "close", True)
    status, headers, _ = await newcomer.ask("GET /connection/websocket", HANDSHAKE)
    assert (status, headers["retry-after"], headers["connection"]) == (503, "1", "close")
    assert "ping" not in await clients[0].ask("publish", {"channel": "news", "data": 2}), "who is in is served"
    leaving.signal()  # the second one cuts it short
    assert [await client.closed() for client in clients] == [3001] * 3
    assert await leaving.ended() == 0
    await asyncio.to_thread(leaving.wait_for_all)
    assert not [line for line in leaving.lines if '"level": "error"' in line]


async def test_who_has_a_call_under_way_gets_its_answer_before_it_must_go(
    start_node: Start, guests: Guests, folder: Path
) -> None:
    (folder / "waiting_app.py").write_text(APPLICATION)
    await asyncio.to_thread(start_node)
    leaving = await asyncio.to_thread(start_node, "--app", "waiting_app:hub", VAGUS_SERVER__DRAIN_S="4")
    busy, idle = await guests.come(leaving.url), await guests.come(leaving.url)
    number = await busy.send("rpc", {"method": "wait"})
    leaving.signal()
    assert await idle.closed() == 3001
    assert (await busy.reply(number))["data"] == "done"
    assert await busy.closed() == 3001
    assert await leaving.ended() == 0


async def test_a_session_that_polls_must_go_and_is_not_taken_again(start_node: Start, guests: Guests) -> None:
    await asyncio.to_thread(start_node)
    leaving = await asyncio.to_thread(start_node, VAGUS_SERVER__DRAIN_S="3")
    first, polling, posting = [await guests.keep(leaving.port) for _ in range(3)]
    path = "/socket.io/?EIO=4&transport=polling"
    _, _, opened = await first.ask(f"GET {path}")
    sid = json.loads(opened[1:])["sid"]
    assert (await posting.ask(f"POST {path}&sid={sid}", body="40"))[0] == 200
    assert (await polling.ask(f"GET {path}&sid={sid}"))[2].startswith(b"40")
    held = asyncio.create_task(polling.ask(f"GET {path}&sid={sid}"))
    leaving.signal()
    await leaving.heard("server_stopping")
    status, headers, _ = await first.ask(f"GET {path}")
    assert (status, headers["retry-after"], headers["connection"]) == (503, "1", "close")
    assert (await held)[0] == 400, "there is no such session any more, which makes every library come back"
    assert await leaving.ended() == 0


async def test_the_only_node_sends_everybody_away_at_once(start_node: Start, guests: Guests) -> None:
    node = await asyncio.to_thread(start_node, VAGUS_SERVER__DRAIN_S="600", VAGUS_SERVER__SHUTDOWN_S="700")
    clients = [await guests.come(node.url) for _ in range(5)]
    node.signal(signal.SIGINT)
    assert [await client.closed() for client in clients] == [3001] * 5
    assert await node.ended() == 0


async def test_without_redis_it_does_not_start_and_says_so_in_one_line(start: Start) -> None:
    serving = await asyncio.to_thread(start, VAGUS_BROKER__URL="redis://someone:hunter2@127.0.0.1:1")
    assert (serving.banner, await serving.ended()) == ("", 1)
    serving.wait_for_all()
    assert serving.told() == ["vagus: Redis at 127.0.0.1:1 cannot be reached: Connection refused\n"]
    assert not any("hunter2" in line for line in serving.lines)


class Follower:
    """Follows the channel, wherever it is, and comes back to the node of the moment with where it stood."""

    def __init__(self, guests: Guests, url: str) -> None:
        self.url = url
        self.offsets: list[int] = []
        self.moves = 0
        self._guests = guests
        self._epoch = ""

    async def follow(self, until: int) -> None:
        """Until a publication has come. Raises ``AssertionError`` if something could not be recovered."""
        while self.offsets[-1:] != [until]:
            talker = await self._guests.come(self.url)
            wanted = {"channel": "news", "positioned": True, "recoverable": True}
            since = {"recover": True, "epoch": self._epoch, "offset": len(self.offsets)} if self._epoch else {}
            subscribed = await talker.ask("subscribe", {**wanted, **since})
            assert subscribed.get("recovered", not since), subscribed
            self._epoch = subscribed["epoch"]
            self._note(*subscribed.get("publications", ()))
            with contextlib.suppress(ConnectionClosed):
                while self.offsets[-1:] != [until]:
                    self._note((await talker.push())["pub"])
            if talker.socket.close_code is not None:
                assert talker.socket.close_code == 3001
                self.moves += 1

    def _note(self, *publications: Event) -> None:
        self.offsets += [publication["offset"] for publication in publications]


async def test_what_is_published_while_nodes_are_replaced_reaches_a_client_that_recovers(
    start_node: Start, guests: Guests
) -> None:
    """Each node makes way for a new one while publications go on over one that stays."""
    staying = await asyncio.to_thread(start_node)
    node = await asyncio.to_thread(start_node, VAGUS_SERVER__DRAIN_S="1")
    publisher, follower = await guests.come(staying.url), Follower(guests, node.url)
    following = asyncio.create_task(follower.follow(601))
    published = 0
    for _ in range(2):
        successor = await asyncio.to_thread(start_node, VAGUS_SERVER__DRAIN_S="1")
        follower.url = successor.url
        node.signal()
        for _ in range(300):
            await publisher.ask("publish", {"channel": "news", "data": published})
            published += 1
        assert await node.ended() == 0
        node = successor
    await publisher.ask("publish", {"channel": "news", "data": "the last one"})
    await following
    assert follower.offsets == list(range(1, 602))
    assert follower.moves == 2
