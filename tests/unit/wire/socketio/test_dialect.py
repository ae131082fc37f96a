"""What many clients of a namespace get."""

import msgspec
import pytest

from vagus.kernel import codes, replies
from vagus.kernel.codes import Ending
from vagus.kernel.events import Event
from vagus.kernel.publications import ClientInfo, Json, Publication
from vagus.kernel.replies import Push
from vagus.wire.encoding import Binary, Framing, Packet
from vagus.wire.socketio import EventDialect, engine

ROOT, CHAT = EventDialect(), EventDialect("chat")
INFO = ClientInfo("ada", "c1", msgspec.Raw(b'{"name":"Ada"}'))


def raw(text: bytes) -> Json:
    return msgspec.Raw(text)


def published(dialect: EventDialect, data: bytes, **fields: object) -> bytes:
    publication = Publication(raw(data), **fields)  # type: ignore[arg-type]  # fields are named by the caller
    return dialect.publication(dialect.opening("news"), publication)


def test_a_publication_is_an_event_with_one_argument() -> None:
    assert published(ROOT, b'{"n":1}') == b'42["publication",{"channel":"news","data":{"n":1}}]'
    assert published(ROOT, b"1", offset=7) == b'42["publication",{"channel":"news","data":1,"offset":7}]'
    assert published(CHAT, b"1") == b'42/chat,["publication",{"channel":"news","data":1}]'


def test_a_publication_names_its_sender_and_its_tags() -> None:
    part = published(ROOT, b"1", offset=7, tags={"a": "b"}, info=INFO)
    assert msgspec.json.decode(part[2:])[1] == {
        "channel": "news",
        "data": 1,
        "offset": 7,
        "tags": {"a": "b"},
        "info": {"user": "ada", "client": "c1", "conn_info": {"name": "Ada"}},
    }


def test_an_envelope_is_the_event_that_it_holds() -> None:
    assert published(CHAT, b'{"type":"tick","id":"1","at":5,"payload":{"n":1}}') == b'42/chat,["tick",{"n":1}]'
    assert published(ROOT, b'{"type":"tick"}') == b'42["tick"]'
    assert published(ROOT, b'{"type":"tick","arguments":[1,"b",null]}') == b'42["tick",1,"b",null]'


@pytest.mark.parametrize("name", ["connect", "disconnect", "connect_error", "disconnecting", "newListener"])
def test_an_envelope_with_a_reserved_name_is_a_publication(name: str) -> None:
    data = b'{"type":"%b","payload":1}' % name.encode()
    assert published(ROOT, data) == b'42["publication",{"channel":"news","data":%b}]' % data


def test_an_event_with_binary_values_is_followed_by_them() -> None:
    part = published(CHAT, b'{"type":"file","arguments":[{"_placeholder":true,"num":0}],"attachments":["YWJj"]}')
    assert part == b'451-/chat,["file",{"_placeholder":true,"num":0}]'
    assert isinstance(part, Packet)
    assert part.attachments == (b"abc",)


def test_packets_have_a_frame_each_and_in_a_body_a_separator() -> None:
    file = published(ROOT, b'{"type":"f","arguments":[{"_placeholder":true,"num":0}],"attachments":["YWJj"]}')
    polled = Framing(bytes, engine.binary_in_body, separator=engine.SEPARATOR, is_each=True)
    text = b'42["a"]\x1e451-["f",{"_placeholder":true,"num":0}]\x1ebYWJj'
    assert polled.encoding(ROOT).messages([b'42["a"]', file]) == [text]
    bare = Framing(bytes, Binary, separator=None)
    assert bare.encoding(ROOT).messages([b'42["a"]', file]) == [b'42["a"]', bytes(file), b"abc"]


@pytest.mark.parametrize(
    ("push", "expected"),
    [
        (replies.Joined("news", INFO), b'42["join",{"channel":"news","info":%b}]' % msgspec.json.encode(INFO)),
        (replies.Left("news", INFO), b'42["leave",{"channel":"news","info":%b}]' % msgspec.json.encode(INFO)),
        (
            replies.Ended("news", Ending(2000, "server unsubscribe")),
            b'42["unsubscribed",{"channel":"news","code":2000,"reason":"server unsubscribe"}]',
        ),
        (replies.Message(raw(b'{"a":1}')), b'42["message",{"a":1}]'),
        (replies.Message(raw(b'{"type":"alert","payload":1}')), b'42["alert",1]'),
        (replies.Attached("news", replies.Subscribed()), b""),
        (replies.Renewed(True, 5), b""),
        (replies.Farewell(codes.SHUTDOWN), b""),
    ],
)
def test_pushes_are_events(push: Push, expected: bytes) -> None:
    assert ROOT.push(push) == expected


def test_with_recovery_every_event_has_an_offset_of_its_own_at_its_end() -> None:
    dialect = EventDialect("chat", has_offsets=True)
    parts = [
        published(dialect, b"1"),
        published(dialect, b'{"type":"tick"}'),
        published(dialect, b'{"type":"f","arguments":[{"_placeholder":true,"num":0}],"attachments":["YWJj"]}'),
        dialect.push(replies.Message(raw(b'"text"'))),
        dialect.push(replies.Joined("news", INFO)),
    ]
    offsets = [dialect.offset_of(part) for part in parts]
    assert None not in offsets
    assert len(set(offsets)) == len(parts)
    lasts = [msgspec.json.decode(part[part.index(b"[") :])[-1].encode() for part in parts]
    assert lasts == offsets


@pytest.mark.parametrize("part", [b'40/chat,{"sid":"a"}', b'43/chat,1["a"]', b'42/chat,1["q","z"]', b'42["a","b"]'])
def test_nothing_else_has_an_offset(part: bytes) -> None:
    assert EventDialect("chat", has_offsets=True).offset_of(part) is None


def test_an_event_that_asks_for_an_ack_has_no_offset() -> None:
    dialect = EventDialect(has_offsets=True)
    part = dialect.event(Event("q", raw(b'["z"]')), 1)
    assert part == b'421["q","z"]'
    assert dialect.offset_of(part) is None


def test_offsets_go_on_beyond_one_digit() -> None:
    dialect = EventDialect(has_offsets=True)
    offsets = [dialect.offset_of(published(dialect, b"1")) for _ in range(2_000)]
    assert (offsets[0], offsets[35], offsets[1295]) == (b"1", b"10", b"100")
