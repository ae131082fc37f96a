"""Frames: several commands or replies in one, both encodings, compression, and what is no command at all."""

import json
from typing import Any

import pytest
from centrifuge.protocol import client_pb2
from websockets.exceptions import ConnectionClosed, InvalidStatus

from vagus import Hub, Limits
from vagus.auth.origins import OriginRules

from .conftest import OpenPeer, OpenRaw, Serve

NODE_JSON = pytest.mark.parametrize("library", ["node"], indirect=True)


@NODE_JSON
async def test_a_client_sends_several_commands_in_one_frame(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(Hub(open_to_all=True)))
    commands = [{"op": "presence", "channel": channel} for channel in ("a", "b", "c")]
    assert await peer.run("batch", commands=commands) == [{}, {}, {}]
    frames = [event["text"] for event in peer.has_seen("frame_out") if "presence" in event["text"]]
    assert [len(frame.split("\n")) for frame in frames] == [3]


@NODE_JSON
async def test_a_client_subscribes_in_the_frame_in_which_it_connects(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(Hub(open_to_all=True)), connect=False)
    for channel in ("a", "b"):
        await peer.begin(channel)
    await peer.connect()
    for channel in ("a", "b"):
        await peer.expect("subscribed", channel)
    out, back = peer.has_seen("frame_out")[0], peer.has_seen("frame_in")[0]
    assert (len(out["text"].split("\n")), len(back["text"].split("\n"))) == (3, 3)


async def test_several_commands_have_their_replies_in_one_frame(serve: Serve, open_raw: OpenRaw) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True)))
    await raw.send(*({"id": number, "presence_stats": {"channel": "news"}} for number in (5, 6, 7)))
    replies = [json.loads(line) for line in (await raw.frame()).split("\n")]
    assert [reply["id"] for reply in replies] == [5, 6, 7]


async def test_publications_of_one_moment_share_a_frame(serve: Serve, open_raw: OpenRaw) -> None:
    server = await serve(Hub(open_to_all=True))
    raw = await open_raw(server)
    await raw.ask("subscribe", channel="news")

    async def burst() -> None:
        for number in range(10):
            await server.hub.publish("news", number)

    await server.on(burst())
    lines = [json.loads(line) for line in (await raw.frame()).split("\n")]
    assert [line["push"]["pub"]["data"] for line in lines] == list(range(10))


async def test_a_line_feed_at_the_end_of_a_frame_is_fine(serve: Serve, open_raw: OpenRaw) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True)))
    await raw.send({"id": 2, "presence_stats": {"channel": "a"}}, "")
    assert (await raw.line())["id"] == 2


async def test_a_binary_frame_may_carry_json(serve: Serve, open_raw: OpenRaw) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True)))
    await raw.connection.send(b'{"id":2,"presence_stats":{"channel":"a"}}')
    assert (await raw.line())["id"] == 2


async def test_unknown_fields_and_zero_values_are_fine(serve: Serve, open_raw: OpenRaw) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True)))
    await raw.send(
        {"id": 2, "subscribe": {"channel": "a", "offset": 0, "epoch": "", "tf": None, "new": 1}, "rpc": None}
    )
    assert (await raw.line())["id"] == 2


@pytest.mark.parametrize(
    "frame",
    [
        "",
        '{"id":1,"ping":{}}',
        '{"id":1,"dance":{}}',
        '{"id":1}',
        '{"id":0,"rpc":{"method":"a"}}',
        '{"id":-1,"rpc":{"method":"a"}}',
        '{"id":"1","rpc":{"method":"a"}}',
        '{"id":1,"rpc":{"method":7}}',
        '{"id":1,"connect":{}}',
        '{"id":1,"rpc":{"method":"a"}',
        '{"id":1,"rpc":{"method":"a"}}\n\n{"id":2,"rpc":{"method":"a"}}',
        "[]",
        "7",
        "null",
        "{}",
    ],
    ids=lambda frame: frame[:40] or "empty",
)
async def test_what_is_no_command_closes(serve: Serve, open_raw: OpenRaw, frame: str) -> None:
    server = await serve(Hub(open_to_all=True))
    bystander, raw = await open_raw(server), await open_raw(server)
    await raw.send(frame)
    assert await raw.closed() == (3501, "bad request")
    assert "error" not in await bystander.ask("presence", channel="news")


@pytest.mark.parametrize("depth", [500, 5_000, 30_000])
async def test_data_that_is_nested_deeply_harms_nobody(serve: Serve, open_raw: OpenRaw, depth: int) -> None:
    server = await serve(Hub(open_to_all=True))
    bystander, raw = await open_raw(server), await open_raw(server)
    await raw.send(f'{{"id":2,"rpc":{{"method":"a","data":{"[" * depth}1{"]" * depth}}}}}')
    try:  # how deep JSON may go is up to the version of Python
        assert (await raw.line())["error"]["code"] == 104
    except ConnectionClosed as end:
        assert end.rcvd is not None and end.rcvd.code == 3501
    assert "error" not in await bystander.ask("presence", channel="news")


@pytest.mark.parametrize("command", ["subscribe", "publish", "rpc", "refresh", "history", "send"])
async def test_nothing_comes_before_the_connect_command(serve: Serve, open_raw: OpenRaw, command: str) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True)), connect=False)
    await raw.send({"id": 1, command: {"channel": "news", "method": "a", "data": 1, "token": "t"}})
    assert await raw.closed() == (3501, "bad request")


async def test_text_that_is_not_utf8_closes(serve: Serve, open_raw: OpenRaw) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True)))
    await raw.connection.send(b"\xff\xfe", text=True)
    assert (await raw.closed())[0] == 1007


async def test_a_frame_that_is_too_large_closes(serve: Serve, open_raw: OpenRaw) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True, limits=Limits(message_bytes=200))))
    await raw.connection.send("x" * 201)
    assert (await raw.closed())[0] == 1009


@pytest.mark.parametrize(("wanted", "chosen"), [("centrifuge-json", "centrifuge-json"), ("chat", None)])
async def test_the_subprotocol_is_confirmed_if_it_is_known(
    serve: Serve, open_raw: OpenRaw, wanted: Any, chosen: str | None
) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True)), subprotocols=[wanted])
    assert raw.connection.subprotocol == chosen


@pytest.mark.parametrize("query", ["?cf_protocol=protobuf", "?format=protobuf"])
async def test_an_address_may_ask_for_protobuf(serve: Serve, open_raw: OpenRaw, query: str) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True)), connect=False, query=query)
    await raw.connection.send(b"\x04\x08\x01\x22\x00")  # command 1: connect
    reply = await raw.connection.recv()
    assert isinstance(reply, bytes) and reply[1:3] == b"\x08\x01"


def binary(**fields: Any) -> bytes:
    """A command in Protobuf, with its length before it."""
    command: bytes = client_pb2.Command(**fields).SerializeToString()
    return bytes([len(command)]) + command


@pytest.mark.parametrize("data", [b"\xff\x00", b"{", b""], ids=["bytes", "half", "nothing"])
async def test_data_in_protobuf_must_be_json(serve: Serve, open_raw: OpenRaw, data: bytes) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True)), connect=False, query="?format=protobuf")
    publish = client_pb2.PublishRequest(channel="news", data=data)
    await raw.connection.send(binary(id=1, connect={}) + binary(id=2, publish=publish))
    answer = await raw.connection.recv()
    assert isinstance(answer, bytes)
    reply = client_pb2.Reply.FromString(answer[answer[0] + 2 :])
    assert (reply.id, reply.error.code) == (2, 107)


@pytest.mark.parametrize("frame", [b"\x05\x08\x01", b"\xff" * 20, b"", b"\x03\xff\xff\xff"])
async def test_what_is_no_command_in_protobuf_closes(serve: Serve, open_raw: OpenRaw, frame: bytes) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True)), connect=False, query="?format=protobuf")
    await raw.connection.send(frame)
    assert await raw.closed() == (3501, "bad request")


async def test_compressed_messages_go_both_ways(serve: Serve, open_raw: OpenRaw) -> None:
    server = await serve(Hub(open_to_all=True), compression=True)
    raw = await open_raw(server, compression="deflate")
    assert [type(each).__name__ for each in raw.connection.protocol.extensions] == ["PerMessageDeflate"]
    await raw.ask("subscribe", channel="news")
    await raw.ask("publish", channel="news", data="long " * 500)
    raw.pushes += [await raw.line()] if not raw.pushes else []
    assert [push["push"]["pub"]["data"] for push in raw.pushes if "pub" in push["push"]] == ["long " * 500]


async def test_compressed_and_plain_clients_share_a_channel(serve: Serve, open_raw: OpenRaw) -> None:
    server = await serve(Hub(open_to_all=True), compression=True)
    raws = [await open_raw(server, compression=kind) for kind in ("deflate", None)]
    for raw in raws:
        await raw.ask("subscribe", channel="news")
    for text in ("short", "long " * 500):
        await server.publish("news", text)
        for raw in raws:
            assert (await raw.line())["push"]["pub"]["data"] == text


@pytest.mark.parametrize(
    ("origins", "claimed", "enters"),
    [
        (None, "http://elsewhere.example", False),
        (None, "null", False),
        (OriginRules(["http://*.example"]), "http://elsewhere.example", True),
        (OriginRules(["http://*.example"]), "http://elsewhere.test", False),
    ],
)
async def test_the_origin_decides_who_comes_in(
    serve: Serve, open_raw: OpenRaw, origins: OriginRules | None, claimed: Any, enters: bool
) -> None:
    server = await serve(Hub(open_to_all=True), origins=origins)
    if enters:
        await open_raw(server, origin=claimed)
        return
    with pytest.raises(InvalidStatus) as refused:
        await open_raw(server, origin=claimed)
    assert refused.value.response.status_code == 403


async def test_other_paths_are_the_applications(serve: Serve, open_raw: OpenRaw) -> None:
    server = await serve(Hub(open_to_all=True))
    with pytest.raises(InvalidStatus) as refused:
        await open_raw(server, query="/elsewhere")
    assert refused.value.response.status_code in (403, 404, 400, 426, 501)


async def test_a_close_frame_is_answered(serve: Serve, open_raw: OpenRaw) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True)))
    await raw.connection.close(1000)
    with pytest.raises(ConnectionClosed):
        await raw.connection.recv()
    assert raw.connection.close_code == 1000
