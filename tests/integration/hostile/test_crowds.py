"""Very many connections that want nothing: they cost little, not for long, and nobody else notices."""

import resource
from collections.abc import Callable, Iterator

import pytest

from tests.integration.hostile.house import (
    ANYTHING_GOES,
    END,
    HANDSHAKE,
    Bystander,
    House,
    Peer,
    client_frame,
    commands,
    text,
)
from vagus import Hub, Limits

Build = Callable[..., House]

WANTED = 10_000
SPARE_FILES = 1_000


@pytest.fixture
def crowd_size() -> Iterator[int]:
    """How many connections this process may hold both ends of, at most 10,000."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * WANTED + SPARE_FILES
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, max(hard, needed)))
    except (ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    size = min(WANTED, (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_FILES) // 2)
    yield size
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


BEGINNINGS = (b"", b"G", b"GET /connection/websocket HTTP/1.1\r\nHost: a", HANDSHAKE, HANDSHAKE + END, b"\x16\x03\x01")


@pytest.mark.timeout(60)
def test_ten_thousand_half_open_connections_are_gone_after_the_time_for_a_greeting(
    build: Build, crowd_size: int
) -> None:
    house = build(Hub(rules=[ANYTHING_GOES], allow_anonymous=True, limits=Limits(stale_s=4)))
    bystander, before = Bystander(house), house.facts()
    crowd = [Peer(house.port).send(BEGINNINGS[number % len(BEGINNINGS)]) for number in range(crowd_size)]
    with Peer(house.port).connected() as latecomer:
        assert "publish" in latecomer.ask(publish={"channel": "x", "data": 1})
    house.comes_back_to(before, with_files=False)  # all of them ended by the server: the test still holds its ends
    for peer in crowd:
        peer.socket.close()
    house.comes_back_to(before)
    bystander.saw_everything()


def test_the_server_itself_ends_every_kind_of_half_open_connection(build: Build) -> None:
    house = build(Hub(rules=[ANYTHING_GOES], allow_anonymous=True, limits=Limits(stale_s=0.5)))
    peers = [Peer(house.port).send(beginning) for beginning in BEGINNINGS]
    for peer, beginning in zip(peers, BEGINNINGS, strict=True):
        rest = peer.rest() if not beginning.endswith(END + END) else b""
        assert rest == b""
        if beginning.endswith(END + END):
            assert peer.response()[0] == 101
            assert peer.closed() == (3502, "stale")
        peer.socket.close()


def test_half_a_head_after_a_whole_request_is_ended_as_well(build: Build) -> None:
    house = build(Hub(limits=Limits(stale_s=0.5)))
    with Peer(house.port) as peer:
        assert peer.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").response()[0] == 404
        assert peer.send(b"GET / HTTP/1.1\r\nHost: ").rest() == b""


def resident_bytes() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


ATTACKS = (
    HANDSHAKE + END + commands({"id": 1, "connect": {}}, {"id": 2, "subscribe": {"channel": "a"}}) + text("{"),
    HANDSHAKE + END + client_frame(0x83, b"x"),
    HANDSHAKE + END + commands({"id": 1, "connect": {}}) + client_frame(0x01, b"x" * 60_000),
    HANDSHAKE + END + commands({"id": 1, "connect": {}}) + text("[" * 60_000),
    HANDSHAKE + END + b"\x81\xff" + b"\x7f" * 12,
    HANDSHAKE + b"X: " + b"x" * 12_000,
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n" + b"x" * 100,
    HANDSHAKE
    + END
    + commands({"id": 1, "connect": {}}, *({"id": n, "subscribe": {"channel": f"c{n}"}} for n in range(2, 150))),
)


@pytest.mark.timeout(60)
def test_two_thousand_hostile_connections_leave_nothing_and_no_memory(house: House) -> None:
    bystander, before = Bystander(house), house.facts()

    def attack(times: int) -> None:
        for number in range(times):
            with Peer(house.port) as peer:
                peer.send(ATTACKS[number % len(ATTACKS)])
                if number % len(ATTACKS) in (0, 1, 3):  # some stay for the answer
                    peer.socket.recv(100)
        house.comes_back_to(before)

    attack(500)  # caches and pools fill up
    at_first = resident_bytes()
    attack(2000)
    assert resident_bytes() - at_first < 20_000_000
    bystander.saw_everything()
