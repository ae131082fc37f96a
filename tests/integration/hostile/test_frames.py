"""Frames that no client sends: each is answered with the close code of RFC 6455, and nobody else notices."""

import pytest

from tests.integration.hostile.house import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FIN,
    PING,
    PONG,
    RSV1,
    RSV2,
    RSV3,
    TEXT,
    Closed,
    House,
    Peer,
    client_frame,
    commands,
    text,
)

UMLAUT = "ü".encode()
LIMIT = 65_536

MALFORMED: dict[str, tuple[bytes, int, str]] = {
    "opcode 3": (client_frame(FIN | 3, b"x"), 1002, "reserved opcode"),
    "opcode 15": (client_frame(FIN | 15), 1002, "reserved opcode"),
    "rsv1 without an extension": (client_frame(FIN | RSV1 | TEXT, b"{}"), 1002, "reserved bit set"),
    "rsv2": (client_frame(FIN | RSV2 | TEXT, b"{}"), 1002, "reserved bit set"),
    "rsv3 on a ping": (client_frame(FIN | RSV3 | PING), 1002, "reserved bit set"),
    "not masked": (b"\x81\x02{}", 1002, "frame not masked"),
    "ping not masked": (b"\x89\x00", 1002, "frame not masked"),
    "fragmented ping": (client_frame(PING, b"x"), 1002, "fragmented control frame"),
    "fragmented close": (client_frame(CLOSE, b""), 1002, "fragmented control frame"),
    "long ping": (client_frame(FIN | PING, b"x" * 126), 1002, "control frame too long"),
    "continuation of nothing": (client_frame(FIN | CONTINUATION, b"{}"), 1002, "continuation of no message"),
    "message in a message": (
        client_frame(TEXT, b"{") + client_frame(FIN | TEXT, b"}"),
        1002,
        "message inside a fragmented message",
    ),
    "declares 65,537 bytes": (b"\x81\xff" + (LIMIT + 1).to_bytes(8, "big"), 1009, "message over 65536 bytes"),
    "declares 8 EiB": (b"\x81\xff" + (2**63 - 1).to_bytes(8, "big"), 1009, "message over 65536 bytes"),
    "declares a negative size": (b"\x81\xff" + (2**63).to_bytes(8, "big"), 1002, "length badly encoded"),
    "5 bytes in 16 bits": (b"\x81\xfe\x00\x05", 1002, "length badly encoded"),
    "5 bytes in 64 bits": (b"\x81\xff" + (5).to_bytes(8, "big"), 1002, "length badly encoded"),
    "fragments over the limit": (
        client_frame(TEXT, b"x" * 40_000) + client_frame(FIN | CONTINUATION, b"x" * 40_000),
        1009,
        "message over 65536 bytes",
    ),
    "not UTF-8": (text(b'"\xff"'), 1007, "text is not UTF-8"),
    "overlong NUL": (text(b'"\xc0\x80"'), 1007, "text is not UTF-8"),
    "surrogate in UTF-8": (text(b'"\xed\xa0\x80"'), 1007, "text is not UTF-8"),
    "not UTF-8 in the second fragment": (
        client_frame(TEXT, UMLAUT) + client_frame(CONTINUATION, b"\xfe"),
        1007,
        "text is not UTF-8",
    ),
    "a character cut off at the end": (
        client_frame(TEXT, UMLAUT[:1]) + client_frame(FIN | CONTINUATION, b""),
        1007,
        "text is not UTF-8",
    ),
    "close of one byte": (client_frame(FIN | CLOSE, b"\x03"), 1002, "invalid close code"),
    "close reason not UTF-8": (client_frame(FIN | CLOSE, b"\x03\xe8\xff"), 1007, "close reason is not UTF-8"),
    **{
        f"close code {code}": (client_frame(FIN | CLOSE, code.to_bytes(2, "big")), 1002, "invalid close code")
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535)
    },
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_frame_is_answered_with_its_code_and_reason(unharmed: House, name: str) -> None:
    frame, code, reason = MALFORMED[name]
    if reason == "length badly encoded" or "over" in reason:
        frame += b"\0" * 4  # the rest of the head: nothing of the payload is needed to refuse it
    with Peer(unharmed.port).connected() as peer:
        assert peer.send(frame).closed() == Closed(code, reason)


@pytest.mark.parametrize("name", ["opcode 3", "not masked", "not UTF-8 in the second fragment", "declares 8 EiB"])
def test_it_makes_no_difference_how_the_bytes_are_cut(unharmed: House, name: str) -> None:
    frame, code, reason = MALFORMED[name]
    with Peer(unharmed.port).connected() as peer:
        peer.socket.setsockopt(6, 1, 1)  # TCP_NODELAY: each byte in a segment of its own
        for at in range(len(frame)):
            peer.send(frame[at : at + 1])
        assert peer.send(b"\0" * 4).closed() == Closed(code, reason)


@pytest.mark.parametrize("name", ["opcode 3", "not UTF-8", "close code 999"])
def test_nothing_after_the_violation_is_carried_out_and_all_before_it_is(unharmed: House, name: str) -> None:
    published = unharmed.hub.figures.commands["Publish"]
    before, after = ({"id": 2, "publish": {"channel": "x", "data": at}} for at in range(2))
    with Peer(unharmed.port).connected() as peer:
        peer.send(commands(before) + MALFORMED[name][0] + commands(after)).closed()
    assert unharmed.hub.figures.commands["Publish"] == published + 1


@pytest.mark.parametrize("code", [1000, 1001, 1011, 3000, 3500, 4999])
def test_a_valid_close_is_echoed(unharmed: House, code: int) -> None:
    with Peer(unharmed.port).connected() as peer:
        assert peer.send(client_frame(FIN | CLOSE, code.to_bytes(2, "big") + b"bye")).closed() == Closed(code, "")


def test_an_empty_close_is_answered_with_an_empty_one(unharmed: House) -> None:
    with Peer(unharmed.port).connected() as peer:
        assert peer.send(client_frame(FIN | CLOSE)).closed() == Closed(1005, "")


def test_pings_between_fragments_are_answered_and_unasked_pongs_ignored(unharmed: House) -> None:
    with Peer(unharmed.port).connected() as peer:
        command = b'{"id":2,"history":{"channel":"x"}}'
        peer.send(client_frame(TEXT, command[:5]) + client_frame(FIN | PING, b"are you there"))
        assert peer.frame() == (PONG, b"are you there")
        peer.send(client_frame(FIN | PONG, b"x") + client_frame(FIN | CONTINUATION, command[5:]))
        assert peer.lines()[0]["id"] == 2
        peer.send(client_frame(FIN | BINARY, b'{"id":3,"history":{"channel":"x"}}'))
        assert peer.lines()[0]["id"] == 3


def test_ten_thousand_empty_fragments_and_pings_are_borne(unharmed: House) -> None:
    with Peer(unharmed.port).connected() as peer:
        peer.send(client_frame(TEXT, b"") + client_frame(CONTINUATION, b"") * 10_000)
        peer.send(client_frame(FIN | CONTINUATION, b'{"id":2,"history":{"channel":"x"}}'))
        assert peer.lines()[0]["id"] == 2


def test_who_vanishes_in_the_middle_of_a_frame_leaves_nothing(unharmed: House) -> None:
    for cut in (1, 2, 5, 6, 20):
        with Peer(unharmed.port).connected() as peer:
            peer.send(text(b'{"id":2,"subscribe":{"channel":"half"}}')[:cut])
