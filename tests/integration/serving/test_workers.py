"""Workers: several processes on one port, and a parent that replaces them, reloads them, stops with them."""

import asyncio
import signal
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from tests.integration.serving.processes import Event, Guests, Serving, Start, Talker
from tests.patience import DEADLINE_S
from vagus.server.leash import Post
from vagus.server.listening import CannotListenError, listeners_of
from vagus.server.workers import Crew
from vagus.settings import Server

pytestmark = pytest.mark.timeout(60)

APPLICATION = """
import os
from vagus import Hub

hub = Hub(allow_anonymous=True)

@hub.call("pid", allow=("anyone",))
def pid(caller):
    return os.getpid()

@hub.call("nodes", allow=("anyone",))
def nodes(caller):
    return hub.broker.condition.nodes
"""


@pytest.fixture
async def crew(start_node: Start, folder: Path) -> Serving:
    """Two workers that are ready."""
    (folder / "crew_app.py").write_text(APPLICATION)
    arguments = ("--workers", "2", "--app", "crew_app:hub")
    return await asyncio.to_thread(start_node, *arguments, VAGUS_SERVER__DRAIN_S="0.5")


def children(pid: int) -> list[int]:
    """The workers of a parent."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def worker_of(event: Event) -> int:
    return int(event["worker"])


async def pid_of(client: Talker) -> int:
    """The worker that a client is with."""
    return int((await client.ask("rpc", {"method": "pid"}))["data"])


async def test_clients_spread_over_the_workers_and_hear_each_other(crew: Serving, guests: Guests) -> None:
    clients = [await guests.come(crew.url) for _ in range(60)]
    workers = [await pid_of(client) for client in clients]
    assert set(workers) == set(children(crew.pid))
    assert min(Counter(workers).values()) > 10, workers
    first = clients[0]
    other = next(client for client, worker in zip(clients, workers, strict=True) if worker != workers[0])
    await first.ask("subscribe", {"channel": "news"})
    await other.ask("publish", {"channel": "news", "data": "hello"})
    assert (await first.push())["pub"]["data"] == "hello"


async def test_there_is_one_banner_and_every_line_of_a_worker_carries_its_number(crew: Serving, folder: Path) -> None:
    assert sorted(map(worker_of, crew.events("worker_started"))) == [1, 2]
    assert [event["workers"] for event in await crew.heard("server_started")] == [2]
    assert (folder / "vagus-data" / "address").read_text().strip() == crew.url
    crew.signal()
    assert await crew.ended() == 0
    crew.wait_for_all()
    assert sorted(map(worker_of, crew.events("server_stopped"))) == [1, 2]
    assert not (folder / "vagus-data" / "address").exists()
    assert not crew.told()


async def test_a_worker_that_is_killed_is_replaced_while_the_other_one_serves(crew: Serving, guests: Guests) -> None:
    clients = [await guests.come(crew.url) for _ in range(20)]
    workers = [await pid_of(client) for client in clients]
    victim, other = children(crew.pid)
    crew.signal(signal.SIGKILL, victim)
    (died,) = await crew.heard("worker_died")
    await crew.heard("worker_started", 3)
    assert died["code"] == -signal.SIGKILL
    now = children(crew.pid)
    assert (len(now), other in now, victim in now) == (2, True, False)
    assert {await pid_of(await guests.come(crew.url)) for _ in range(30)} == set(now)
    survivors = [client for client, worker in zip(clients, workers, strict=True) if worker == other]
    assert {await pid_of(client) for client in survivors} == {other}


async def test_all_reload(crew: Serving, guests: Guests, folder: Path) -> None:
    text = (folder / "vagus.toml").read_text()
    await asyncio.to_thread((folder / "vagus.toml").write_text, text.replace("news", "later"))
    crew.signal(signal.SIGHUP)
    reloaded = await crew.heard("reloaded", 2)
    assert sorted(map(worker_of, reloaded)) == [1, 2]


async def test_a_rolling_restart_turns_nobody_away(crew: Serving, guests: Guests) -> None:
    client = await guests.come(crew.url)
    before = children(crew.pid)
    arriving = asyncio.create_task(keep_coming(guests, crew))
    crew.signal(signal.SIGUSR2)
    await crew.heard("restart_done")
    assert await client.closed() == 3001
    assert set(children(crew.pid)).isdisjoint(before)
    assert await arriving > 5
    assert not crew.events("worker_died")


async def keep_coming(guests: Guests, crew: Serving) -> int:
    """Connect again and again until the restart is done. How often."""
    count = 0
    while not crew.events("restart_done"):
        kept = await guests.keep(crew.port)
        await kept.close()
        count += 1
    return count


async def test_workers_stop_when_their_parent_is_gone(crew: Serving, guests: Guests) -> None:
    clients = [await guests.come(crew.url) for _ in range(4)]
    crew.signal(signal.SIGKILL)
    assert [await client.closed() for client in clients] == [3001] * 4
    await asyncio.to_thread(crew.wait_for_all)
    assert len(crew.events("server_stopped")) == 2


async def test_a_signal_to_all_processes_counts_once(crew: Serving, guests: Guests) -> None:
    """As systemd sends it."""
    client = await guests.come(crew.url)
    for pid in (*children(crew.pid), crew.pid):
        crew.signal(signal.SIGTERM, pid)
    assert await client.closed() == 3001
    assert await crew.ended() == 0
    crew.wait_for_all()
    assert len(crew.events("server_stopped")) == 2


async def test_a_second_signal_cuts_the_draining_of_all_short(start_node: Start, guests: Guests) -> None:
    await asyncio.to_thread(start_node)
    times = {"VAGUS_SERVER__DRAIN_S": "600", "VAGUS_SERVER__SHUTDOWN_S": "700"}
    crew = await asyncio.to_thread(start_node, "--workers", "2", **times)
    clients = [await guests.come(crew.url) for _ in range(20)]
    crew.signal()
    await crew.heard("server_stopping", 2)
    crew.signal()
    assert [await client.closed() for client in clients] == [3001] * 20
    assert await crew.ended() == 0


async def test_signals_to_a_worker_count_once(start_node: Start, guests: Guests, folder: Path) -> None:
    (folder / "crew_app.py").write_text(APPLICATION)
    await asyncio.to_thread(start_node)
    times = {"VAGUS_SERVER__DRAIN_S": "60", "VAGUS_SERVER__SHUTDOWN_S": "70"}
    crew = await asyncio.to_thread(start_node, "--workers", "2", "--app", "crew_app:hub", **times)
    clients = [await guests.come(crew.url) for _ in range(20)]
    pids = [await pid_of(client) for client in clients]
    async with asyncio.timeout(DEADLINE_S):
        while (await clients[0].ask("rpc", {"method": "nodes"}))["data"] < 3:  # with nobody else there is no draining
            pass
    for _ in range(2):
        crew.signal(signal.SIGTERM, pids[0])
        await crew.heard("server_stopping")
    await asyncio.to_thread(start_node)  # which takes longer than to stop would
    theirs = [client for client, pid in zip(clients, pids, strict=True) if pid == pids[0]]
    answers = await asyncio.gather(*map(pid_of, theirs), return_exceptions=True)
    assert answers.count(pids[0]) > len(theirs) / 2  # they leave one by one, within a minute
    crew.signal()
    await crew.heard("server_stopping", 2)
    crew.signal()
    assert await crew.ended() == 0


async def test_what_keeps_a_worker_from_starting_is_told_once(start_node: Start) -> None:
    crew = await asyncio.to_thread(start_node, "--workers", "3", "--app", "nowhere:hub")
    assert (crew.banner, await crew.ended()) == ("", 2)
    assert crew.told() == ["vagus: --app: server.app: there is no module nowhere\n"]


# the parent with workers of another kind


@contextmanager
def sockets() -> Iterator[list[socket.socket]]:
    listeners = listeners_of(Server(port=0), 2)
    yield listeners
    for listener in listeners:
        listener.close()


SHORT_LIVED = "import socket, sys; leash = socket.socket(fileno=int(sys.argv[1])); leash.send(b'ready\\n')"
"""A worker that says that it is ready, and dies."""

OBEDIENT = f"{SHORT_LIVED}; leash.recv(9)"
"""A worker that says that it is ready, and ends when it is told anything."""


async def quiet() -> None:
    """Nothing is said when all are ready."""


async def test_workers_that_die_again_and_again_make_the_parent_give_up() -> None:
    with sockets() as listeners:
        crew = Crew(Server(), listeners, lambda post: [sys.executable, "-c", SHORT_LIVED, str(post.leash)], quiet)
        assert await crew.run() == 1


async def test_the_socket_of_a_worker_that_keeps_dying_is_given_up_for_a_while() -> None:
    with sockets() as listeners:
        port = listeners[0].getsockname()[1]
        scripts = {1: OBEDIENT, 2: SHORT_LIVED}
        crew = Crew(
            Server(), listeners, lambda post: [sys.executable, "-c", scripts[post.number], str(post.leash)], quiet
        )
        running = asyncio.create_task(crew.run())
        counts: set[int] = set()
        async with asyncio.timeout(DEADLINE_S):
            while counts != {1, 2}:
                counts.add(await asyncio.to_thread(listening_on, port))
        crew.stop()
        assert await running == 0


def listening_on(port: int) -> int:
    """How many sockets listen on a port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in rows)


async def test_a_parent_whose_banner_fails_says_so() -> None:
    async def ready() -> None:
        raise OSError("the disk is full")

    with sockets() as listeners:
        crew = Crew(Server(), listeners, lambda post: [sys.executable, "-c", OBEDIENT, str(post.leash)], ready)
        with pytest.raises(OSError, match="the disk is full"):
            await crew.run()


def test_a_port_that_is_taken_is_not_shared_with_a_stranger() -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as taken:
        server = msgspec.structs.replace(Server(), port=taken.getsockname()[1])
        with pytest.raises(CannotListenError, match="Address already in use"):
            listeners_of(server, 2)


def test_a_post_is_told_in_words() -> None:
    post = Post(2, 3, listener=7, leash=9)
    assert Post.from_text(post.text) == post
    with pytest.raises(ValueError, match="is not a worker's post"):
        Post.from_text("1/2")
