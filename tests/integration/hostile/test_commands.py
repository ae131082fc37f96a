"""Commands that no client library sends: each is refused as the protocol says, by an error or by a close."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.hostile.house import ANYTHING_GOES, Bystander, Closed, House, Peer, commands, text
from tests.patience import LEISURE
from vagus import Caller, Hub, Limits, Rate

Build = Callable[..., House]

BAD_REQUEST = Closed(3501, "bad request")
DEEP = 100_000

MALFORMED: dict[str, bytes] = {
    "an empty message": b"",
    "not JSON": b"{",
    "null": b"null",
    "a list": b"[]",
    "a number": b"1",
    "a string": b'"connect"',
    "a blank line between commands": b'{"id":2,"presence":{"channel":"x"}}\n\n{"id":3,"presence":{"channel":"x"}}',
    "only line feeds": b"\n\n",
    "two commands on one line": b'{"id":2,"presence":{"channel":"x"}}{"id":3,"presence":{"channel":"x"}}',
    "an unknown command": b'{"id":2,"explode":{}}',
    "a number alone": b'{"id":2}',
    "the old ping": b'{"id":2,"ping":{}}',
    "a pong that nobody asked for": b"{}",
    "a publication without a number": b'{"publish":{"channel":"x","data":1}}',
    "number 0": b'{"id":0,"publish":{"channel":"x","data":1}}',
    "a negative number": b'{"id":-1,"publish":{"channel":"x","data":1}}',
    "a number beyond 32 bits": b'{"id":4294967296,"publish":{"channel":"x","data":1}}',
    "a number beyond everything": b'{"id":1' + b"0" * 400 + b',"publish":{"channel":"x","data":1}}',
    "a number with an exponent beyond everything": b'{"id":1e99999,"publish":{"channel":"x","data":1}}',
    "a number as a string": b'{"id":"2","publish":{"channel":"x","data":1}}',
    "a second connect": b'{"id":2,"connect":{}}',
    "a channel of the wrong type": b'{"id":2,"subscribe":{"channel":1}}',
    "an offset below zero": b'{"id":2,"subscribe":{"channel":"x","recover":true,"offset":-1}}',
    "an empty channel": b'{"id":2,"subscribe":{"channel":""}}',
    "no channel": b'{"id":2,"subscribe":{}}',
    "unsubscribe from no channel": b'{"id":2,"unsubscribe":{}}',
    "an unknown delta": b'{"id":2,"subscribe":{"channel":"x","delta":"xdelta"}}',
    "an empty token to refresh": b'{"id":2,"refresh":{"token":""}}',
    "brackets to the sky": b"[" * 60_000,
    "data to the sky": b'{"id":2,"publish":{"channel":"x","data":' + b"[" * 30_000 + b"]" * 30_000 + b"}}",
    "unknown fields to the sky": b'{"id":2,"x":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}",
    "NUL": b"\0",
    "NUL in a string": b'{"id":2,"publish":{"channel":"a\0b","data":1}}',
    "NUL in data": b'{"id":2,"publish":{"channel":"x","data":"a\0b"}}',
    "a raw control character in data": b'{"id":2,"publish":{"channel":"x","data":"a\x01b"}}',
    "a raw carriage return in data": b'{"id":2,"publish":{"channel":"x","data":"a\rb"}}',
    "an escaped lone surrogate": b'{"id":2,"publish":{"channel":"\\ud800","data":1}}',
    "an escaped lone surrogate in data": b'{"id":2,"publish":{"channel":"x","data":"\\udc00"}}',
    "NaN": b'{"id":2,"publish":{"channel":"x","data":NaN}}',
    "a leading zero": b'{"id":2,"publish":{"channel":"x","data":01}}',
    "a byte order mark": b'\xef\xbb\xbf{"id":2,"presence":{"channel":"x"}}',
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_command_closes_with_bad_request(unharmed: House, name: str) -> None:
    with Peer(unharmed.port).connected() as peer:
        assert peer.send(text(MALFORMED[name])).closed() == BAD_REQUEST


@pytest.mark.parametrize(
    "message",
    [
        b"{}",
        b'{"id":1,"subscribe":{"channel":"x"}}',
        b'{"id":1,"publish":{"channel":"x","data":1}}',
        b'{"send":{"data":1}}',
        b'{"id":0,"connect":{}}',
        b'{"connect":{}}',
        b'{"id":1,"connect":{"name":"a name that is too long"}}',
        b'{"id":1,"connect":{"version":"' + b"1" * 65 + b'"}}',
        b'{"id":1,"connect":{"headers":[]}}',
    ],
)
def test_whatever_comes_before_a_proper_connect_closes_with_bad_request(unharmed: House, message: bytes) -> None:
    with Peer(unharmed.port).upgraded() as peer:
        assert peer.send(text(message)).closed() == BAD_REQUEST


REFUSED: dict[str, tuple[bytes, int]] = {
    "a channel of 256 characters": (b'{"id":9,"subscribe":{"channel":"' + b"x" * 256 + b'"}}', 107),
    "publishing to 256 characters": (b'{"id":9,"publish":{"channel":"' + b"x" * 256 + b'","data":1}}', 107),
    "publishing to no channel": (b'{"id":9,"publish":{"channel":"","data":1}}', 107),
    "publishing nothing": (b'{"id":9,"publish":{"channel":"x"}}', 107),
    "a method that is not there": (b'{"id":9,"rpc":{"method":"rm -rf"}}', 104),
    "presence of no channel": (b'{"id":9,"presence":{}}', 107),
    "a map channel": (b'{"id":9,"subscribe":{"channel":"x","type":1}}', 108),
    "a filter that is not allowed": (b'{"id":9,"subscribe":{"channel":"x","tf":{"key":"a","cmp":"eq"}}}', 107),
    "history backwards from zero": (
        b'{"id":9,"history":{"channel":"x","reverse":true,"since":{"offset":0,"epoch":"e"}}}',
        107,
    ),
    "history of another epoch": (b'{"id":9,"history":{"channel":"x","since":{"offset":1,"epoch":"no"}}}', 112),
    "a private channel without a token": (b'{"id":9,"subscribe":{"channel":"$x"}}', 103),
    "refreshing a subscription that is not there": (b'{"id":9,"sub_refresh":{"channel":"x","token":"t"}}', 103),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_well_formed_and_wrong_is_answered_with_an_error_and_the_connection_stays(
    unharmed: House, name: str
) -> None:
    message, code = REFUSED[name]
    with Peer(unharmed.port).connected() as peer:
        (reply,) = peer.send(text(message)).lines()
        assert (reply["id"], reply["error"]["code"]) == (9, code)
        assert "publish" in peer.ask(publish={"channel": "x", "data": 1})


@pytest.mark.parametrize(
    "channel", ["a\nb", "a\r\nb", "a\0b", "\x1b[2J", "\u202eabc", "a" * 255, "ü" * 255, "{name*}", "../../x", "😀"]
)
def test_an_odd_channel_name_is_one_like_any_other(unharmed: House, channel: str) -> None:
    with Peer(unharmed.port).connected() as peer:
        assert "subscribe" in peer.ask(subscribe={"channel": channel})
        peer.send(commands({"id": 3, "publish": {"channel": channel, "data": "x"}}))
        lines: list[Any] = []
        while len(lines) < 2:
            lines += peer.lines()
        (push,) = (line["push"] for line in lines if "push" in line)
        assert (push["channel"], push["pub"]["data"]) == (channel, "x")


def test_of_repeated_keys_the_last_counts_and_of_two_commands_the_first_of_the_protocol(unharmed: House) -> None:
    with Peer(unharmed.port).connected() as peer:
        (reply,) = peer.send(text('{"id":1,"id":7,"presence":{"channel":"a","channel":"b"}}')).lines()
        assert reply == {"id": 7, "presence": {"presence": {}}}
        (reply,) = peer.send(text('{"presence":{"channel":"a"},"id":8,"history":{"channel":"b"},"x":[]}')).lines()
        assert "presence" in reply


@pytest.mark.parametrize(
    "data", ["1" + "0" * 5000, "1e999", "-0", '"\\u0000"', '"\\ud83d\\ude00"', " [ 1 ,\t2 ] ", "\r1"]
)
def test_data_is_passed_on_as_it_came(unharmed: House, data: str) -> None:
    with Peer(unharmed.port).connected() as peer:
        peer.ask(subscribe={"channel": "odd"})
        peer.send(text(f'{{"id":3,"publish":{{"channel":"odd","data":{data}}}}}'))
        payload = b""
        while b'"pub"' not in payload:
            frame = peer.frame()
            assert frame is not None
            payload = frame[1]
        assert data.strip().replace(" ", "").replace("\t", "").encode() in payload.replace(b" ", b"").replace(
            b"\t", b""
        )


def test_data_as_deep_as_it_can_be_is_taken_or_refused_but_never_fails(unharmed: House) -> None:
    """With a carriage return it is formatted anew, deeper in the stack than it was read."""
    outcomes = set()
    for depth in range(850, 1010):
        with Peer(unharmed.port).connected() as peer:
            data = "[" * depth + "\r" + "]" * depth
            peer.send(text(f'{{"id":9,"publish":{{"channel":"deep","data":{data}}}}}'))
            frame = peer.frame()
            assert frame is not None
            outcomes.add(frame[1])
    too_deep = b'{"id":9,"error":{"code":107,"message":"bad request: data is nested too deep"}}'
    assert outcomes <= {b'{"id":9,"publish":{}}', too_deep, b"\x0d\xadbad request"}


def test_a_message_of_65536_bytes_is_taken_and_one_more_is_too_big(unharmed: House) -> None:
    head, tail = b'{"id":9,"publish":{"channel":"x","data":"', b'"}}'
    fill = 65_536 - len(head) - len(tail)
    with Peer(unharmed.port).connected() as peer:
        assert peer.send(text(head + b"x" * fill + tail)).lines() == [{"id": 9, "publish": {}}]
        assert peer.send(text(head + b"x" * (fill + 1) + tail)).closed() == Closed(1009, "message over 65536 bytes")


def test_ten_thousand_commands_in_one_message_are_answered_in_order(build: Build) -> None:
    hub = Hub(rules=[ANYTHING_GOES], allow_anonymous=True, limits=Limits(message_bytes=1_000_000))
    house = build(hub)
    bystander = Bystander(house)
    with Peer(house.port).connected() as peer:
        peer.send(commands(*({"id": n, "history": {"channel": "x"}} for n in range(1, 10_001))))
        numbers: list[int] = []
        while len(numbers) < 10_000:
            numbers += [line["id"] for line in peer.lines()]
    assert numbers == list(range(1, 10_001))
    bystander.saw_everything()


@pytest.fixture
def build_slow(build: Build) -> Iterator[Callable[[Limits], House]]:
    """Build a house whose call ``wait`` is answered when somebody calls ``go on``, or when the test is over."""
    houses: list[House] = []
    over = asyncio.Event()

    def built(limits: Limits) -> House:
        hub = Hub(rules=[ANYTHING_GOES], allow_anonymous=True, limits=limits)

        @hub.call("wait", allow=("anyone",))
        async def wait(caller: Caller) -> None:
            await over.wait()

        @hub.call("go on", allow=("anyone",))
        async def go_on(caller: Caller) -> None:
            over.set()

        houses.append(build(hub))
        return houses[-1]

    yield built
    for house in houses:
        house.loop.call_soon_threadsafe(over.set)


BuildSlow = Callable[[Limits], House]


def test_commands_behind_one_that_waits_are_bounded(build_slow: BuildSlow) -> None:
    house = build_slow(Limits(waiting_commands=8))
    waiting = [{"id": 1, "rpc": {"method": "wait"}}]
    with Peer(house.port).connected() as peer:
        peer.send(commands(*waiting, *({"id": n, "history": {"channel": "x"}} for n in range(2, 1000))))
        assert peer.closed() == Closed(3013, "too many requests")


def test_who_waits_for_a_long_answer_and_pongs_is_not_taken_for_dead(build_slow: BuildSlow) -> None:
    house = build_slow(Limits(ping_interval_s=LEISURE, pong_timeout_s=0.8 * LEISURE))
    with Peer(house.port).connected() as peer:
        peer.send(commands({"id": 2, "rpc": {"method": "wait"}}))
        for _ in range(3):
            assert peer.lines() == [{}]
            peer.send(text("{}"))


@pytest.mark.parametrize("stays", [True, False])
def test_who_fills_the_waiting_room_is_not_read_from_until_the_answer_is_there(
    build_slow: BuildSlow, stays: bool
) -> None:
    house = build_slow(Limits(waiting_commands=8))
    with Peer(house.port).connected() as other:
        with Peer(house.port).connected() as peer:
            peer.send(commands({"id": 1, "rpc": {"method": "wait"}}))
            for n in range(2, 100):
                peer.send(commands({"id": n, "history": {"channel": "x"}}))
            house.until(lambda: any(len(client._waiting or ()) >= 8 for client in house.hub.clients.values()))
            if stays:
                other.ask(rpc={"method": "go on"})
                numbers: list[int] = []
                while len(numbers) < 99:
                    numbers += [line["id"] for line in peer.lines()]
                assert numbers == list(range(1, 100))
        other.ask(rpc={"method": "go on"})
        house.until(lambda: len(house.hub.clients) == 1 == house.gate.open_sockets)


def test_a_flood_above_the_rate_is_told_too_many_requests(build: Build) -> None:
    house = build(Hub(rules=[ANYTHING_GOES], allow_anonymous=True, limits=Limits(commands=Rate(0.001, 10))))
    with Peer(house.port).connected() as peer:  # connecting is the first of the ten
        peer.send(commands(*({"id": n, "publish": {"channel": "x", "data": n}} for n in range(1, 101))))
        lines: list[Any] = []
        while len(lines) < 100:
            lines += peer.lines()
    assert [line["id"] for line in lines] == list(range(1, 101))
    assert ["publish" in line for line in lines] == [True] * 9 + [False] * 91
    assert lines[-1]["error"] == {"code": 111, "message": "too many requests", "temporary": True}


def test_more_channels_than_allowed_are_an_error(build: Build) -> None:
    house = build(Hub(rules=[ANYTHING_GOES], allow_anonymous=True, limits=Limits(channels=5)))
    with Peer(house.port).connected() as peer:
        answers = [peer.ask(subscribe={"channel": f"c{n}"}) for n in range(6)]
        assert peer.ask(subscribe={"channel": "c0"})["error"]["code"] == 105
    assert [answer.get("error", {}).get("code") for answer in answers] == [None] * 5 + [106]


def test_a_call_with_data_of_any_depth_is_answered(build: Build) -> None:
    hub = Hub(allow_anonymous=True)

    @hub.call("echo", allow=("anyone",))
    def echo(caller: Caller, request: Any) -> Any:
        return request

    house = build(hub)
    outcomes = set()
    for depth in (10, 500, *range(850, 1010)):
        with Peer(house.port).connected() as peer:
            data = "[" * depth + "]" * depth
            peer.send(text(f'{{"id":9,"rpc":{{"method":"echo","data":{data}}}}}'))
            frame = peer.frame()
            assert frame is not None
            outcomes.add(frame[1].replace(b"[", b"").replace(b"]", b""))
    assert b"internal server error" not in b"".join(outcomes)


@pytest.mark.parametrize("offset", [2**63 - 1, 2**63, 2**64 - 1])
def test_an_offset_beyond_the_top_is_not_recovered_however_large(unharmed: House, offset: int) -> None:
    with Peer(unharmed.port).connected() as peer:
        peer.ask(publish={"channel": "far", "data": 1})
        reply = peer.ask(subscribe={"channel": "far", "recover": True, "offset": offset})
        assert "recovered" not in reply["subscribe"]
        page = peer.ask(history={"channel": "far", "limit": 10, "since": {"offset": offset, "epoch": ""}})
        assert page["history"]["publications"] == []
