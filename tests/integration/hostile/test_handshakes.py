"""Handshakes that are none: each gets the HTTP status that names what is wrong, and the connection ends."""

from collections.abc import Callable

import pytest

from tests.integration.hostile.house import (
    ANYTHING_GOES,
    END,
    HANDSHAKE,
    Bystander,
    Closed,
    House,
    Peer,
    commands,
    text,
)
from vagus import Hub, Limits, Rate
from vagus.auth.addresses import AddressRules, Networks
from vagus.auth.origins import OriginRules

Build = Callable[..., House]

WHOLE = HANDSHAKE + END


def without(name: bytes) -> bytes:
    return b"".join(line for line in WHOLE.splitlines(keepends=True) if not line.startswith(name))


REFUSED: dict[str, tuple[bytes, int]] = {
    "no key": (without(b"Sec-WebSocket-Key"), 400),
    "short key": (without(b"Sec-WebSocket-Key")[:-2] + b"Sec-WebSocket-Key: c2hvcnQ=\r\n\r\n", 400),
    "key not base64": (without(b"Sec-WebSocket-Key")[:-2] + b"Sec-WebSocket-Key: !!!\r\n\r\n", 400),
    "two keys": (HANDSHAKE + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + END, 400),
    "version 12": (WHOLE.replace(b"Version: 13", b"Version: 12"), 426),
    "two versions": (HANDSHAKE + b"Sec-WebSocket-Version: 8\r\n" + END, 426),
    "no version": (without(b"Sec-WebSocket-Version"), 426),
    "no upgrade": (without(b"Upgrade"), 426),
    "upgrade to h2c": (WHOLE.replace(b"Upgrade: websocket", b"Upgrade: h2c"), 426),
    "no connection header": (without(b"Connection"), 426),
    "no host": (without(b"Host"), 400),
    "two hosts": (HANDSHAKE + b"Host: other.example\r\n" + END, 400),
    "HTTP/1.0": (WHOLE.replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
    "HTTP/9.9": (WHOLE.replace(b"HTTP/1.1", b"HTTP/9.9"), 400),
    "no version of HTTP": (WHOLE.replace(b" HTTP/1.1", b""), 400),
    "garbage": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "NUL in a header": (HANDSHAKE + b"X: a\0b\r\n" + END, 400),
    "space before the colon": (HANDSHAKE + b"X : y\r\n" + END, 400),
    "header without a colon": (HANDSHAKE + b"nonsense\r\n" + END, 400),
    "lone CR in a header": (HANDSHAKE + b"X: a\rContent-Length: 5\r\n" + END, 400),
    "header of 1 MB": (HANDSHAKE + b"X: " + b"x" * 1_000_000 + END + END, 431),
    "header of 1 MB without an end": (HANDSHAKE + b"X: " + b"x" * 1_000_000, 431),
    "100,000 headers": (HANDSHAKE + b"".join(b"X-%d: y\r\n" % n for n in range(100_000)) + END, 431),
    "path of 100 kB": (WHOLE.replace(b" HTTP/1.1", b"?" + b"x" * 100_000 + b" HTTP/1.1"), 431),
    "20 kB of cookies at once": (HANDSHAKE + b"Cookie: " + b"x" * 20_000 + END + END, 431),
    "another path": (WHOLE.replace(b"/connection/websocket", b"/connection/elsewhere"), 404),
    "POST": (WHOLE.replace(b"GET", b"POST"), 405),
    "foreign origin": (HANDSHAKE + b"Origin: https://evil.example\r\n" + END, 403),
    "origin of the host as a part": (HANDSHAKE + b"Origin: http://hub.example.evil.example\r\n" + END, 403),
    "null origin": (HANDSHAKE + b"Origin: null\r\n" + END, 403),
    "two origins": (HANDSHAKE + b"Origin: http://hub.example\r\nOrigin: http://evil.example\r\n" + END, 403),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_malformed_handshake_is_refused_with_its_status(unharmed: House, name: str) -> None:
    request, status = REFUSED[name]
    with Peer(unharmed.port) as peer:
        answered, head = peer.send(request).response()
        assert answered == status, head[:200]
        if status == 426 and "version" in name:
            assert b"Sec-WebSocket-Version: 13" in head


@pytest.mark.parametrize("name", ["no key", "HTTP/1.0", "foreign origin"])
def test_it_makes_no_difference_how_a_handshake_is_cut(unharmed: House, name: str) -> None:
    request, status = REFUSED[name]
    with Peer(unharmed.port) as peer:
        peer.socket.setsockopt(6, 1, 1)  # TCP_NODELAY
        for at in range(len(request)):
            peer.send(request[at : at + 1])
        assert peer.response()[0] == status


def test_frames_may_come_together_with_the_handshake(unharmed: House) -> None:
    with Peer(unharmed.port) as peer:
        peer.send(WHOLE + commands({"id": 1, "connect": {}}))
        assert peer.response()[0] == 101
        assert peer.lines()[0]["id"] == 1


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: hub.example\r\n\r\n"


@pytest.mark.parametrize(
    "extra",
    [b"", b"Content-Length: %d\r\n" % len(SMUGGLED), b"Transfer-Encoding: chunked\r\n", b"Content-Length: 0\r\n"],
    ids=["nothing", "length", "chunked", "length 0"],
)
def test_a_request_behind_a_handshake_is_never_answered_as_one(unharmed: House, extra: bytes) -> None:
    with Peer(unharmed.port) as peer:
        everything = peer.send(HANDSHAKE + extra + END + SMUGGLED).rest()
    assert everything.count(b"HTTP/1.1 ") == 1
    assert b"404" not in everything
    assert everything.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 101 "))
    if everything.startswith(b"HTTP/1.1 101 "):  # the bytes were read as a frame, of which they are none
        assert b"\x03\xeareserved opcode" in everything


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 99999999999999999999999\r\n",
    ],
)
def test_contradictory_lengths_are_refused(unharmed: House, headers: bytes) -> None:
    for head in (HANDSHAKE, HANDSHAKE.replace(b"/connection/websocket", b"/")):
        with Peer(unharmed.port) as peer:
            assert peer.send(head + headers + END + b"hello" + SMUGGLED).response()[0] == 400
            assert b"HTTP/1.1" not in peer.rest()


def test_a_handshake_as_the_second_request_of_a_connection_is_not_let_in_by_another_door(unharmed: House) -> None:
    with Peer(unharmed.port) as peer:
        peer.send(b"GET / HTTP/1.1\r\nHost: hub.example\r\n\r\n")
        assert peer.response()[0] == 404
        status, _ = peer.send(HANDSHAKE + b"Origin: https://evil.example\r\n" + END).response()
        assert status == 403


def test_who_hangs_up_within_the_head_leaves_nothing(unharmed: House) -> None:
    for cut in range(0, len(WHOLE), 7):
        with Peer(unharmed.port) as peer:
            peer.send(WHOLE[:cut])


def test_pages_of_the_own_host_and_listed_ones_may_connect(build: Build) -> None:
    house = build(Hub(rules=[ANYTHING_GOES]), origins=OriginRules(["https://app.example"]))
    for origin, status in (
        (b"https://app.example", 101),
        (b"http://hub.example", 101),
        (b"https://app.example:8443", 403),
    ):
        with Peer(house.port) as peer:
            assert peer.send(HANDSHAKE + b"Origin: " + origin + END + END).response()[0] == status
    house.until(lambda: house.gate.open_sockets == 0)


def test_a_denied_address_is_refused_and_a_forged_header_neither_lets_in_nor_shuts_out(build: Build) -> None:
    rules = AddressRules(allow=Networks(), deny=Networks(["127.0.0.1"]))
    denied = build(Hub(), addresses=rules)
    open_to_us = build(Hub(), addresses=AddressRules(allow=Networks(["127.0.0.1"]), deny=Networks(["192.0.2.0/24"])))
    for forged in (b"192.0.2.1", b"127.0.0.1, 192.0.2.1", b"127.0.0.1\r\nX-Forwarded-For: 192.0.2.1", b"garbage,,"):
        header = b"X-Forwarded-For: " + forged + END
        for house, status in ((denied, 403), (open_to_us, 101)):
            with Peer(house.port) as peer:
                assert peer.send(HANDSHAKE + header + END).response()[0] == status


def test_behind_a_named_proxy_the_last_stranger_counts(build: Build) -> None:
    rules = AddressRules(allow=Networks(), deny=Networks(["192.0.2.0/24"]))
    house = build(Hub(), addresses=rules, proxies=Networks(["127.0.0.1"]))
    for forwarded, status in ((b"198.51.100.1", 101), (b"192.0.2.1", 403), (b"198.51.100.1, 192.0.2.1", 403)):
        with Peer(house.port) as peer:
            assert peer.send(HANDSHAKE + b"X-Forwarded-For: " + forwarded + END + END).response()[0] == status


def test_more_connections_than_may_come_at_once_are_told_to_try_again(build: Build) -> None:
    house = build(Hub(rules=[ANYTHING_GOES], allow_anonymous=True, limits=Limits(connecting=Rate(0.01, 3))))
    peers = [Peer(house.port).send(WHOLE) for _ in range(6)]
    assert [peer.response()[0] for peer in peers] == [101] * 3 + [503] * 3
    for peer in peers:
        peer.socket.close()
    house.until(lambda: house.gate.open_sockets == 0)


def test_the_bound_on_connections_holds_however_they_come(build: Build) -> None:
    house = build(Hub(rules=[ANYTHING_GOES], allow_anonymous=True, limits=Limits(connections=3)))
    peers = [Peer(house.port).upgraded() for _ in range(5)]
    for peer in peers:
        peer.send(commands({"id": 1, "connect": {}}))
    house.until(lambda: house.hub.figures.commands["Connect"] == 5 or house.gate.open_sockets == 3)
    assert len(house.hub.clients) == 3
    for peer in peers:
        peer.socket.close()


def test_the_bound_for_an_address_holds_however_they_come(build: Build) -> None:
    house = build(Hub(rules=[ANYTHING_GOES], allow_anonymous=True, limits=Limits(connections_per_address=3)))
    peers = [Peer(house.port).upgraded() for _ in range(5)]
    for peer in peers:
        peer.send(commands({"id": 1, "connect": {}}))
    house.until(lambda: house.hub.figures.commands["Connect"] == 5 or house.gate.open_sockets == 3)
    assert len(house.hub.clients) == 3
    for peer in peers:
        peer.socket.close()


def test_a_bystander_notices_nothing_of_a_thousand_refusals(house: House) -> None:
    bystander, before = Bystander(house), house.facts()
    requests = [request for request, _ in REFUSED.values()]
    for at in range(1000):
        with Peer(house.port) as peer:
            peer.send(requests[at % len(requests)])
    with Peer(house.port).upgraded() as peer:
        assert peer.send(text("")).closed() == Closed(3501, "bad request")
    house.comes_back_to(before)
    bystander.saw_everything()
