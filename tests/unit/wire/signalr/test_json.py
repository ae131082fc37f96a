import msgspec
import pytest

from vagus.kernel.errors import DisconnectError
from vagus.wire.signalr.json import JSON
from vagus.wire.signalr.messages import Ack, CancelInvocation, Close, Completion, Invocation, Item, Ping, Sequence


def raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ('{"type":1,"target":"Send","arguments":[1,"a"]}', Invocation("Send", raw('[1,"a"]'))),
        ('{"target":"Send","arguments":[],"invocationId":"7","type":1}', Invocation("Send", id="7")),
        ('{"type":1,"target":"S","invocationId":null,"streamIds":null,"arguments":[]}', Invocation("S")),
        (
            '{"type":4,"invocationId":"7","target":"S","arguments":[],"streamIds":["8","9"],"headers":{"a":"b"}}',
            Invocation("S", id="7", streams=("8", "9"), wants_stream=True),
        ),
        ('{"type":2,"invocationId":"8","item":{"x":1}}', Item("8", raw('{"x":1}'))),
        ('{"type":2,"invocationId":"8"}', Item("8", raw("null"))),
        ('{"type":3,"invocationId":"8","result":5}', Completion("8", raw("5"))),
        ('{"type":3,"invocationId":"8","error":"oh"}', Completion("8", error="oh")),
        ('{"type":3,"invocationId":"8"}', Completion("8")),
        ('{"type":5,"invocationId":"8"}', CancelInvocation("8")),
        ('{"type":6}', Ping()),
        ('{"type":7,"error":"oh","allowReconnect":true}', Close("oh")),
        ('{"type":8,"sequenceId":12}', Ack(12)),
        ('{"type":9,"sequenceId":13}', Sequence(13)),
        ('{"type":99,"invocationId":5}', None),
    ],
)
def test_every_kind_of_message_is_read(record: str, message: object) -> None:
    if message is None:
        record = '{"type":99,"what":5}'
    assert JSON.read(record.encode()) == message


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"{}",
        b"[]",
        b"nonsense",
        b'{"type":"1"}',
        b'{"type":1}',
        b'{"type":1,"target":"S","arguments":{}}',
        b'{"type":1,"target":5,"arguments":[]}',
        b'{"type":4,"target":"S","arguments":[]}',
        b'{"type":2,"item":1}',
        b'{"type":3,"invocationId":""}',
        b'{"type":5,"invocationId":"' + b"x" * 256 + b'"}',
        b'{"type":8,"sequenceId":-1}',
        b'{"type":9}',
        b'{"type":1,"target":"S","arguments":["\xff"]}',
        b'{"type":1,"target":"S","arguments":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    ],
)
def test_what_is_no_message_is_refused(record: bytes) -> None:
    with pytest.raises(DisconnectError):
        JSON.read(record)


def test_messages_are_written_as_clients_expect_them() -> None:
    opening = JSON.item_opening("3")
    assert JSON.invocation("news", raw("[1]")) == b'{"type":1,"target":"news","arguments":[1]}\x1e'
    assert JSON.invocation("ask", raw("[]"), id="s1") == (
        b'{"type":1,"invocationId":"s1","target":"ask","arguments":[]}\x1e'
    )
    assert JSON.item(opening, raw("5")) == b'{"type":2,"invocationId":"3","item":5}\x1e'
    assert JSON.completion("3", raw("null")) == b'{"type":3,"invocationId":"3","result":null}\x1e'
    assert JSON.completion("3", raw("")) == b'{"type":3,"invocationId":"3"}\x1e'
    assert JSON.failure("3", "oh") == b'{"type":3,"invocationId":"3","error":"oh"}\x1e'
    assert JSON.close("", reconnects=True) == b'{"type":7,"allowReconnect":true}\x1e'
    assert JSON.close("oh", reconnects=False) == b'{"type":7,"error":"oh"}\x1e'
    assert JSON.ack(5) == b'{"type":8,"sequenceId":5}\x1e'
    assert JSON.sequence(6) == b'{"type":9,"sequenceId":6}\x1e'


def test_binary_values_are_base64_in_their_places() -> None:
    array = raw('[{"_placeholder":true,"num":0},1]')
    assert JSON.invocation("t", array, (b"\x00\x01",)) == b'{"type":1,"target":"t","arguments":["AAE=",1]}\x1e'


def test_the_answer_to_a_handshake_counts_as_no_message_of_its_own() -> None:
    assert JSON.count(JSON.invocation("a", raw("[]")) + JSON.completion("1", raw("1"))) == 2
