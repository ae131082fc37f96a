"""Whatever JSON a client may publish, every dialect can tell its subscribers: one publication harms nobody's flow."""

from typing import Final

import msgspec
import pytest

from vagus.kernel.publications import Publication
from vagus.kernel.replies import Message
from vagus.wire import Dialect
from vagus.wire.centrifuge.json import JSON
from vagus.wire.centrifuge.protobuf import PROTOBUF
from vagus.wire.eventsource import Epochs, EventSourceDialect
from vagus.wire.signalr.dialect import DIALECTS
from vagus.wire.socketio import EventDialect

DEEP: Final = b"[" * 900 + b'{"_placeholder":true,"num":0}' + b"]" * 900

DATA: Final = {
    "a number beyond all bounds": b"1e999",
    "such a number inside": b'{"a":1e999}',
    "a long integer": b"123456789012345678901234567890",
    "nested deep": b"[" * 2_000 + b"]" * 2_000,
    "nested too deep": b"[" * 30_000 + b"]" * 30_000,
    "a key twice": b'{"a":1,"a":2}',
    "half a surrogate": b'"\\ud800"',
    "half a surrogate as a key": b'{"\\ud800":1}',
    "an event with such a number": b'{"type":"x","payload":1e999}',
    "an event nested too deep": b'{"type":"x","payload":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "an event named by half a surrogate": b'{"type":"\\ud800"}',
    "an event named by a number": b'{"type":5}',
    "an event without a name": b'{"type":"","payload":1}',
    "an event with a reserved name": b'{"type":"disconnect","payload":1}',
    "arguments that are none": b'{"type":"x","arguments":5}',
    "attachments beside such a number": b'{"type":"x","arguments":[1e999],"attachments":["AA=="]}',
    "attachments nested too deep": b'{"type":"x","arguments":' + DEEP + b',"attachments":["AA=="]}',
    "attachments that are no base64": b'{"type":"x","arguments":[{"_placeholder":true,"num":0}],"attachments":["A"]}',
    "attachments nobody placed": b'{"type":"x","arguments":[],"attachments":["AA=="]}',
    "attachments out of range": b'{"type":"x","arguments":[{"_placeholder":true,"num":9}],"attachments":["AA=="]}',
}

ALL: Final[dict[str, Dialect]] = {
    "centrifuge-json": JSON,
    "centrifuge-protobuf": PROTOBUF,
    "socketio": EventDialect(""),
    "socketio with offsets": EventDialect("chat", has_offsets=True),
    "signalr-json": DIALECTS["json"],
    "signalr-json stream": DIALECTS["json"].stream("1"),
    "signalr-messagepack": DIALECTS["messagepack"],
    "signalr-messagepack stream": DIALECTS["messagepack"].stream("1"),
    "eventsource": EventSourceDialect(Epochs(), of_several=False),
    "eventsource of several": EventSourceDialect(Epochs(), of_several=True),
}


@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.parametrize("data", DATA)
def test_any_json_can_be_told(dialect: str, data: str) -> None:
    speaks, raw = ALL[dialect], msgspec.Raw(DATA[data])
    assert speaks.publication(speaks.opening("news"), Publication(raw, offset=1))
    assert isinstance(speaks.push(Message(raw)), bytes)
