"""Requests out, replies in: the native dialect in JSON from the client's side, against the server's own encoder."""

import msgspec
import pytest

from vagus.client.errors import ProtocolError
from vagus.client.protocol import json_from, replies_from, request
from vagus.kernel import codes, commands, replies
from vagus.kernel.publications import ClientInfo, Publication
from vagus.wire.centrifuge.json import JSON


def test_the_server_understands_requests() -> None:
    text = request(7, "rpc", {"method": "orders.cancel", "data": json_from([1, "ü"])})
    assert list(JSON.decode(text.encode())) == [(7, commands.Call("orders.cancel", msgspec.Raw('[1,"ü"]'.encode())))]


def test_what_nobody_answers_has_no_number() -> None:
    assert request(0, "send", {"data": 1}) == '{"send":{"data":1}}'


def test_many_lines_of_the_server_are_many_replies() -> None:
    published = Publication(msgspec.Raw(b'{"n":1}'), info=ClientInfo("ada", "c"), offset=3, tags={"k": "v"})
    lines = [
        JSON.reply(1, replies.Connected("c", "1", ping=25, pong=True)),
        JSON.ping,
        JSON.publication(JSON.opening("news"), published),
        JSON.reply(2, codes.LIMIT_EXCEEDED),
        JSON.push(replies.Message(msgspec.Raw(b"true"))),
    ]
    welcome, ping, push, refused, message = replies_from(JSON.join(lines))
    assert welcome.connect is not None and (welcome.id, welcome.connect.ping) == (1, 25)
    assert (ping.id, ping.push) == (0, None)
    assert push.push is not None and push.push.pub is not None and push.push.channel == "news"
    assert (bytes(push.push.pub.data), push.push.pub.offset, push.push.pub.tags) == (b'{"n":1}', 3, {"k": "v"})
    assert push.push.pub.info is not None and push.push.pub.info.user == "ada"
    assert refused.error == codes.LIMIT_EXCEEDED
    assert message.push is not None and message.push.message is not None


@pytest.mark.parametrize("frame", [b"{", b"[]", b"7", b'{"id":"x"}', b"\xff", b'{}\n{"push":3}', b"[" * 10**5])
def test_what_is_not_the_protocol_is_refused(frame: bytes) -> None:
    with pytest.raises(ProtocolError, match="does not speak the protocol"):
        replies_from(frame)


def test_json_of_a_programs_own_becomes_one_line() -> None:
    assert bytes(json_from(msgspec.Raw(b'{\n"a": 1}'))) == b'{"a":1}'
    with pytest.raises(TypeError):
        json_from(object())
