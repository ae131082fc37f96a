"""Whatever bytes come: the server stays up, holds nothing back afterwards, and writes no traceback."""

import socket
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.hostile.house import END, HANDSHAKE, Bystander, House, Peer, client_frame, commands, text

VALID = (
    HANDSHAKE + END,
    commands({"id": 1, "connect": {"data": {"a": 1}, "name": "x"}}, {"id": 2, "subscribe": {"channel": "m"}}),
    commands({"id": 3, "publish": {"channel": "m", "data": {"text": "ü"}}}),
    client_frame(0x01, b'{"id":4,"his') + client_frame(0x89, b"ping") + client_frame(0x80, b'tory":{"channel":"m"}}'),
    text('{"id":5,"presence":{"channel":"m"}}\n{"id":6,"unsubscribe":{"channel":"m"}}\n'),
    client_frame(0x88, b"\x03\xe8bye"),
)
STREAM = b"".join(VALID)

_position = st.integers(0, len(STREAM))
_mutation = st.one_of(
    st.tuples(st.just("replace"), _position, st.binary(min_size=1, max_size=8)),
    st.tuples(st.just("insert"), _position, st.binary(min_size=1, max_size=40)),
    st.tuples(st.just("delete"), _position, st.integers(1, 60)),
    st.tuples(st.just("repeat"), _position, st.integers(1, 200)),
    st.tuples(st.just("end"), _position, st.just(0)),
)


def mutated(stream: bytes, mutations: list[tuple[str, int, Any]]) -> bytes:
    for kind, at, what in mutations:
        match kind:
            case "replace":
                stream = stream[:at] + what + stream[at + len(what) :]
            case "insert":
                stream = stream[:at] + what + stream[at:]
            case "delete":
                stream = stream[:at] + stream[at + what :]
            case "repeat":
                stream = stream[:at] + stream[at : at + what] * 2 + stream[at + what :]
            case _:
                stream = stream[:at]
    return stream


def said_and_heard(house: House, *pieces: bytes) -> bytes:
    """Say it piece by piece, say no more, and return all that is answered up to the end of the connection."""
    with Peer(house.port) as peer:
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            peer.send(piece)
        try:
            peer.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the server has ended it
        return peer.rest()


def unharmed_by(house: House, attack: Any) -> None:
    bystander, before = Bystander(house), house.facts()
    attack()
    house.comes_back_to(before)
    bystander.saw_everything()


def test_mutated_streams_are_answered_or_ended(house: House) -> None:
    @settings(max_examples=400)
    @given(st.lists(_mutation, min_size=1, max_size=5), st.lists(_position, max_size=4))
    def attack(mutations: list[tuple[str, int, Any]], cuts: list[int]) -> None:
        stream = mutated(STREAM, mutations)
        edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
        answer = said_and_heard(house, *(stream[a:b] for a, b in pairwise(edges)))
        assert answer == b"" or answer.startswith(b"HTTP/1.1 ")

    unharmed_by(house, attack)


def test_mutated_frames_after_a_good_handshake_are_answered_or_closed(house: House) -> None:
    frames = b"".join(VALID[1:])

    @settings(max_examples=400)
    @given(st.lists(_mutation, min_size=1, max_size=5))
    def attack(mutations: list[tuple[str, int, Any]]) -> None:
        shifted = [(kind, at % len(frames), what) for kind, at, what in mutations]
        answer = said_and_heard(house, VALID[0], mutated(frames, shifted))
        assert answer.startswith(b"HTTP/1.1 101 ")
        assert b"internal server error" not in answer

    unharmed_by(house, attack)


def test_random_bytes_are_answered_or_ended(house: House) -> None:
    @settings(max_examples=200)
    @given(st.binary(max_size=300), st.booleans())
    def attack(noise: bytes, is_after_handshake: bool) -> None:
        said_and_heard(house, (VALID[0] if is_after_handshake else b"") + noise)

    unharmed_by(house, attack)


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_channel = st.sampled_from(["m", "$p", "a#1,2", "", "x:1", "\u0000"]) | st.text(max_size=10)
_fields = st.fixed_dictionaries(
    {},
    optional={
        "channel": _channel,
        "token": st.sampled_from(["", "a.b.c"]),
        "recover": st.booleans(),
        "recoverable": st.booleans(),
        "offset": st.integers(0, 2**62),
        "epoch": st.text(max_size=4),
        "data": _json,
        "delta": st.sampled_from(["", "fossil", "x"]),
        "tf": _json,
        "type": st.integers(-1, 5),
        "flag": st.integers(0, 4),
        "limit": st.integers(-5, 2**31 - 1),
        "reverse": st.booleans(),
        "since": st.fixed_dictionaries({}, optional={"offset": st.integers(0, 2**62), "epoch": st.text(max_size=4)}),
        "method": st.text(max_size=5),
        "join_leave": st.booleans(),
        "subs": _json,
        "headers": _json,
    },
)
_NAMES = (
    "connect subscribe unsubscribe publish presence presence_stats history ping send rpc refresh sub_refresh x".split()
)
_command = st.builds(
    lambda number, name, fields: {"id": number, name: fields},
    st.integers(0, 9),
    st.sampled_from(_NAMES),
    _fields | _json,
)


def test_commands_of_every_shape_are_answered_or_close_and_never_fail(house: House) -> None:
    @settings(max_examples=500)
    @given(st.lists(_command, min_size=1, max_size=6))
    def attack(wanted: list[object]) -> None:
        frames = [text(msgspec.json.encode(command)) for command in wanted]
        answer = said_and_heard(house, VALID[0] + commands({"id": 1, "connect": {}}), b"".join(frames))
        assert b"internal server error" not in answer

    unharmed_by(house, attack)
