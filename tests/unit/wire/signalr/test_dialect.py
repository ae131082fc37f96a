import gc

import msgspec
import pytest

from vagus.kernel import codes, replies
from vagus.kernel.events import envelope_of, event
from vagus.kernel.publications import ClientInfo, Publication
from vagus.wire.signalr.dialect import DIALECTS, RESERVED, HubDialect

JSON, MESSAGEPACK = DIALECTS["json"], DIALECTS["messagepack"]


def told(dialect: HubDialect, record: bytes) -> tuple[str, object]:
    """Target and arguments of a record that holds an invocation."""
    if dialect is JSON:
        fields = msgspec.json.decode(record.removesuffix(b"\x1e"))
        return fields["target"], fields["arguments"]
    body = record[1:] if record[0] < 0x80 else record[2:]
    fields = msgspec.msgpack.decode(body)
    return fields[3], fields[4]


def published(dialect: HubDialect, publication: Publication) -> tuple[str, object]:
    return told(dialect, dialect.publication(dialect.opening("a"), publication))


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


@pytest.fixture(params=["json", "messagepack"])
def dialect(request: pytest.FixtureRequest) -> HubDialect:
    return DIALECTS[request.param]


def test_an_event_is_an_invocation_of_its_name(dialect: HubDialect) -> None:
    publication = Publication(raw({"type": "news", "payload": {"n": 1}}))
    assert published(dialect, publication) == ("news", [{"n": 1}])


def test_an_event_keeps_its_arguments_and_its_binary_values() -> None:
    publication = Publication(envelope_of(event("news", 1, b"\x00")))
    assert published(JSON, publication) == ("news", [1, "AA=="])
    assert published(MESSAGEPACK, publication) == ("news", [1, b"\x00"])


def test_other_data_is_told_with_all_that_is_known_of_it(dialect: HubDialect) -> None:
    info = ClientInfo("u", "c", raw({"x": 1}))
    publication = Publication(raw([1]), info, 7, {"t": "v"})
    whole = {
        "channel": "a",
        "data": [1],
        "offset": 7,
        "tags": {"t": "v"},
        "info": {"user": "u", "client": "c", "conn_info": {"x": 1}},
    }
    assert published(dialect, publication) == ("publication", [whole])
    assert published(dialect, Publication(raw(None))) == ("publication", [{"channel": "a", "data": None}])


@pytest.mark.parametrize("name", [*sorted(RESERVED), "Publication", "JOIN"])
def test_an_event_cannot_pass_for_one_of_the_hubs_own(dialect: HubDialect, name: str) -> None:
    target, arguments = published(dialect, Publication(raw({"type": name, "payload": 1})))
    assert (target, arguments) == ("publication", [{"channel": "a", "data": {"type": name, "payload": 1}}])


def test_what_happens_in_a_channel_is_told(dialect: HubDialect) -> None:
    info = ClientInfo("u", "c")
    someone = {"channel": "a", "info": {"user": "u", "client": "c"}}
    assert told(dialect, dialect.push(replies.Joined("a", info))) == ("join", [someone])
    assert told(dialect, dialect.push(replies.Left("a", info))) == ("leave", [someone])
    end = {"channel": "a", "code": 2501, "reason": "subscription expired"}
    assert told(dialect, dialect.push(replies.Ended("a", codes.SUBSCRIPTION_EXPIRED))) == ("unsubscribed", [end])
    assert told(dialect, dialect.push(replies.Message(raw([5])))) == ("message", [[5]])
    assert told(dialect, dialect.push(replies.Message(raw({"type": "news", "payload": 5})))) == ("news", [5])


def test_what_has_no_counterpart_is_not_told(dialect: HubDialect) -> None:
    assert dialect.push(replies.Attached("a", replies.Subscribed())) == b""
    assert dialect.push(replies.Renewed(expires=True, ttl=5)) == b""


@pytest.mark.parametrize(
    ("closure", "record"),
    [
        (codes.SHUTDOWN, b'{"type":7,"allowReconnect":true}\x1e'),
        (codes.NO_PONG, b'{"type":7,"error":"no pong","allowReconnect":true}\x1e'),
        (codes.MALFORMED, b'{"type":7,"error":"bad request"}\x1e'),
    ],
)
def test_a_farewell_says_whether_to_come_back(closure: codes.Closure, record: bytes) -> None:
    assert JSON.push(replies.Farewell(closure)) == record


def test_who_follows_a_channel_as_a_stream_gets_items_with_the_data_alone() -> None:
    stream = JSON.stream("5")
    item = stream.publication(stream.opening("a"), Publication(raw({"type": "news", "payload": 1}), offset=3))
    assert item == b'{"type":2,"invocationId":"5","item":{"type":"news","payload":1}}\x1e'


def test_streams_of_one_id_share_a_dialect_as_long_as_somebody_follows_one(dialect: HubDialect) -> None:
    one, other = dialect.stream("5"), dialect.stream("6")
    assert dialect.stream("5") is one is not other
    before = len(dialect._streams)
    del one, other
    gc.collect()
    assert len(dialect._streams) == before - 2
