"""The Protobuf dialect against the classes that protoc generated for another project's client.

Those classes are the oracle: what they write is what we read, and what we write is what they read. What they do not
have yet (a publication's epoch, a subscription's type) is checked by its bytes.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest
from centrifuge.fossil import apply_delta
from centrifuge.protocol import client_pb2 as pb
from hypothesis import example, given
from hypothesis import strategies as st

from vagus.kernel import codes, commands, replies
from vagus.kernel.errors import DisconnectError
from vagus.kernel.filters import FilterNode
from vagus.kernel.publications import NOTHING, ClientInfo, Position, Publication
from vagus.wire import Talkative
from vagus.wire.centrifuge import fossil
from vagus.wire.centrifuge.protobuf import PROTOBUF
from vagus.wire.centrifuge.schema import MAX_DEPTH, varint

DIALECT: Talkative = PROTOBUF
OPENING = DIALECT.opening("news")
Raw = msgspec.Raw

COMMAND_FIELDS: dict[type, str] = {
    commands.Connect: "connect",
    commands.Subscribe: "subscribe",
    commands.Unsubscribe: "unsubscribe",
    commands.Publish: "publish",
    commands.Presence: "presence",
    commands.PresenceStats: "presence_stats",
    commands.History: "history",
    commands.Send: "send",
    commands.Call: "rpc",
    commands.Refresh: "refresh",
    commands.SubRefresh: "sub_refresh",
}
REPLY_FIELDS: dict[type, str] = {
    codes.Fault: "error",
    replies.Connected: "connect",
    replies.Subscribed: "subscribe",
    replies.Unsubscribed: "unsubscribe",
    replies.Published: "publish",
    replies.PresenceResult: "presence",
    replies.PresenceStatsResult: "presence_stats",
    replies.HistoryResult: "history",
    replies.CallResult: "rpc",
    replies.Refreshed: "refresh",
    replies.SubRefreshed: "sub_refresh",
}


# --- Between our values, plain ones, and the oracle's ---


def plain(value: Any) -> Any:
    """A value as nested dictionaries without what is absent or at zero."""
    if isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        return {name: plain(field) for name, field in fields.items() if field or isinstance(field, msgspec.Struct)}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return bytes(value) if isinstance(value, Raw) else value


def plain_from_oracle(message: Any) -> dict[str, Any]:
    """The same of a message that the oracle has read."""
    found: dict[str, Any] = {}
    for field, value in message.ListFields():
        if field.message_type is None:
            found[field.name] = list(value) if field.is_repeated else value
        elif field.message_type.GetOptions().map_entry:
            nested = field.message_type.fields_by_name["value"].message_type is not None
            found[field.name] = {key: plain_from_oracle(value[key]) if nested else value[key] for key in value}
        elif field.is_repeated:
            found[field.name] = [plain_from_oracle(item) for item in value]
        else:
            found[field.name] = plain_from_oracle(value)
    return found


def framed(message: bytes) -> bytes:
    return varint(len(message)) + message


def written(number: int = 0, **fields: Any) -> bytes:
    """A frame with one command, as the oracle writes it."""
    return framed(bytes(pb.Command(id=number, **fields).SerializeToString()))


def as_written(number: int, command: commands.Command) -> bytes:
    return written(number, **{COMMAND_FIELDS[type(command)]: plain(command)})


def read(frames: bytes) -> Iterator[Any]:
    """The replies of a message, as the oracle reads them."""
    while frames:
        size = shift = at = 0
        while True:
            size, shift, at = size | (frames[at] & 0x7F) << shift, shift + 7, at + 1
            if frames[at - 1] < 0x80:
                break
        assert at + size <= len(frames)
        yield pb.Reply.FromString(frames[at : at + size])
        frames = frames[at + size :]


def read_one(frame: bytes) -> Any:
    (reply,) = read(frame)
    return reply


def pushed(frame: bytes) -> dict[str, Any]:
    reply = plain_from_oracle(read_one(frame))
    assert set(reply) == {"push"}
    push: dict[str, Any] = reply["push"]
    return push


def refusal(message: bytes) -> codes.Closure:
    with pytest.raises(DisconnectError) as refused:
        list(DIALECT.decode(message))
    return refused.value.closure


def length_field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + framed(content)


# --- Values of every shape ---

texts = st.text(max_size=12)
json_texts = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
).map(lambda value: Raw(msgspec.json.encode(value)))
data = st.just(NOTHING) | json_texts
u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**64 - 1)
i64 = st.integers(-(2**63), 2**63 - 1)
positions = st.builds(Position, u64, texts)
filters = st.recursive(
    st.builds(FilterNode, key=texts, cmp=texts, val=texts, vals=st.lists(texts, max_size=3).map(tuple)),
    lambda inner: st.builds(FilterNode, op=texts, nodes=st.lists(inner, max_size=3).map(tuple)),
    max_leaves=5,
)
subscribes = st.builds(
    commands.Subscribe,
    channel=texts,
    token=texts,
    recover=st.booleans(),
    epoch=texts,
    offset=u64,
    data=data,
    positioned=st.booleans(),
    recoverable=st.booleans(),
    join_leave=st.booleans(),
    delta=texts,
    tf=st.none() | filters,
    flag=i64,
)
connects = st.builds(
    commands.Connect,
    token=texts,
    data=data,
    subs=st.none() | st.dictionaries(texts, subscribes, min_size=1, max_size=3),
    name=texts,
    version=texts,
    headers=st.none() | st.dictionaries(texts, texts, min_size=1, max_size=3),
    flag=i64,
)
any_command: st.SearchStrategy[commands.Command] = st.one_of(
    connects,
    subscribes,
    st.builds(commands.Unsubscribe, texts),
    st.builds(commands.Publish, texts, data),
    st.builds(commands.Presence, texts),
    st.builds(commands.PresenceStats, texts),
    st.builds(
        commands.History, texts, st.integers(-(2**31), 2**31 - 1), since=st.none() | positions, reverse=st.booleans()
    ),
    st.builds(commands.Call, texts, data),
    st.builds(commands.Send, data),
    st.builds(commands.Refresh, texts),
    st.builds(commands.SubRefresh, texts, texts),
)
tags = st.none() | st.dictionaries(texts, texts, min_size=1, max_size=3)
infos = st.builds(ClientInfo, texts, texts, data, data)
publications = st.builds(
    Publication, json_texts, info=st.none() | infos, offset=u64, tags=tags, time=st.integers(0, 2**63 - 1)
)
several_publications = st.lists(publications, max_size=3).map(tuple)
subscribeds = st.builds(
    replies.Subscribed,
    expires=st.booleans(),
    ttl=u32,
    recoverable=st.booleans(),
    epoch=texts,
    publications=several_publications,
    recovered=st.booleans(),
    offset=u64,
    positioned=st.booleans(),
    data=data,
    was_recovering=st.booleans(),
)
any_reply: st.SearchStrategy[replies.Reply] = st.one_of(
    st.builds(codes.Fault, u32, texts, st.booleans()),
    st.builds(
        replies.Connected,
        texts,
        texts,
        expires=st.booleans(),
        ttl=u32,
        data=data,
        subs=st.none() | st.dictionaries(texts, subscribeds, min_size=1, max_size=3),
        ping=u32,
        pong=st.booleans(),
        session=texts,
        node=texts,
        time=i64,
    ),
    subscribeds,
    st.just(replies.Unsubscribed()),
    st.just(replies.Published()),
    st.builds(replies.PresenceResult, st.dictionaries(texts, infos, max_size=3)),
    st.builds(replies.PresenceStatsResult, u32, u32),
    st.builds(replies.HistoryResult, several_publications, texts, u64),
    st.builds(replies.CallResult, data),
    st.builds(replies.Refreshed, st.booleans(), u32),
    st.builds(replies.SubRefreshed, st.booleans(), u32),
)


# --- Commands ---


@given(st.integers(1, 2**32 - 1), any_command)
def test_what_the_oracle_writes_is_read_as_the_same_command(number: int, command: commands.Command) -> None:
    assert list(DIALECT.decode(as_written(number, command))) == [(number, command)]


@pytest.mark.parametrize("kind", COMMAND_FIELDS)
def test_a_command_with_every_field_at_its_default_is_an_empty_message(kind: type) -> None:
    assert list(DIALECT.decode(written(7, **{COMMAND_FIELDS[kind]: {}}))) == [(7, kind())]


def test_every_command_but_the_pong_is_in_the_table() -> None:
    assert {*COMMAND_FIELDS, commands.Pong} == set(commands.Native.__args__)


@given(st.lists(st.tuples(st.integers(1, 99), any_command), min_size=1, max_size=4))
def test_several_commands_of_one_message_come_in_order(pairs: list[tuple[int, commands.Command]]) -> None:
    assert list(DIALECT.decode(b"".join(as_written(*pair) for pair in pairs))) == pairs


def test_commands_before_a_bad_one_are_given_out() -> None:
    decoded = DIALECT.decode(written(1, connect={}) + b"\x05\x08")
    assert next(decoded) == (1, commands.Connect())
    with pytest.raises(DisconnectError):
        next(decoded)


def test_an_empty_command_is_a_pong() -> None:
    assert list(DIALECT.decode(b"\x00")) == [(0, commands.Pong())]


def test_a_command_of_a_later_protocol_without_a_number_is_a_pong_as_in_json() -> None:
    assert list(DIALECT.decode(framed(length_field(99, b"")))) == [(0, commands.Pong())]


def test_a_message_without_a_command_is_refused() -> None:
    assert refusal(b"") == codes.MALFORMED


def test_only_a_send_may_be_without_a_number() -> None:
    assert list(DIALECT.decode(written(0, send={"data": b"1"}))) == [(0, commands.Send(Raw(b"1")))]
    assert list(DIALECT.decode(written(3, send={"data": b"1"}))) == [(3, commands.Send(Raw(b"1")))]


@pytest.mark.parametrize("field", [name for name in COMMAND_FIELDS.values() if name != "send"])
def test_a_command_that_wants_an_answer_needs_a_number(field: str) -> None:
    assert refusal(written(0, **{field: {}})) == codes.MALFORMED


@pytest.mark.parametrize("message", [written(5), written(5, ping={}), framed(b"\x08\x05" + length_field(99, b""))])
def test_a_number_without_a_known_command_is_refused(message: bytes) -> None:
    assert refusal(message) == codes.MALFORMED


def test_of_several_commands_in_one_the_first_of_the_protocol_counts() -> None:
    message = written(1, rpc={"method": "m"}, publish={"channel": "p"}, refresh={"token": "t"})
    assert list(DIALECT.decode(message)) == [(1, commands.Publish("p"))]


def test_a_number_of_more_than_32_bits_is_refused() -> None:
    connect = length_field(4, b"")
    assert list(DIALECT.decode(framed(b"\x08\xff\xff\xff\xff\x0f" + connect))) == [(2**32 - 1, commands.Connect())]
    assert refusal(framed(b"\x08\x80\x80\x80\x80\x10" + connect)) == codes.MALFORMED


def test_empty_data_is_absent() -> None:
    (_, command), *_ = DIALECT.decode(framed(b"\x08\x01" + length_field(7, length_field(2, b""))))
    assert isinstance(command, commands.Publish)
    assert command.data is NOTHING


def test_the_type_of_a_subscription_is_read() -> None:
    subscribe = length_field(5, length_field(1, b"a") + b"\x78\x01")
    assert list(DIALECT.decode(framed(b"\x08\x01" + subscribe))) == [(1, commands.Subscribe("a", type=1))]


def test_data_is_passed_on_as_it_came() -> None:
    ((_, command),) = DIALECT.decode(written(1, publish={"channel": "c", "data": b"\xff not JSON\n"}))
    assert command == commands.Publish("c", Raw(b"\xff not JSON\n"))


# --- Hostile bytes ---

UNKNOWN_FIELDS = {
    "varint": varint(99 << 3) + b"\x96\x01",
    "eight bytes": varint(99 << 3 | 1) + b"12345678",
    "length": length_field(99, b"\xff\xff"),
    "four bytes": varint(99 << 3 | 5) + b"1234",
    "highest number": varint((2**29 - 1) << 3) + b"\x01",
}
MALFORMED_COMMANDS = {
    "a number is missing": b"\x08",
    "a number does not end": b"\x08\xff",
    "a number of eleven bytes": b"\x08" + b"\x80" * 10 + b"\x00",
    "a number of 65 bits": b"\x08" + b"\xff" * 9 + b"\x02",
    "a length of six bytes": b"\x22\x80\x80\x80\x80\x80\x00",
    "a key of six bytes": b"\x88\x80\x80\x80\x80\x00\x01",
    "field number zero": b"\x00\x01",
    "a key of more than 32 bits": b"\x80\x80\x80\x80\x10\x01",
    "a group": varint(99 << 3 | 3) + varint(99 << 3 | 4),
    "the end of a group": varint(99 << 3 | 4),
    "wire type 6": varint(99 << 3 | 6) + b"\x00",
    "wire type 7": varint(99 << 3 | 7) + b"\x00",
    "a number as text": length_field(1, b"1"),
    "a message as a number": b"\x20\x01",
    "a message as four bytes": b"\x25\x00\x00\x00\x00",
    "a reserved field cut short": varint(2 << 3 | 2) + b"\x09a",
    "a length past the end": b"\x22\x7f",
    "a text past the end of its message": length_field(7, b"\x0a\x05ab") + b"cde",
    "a number past the end of its message": length_field(10, b"\x38\x80") + b"\x01",
    "an unknown number past the end of its message": length_field(7, varint(99 << 3) + b"\x80") + b"\x01",
    "eight bytes cut short": varint(99 << 3 | 1) + b"1234567",
    "four bytes cut short": varint(99 << 3 | 5) + b"123",
    "text that is no UTF-8": length_field(7, length_field(1, b"\xff")),
    "text with half a character pair": length_field(7, length_field(1, b"\xed\xa0\x80")),
    "a limit of 33 bits": length_field(10, b"\x38\x80\x80\x80\x80\x10"),
    "a mapping's key of another type": length_field(4, length_field(6, b"\x08\x01")),
    "the same command twice": length_field(7, b"") * 2,
}


@pytest.mark.parametrize("unknown", UNKNOWN_FIELDS.values(), ids=UNKNOWN_FIELDS)
def test_unknown_fields_are_skipped_at_every_depth(unknown: bytes) -> None:
    position = unknown + b"\x08\x05" + unknown
    history = unknown + length_field(1, b"c") + unknown + length_field(8, position)
    message = unknown + b"\x08\x02" + unknown + length_field(10, history) + unknown
    assert list(DIALECT.decode(framed(message))) == [(2, commands.History("c", since=Position(5)))]


@pytest.mark.parametrize("content", MALFORMED_COMMANDS.values(), ids=MALFORMED_COMMANDS)
def test_a_malformed_command_is_refused(content: bytes) -> None:
    assert refusal(framed(content)) == codes.MALFORMED
    assert refusal(framed(b"\x08\x01" + length_field(12, b"") + content)) == codes.MALFORMED


@pytest.mark.parametrize(
    "prefix", [b"\x80", b"\x01", b"\x80" * 10 + b"\x01", b"\xff" * 9 + b"\x01", b"\xff" * 9 + b"\x7f"]
)
def test_a_frame_whose_length_makes_no_sense_is_refused(prefix: bytes) -> None:
    assert refusal(prefix) == codes.MALFORMED


def test_padded_numbers_are_read() -> None:
    number, publish = b"\x88\x00\x81\x80\x00", b"\xba\x00\x84\x00" + b"\x0a\x81\x00c"
    assert list(DIALECT.decode(b"\x8d\x80\x00" + number + publish)) == [(1, commands.Publish("c"))]


@given(st.data(), any_command)
def test_a_command_cut_short_anywhere_is_refused(draw: st.DataObject, command: commands.Command) -> None:
    message = as_written(1, command)
    assert refusal(message[: draw.draw(st.integers(0, len(message) - 1))]) == codes.MALFORMED


def nested_filter(depth: int) -> bytes:
    node = b""
    for _ in range(depth):
        node = length_field(6, node)
    return framed(b"\x08\x01" + length_field(5, length_field(13, node)))


def test_messages_are_nested_no_deeper_than_the_bound() -> None:
    assert list(DIALECT.decode(nested_filter(MAX_DEPTH - 2)))
    assert refusal(nested_filter(MAX_DEPTH - 1)) == codes.MALFORMED
    assert refusal(nested_filter(10_000)) == codes.MALFORMED


@given(st.binary(max_size=60))
@example(b"\x02\x08\x01")
def test_any_bytes_are_commands_or_malformed(message: bytes) -> None:
    try:
        for number, command in DIALECT.decode(message):
            assert 0 <= number < 2**32
            assert isinstance(command, commands.Command)
    except DisconnectError as refused:
        assert refused.closure == codes.MALFORMED


@given(st.data(), any_command)
def test_a_changed_byte_is_refused_or_read_as_the_oracle_reads_it(
    draw: st.DataObject, command: commands.Command
) -> None:
    changed = bytearray(pb.Command(id=1, **{COMMAND_FIELDS[type(command)]: plain(command)}).SerializeToString())
    changed[draw.draw(st.integers(0, len(changed) - 1))] = draw.draw(st.integers(0, 255))
    try:
        ((number, found),) = DIALECT.decode(framed(bytes(changed)))
    except DisconnectError:
        return
    oracle = plain_from_oracle(pb.Command.FromString(bytes(changed)))
    assert number == oracle.get("id", 0)
    if not isinstance(found, commands.Pong):
        expected = oracle[COMMAND_FIELDS[type(found)]]
        assert without_absent(plain(found)) == without_absent(expected)


def without_absent(value: Any) -> Any:
    """Without what one side alone has: fields that the oracle does not know, empty maps' entries."""
    if isinstance(value, dict):
        return {key: without_absent(item) for key, item in value.items() if key != "type"}
    return [without_absent(item) for item in value] if isinstance(value, list) else value


# --- Replies and pushes ---


@given(u32, any_reply)
def test_what_we_reply_is_read_by_the_oracle_as_the_same_values(number: int, reply: replies.Reply) -> None:
    found = plain_from_oracle(read_one(DIALECT.reply(number, reply)))
    assert found.pop("id", 0) == number
    assert found == {REPLY_FIELDS[type(reply)]: plain(reply)}


def test_every_reply_is_in_the_table() -> None:
    assert set(REPLY_FIELDS) == set(replies.Reply.__args__)


@given(texts, infos)
def test_those_who_come_and_go_are_pushed(channel: str, info: ClientInfo) -> None:
    opening = {"channel": channel} if channel else {}
    assert pushed(DIALECT.push(replies.Joined(channel, info))) == {**opening, "join": {"info": plain(info)}}
    assert pushed(DIALECT.push(replies.Left(channel, info))) == {**opening, "leave": {"info": plain(info)}}


@pytest.mark.parametrize("ending", codes.ENDINGS)
def test_an_ending_is_pushed(ending: codes.Ending) -> None:
    push = pushed(DIALECT.push(replies.Ended("news", ending)))
    assert push == {"channel": "news", "unsubscribe": {"code": ending.code, "reason": ending.reason}}


@given(subscribeds)
def test_an_attached_subscription_is_pushed_with_its_position(subscribed: replies.Subscribed) -> None:
    push = pushed(DIALECT.push(replies.Attached("news", subscribed)))
    kept = ("recoverable", "epoch", "offset", "positioned", "data")
    expected = {name: value for name, value in plain(subscribed).items() if name in kept}
    assert push == {"channel": "news", "subscribe": expected}


def test_a_message_and_a_renewal_are_pushed_without_a_channel() -> None:
    assert pushed(DIALECT.push(replies.Message(Raw(b"[1]")))) == {"message": {"data": b"[1]"}}
    assert pushed(DIALECT.push(replies.Renewed(expires=True, ttl=60))) == {"refresh": {"expires": True, "ttl": 60}}


def test_a_farewell_says_whether_to_come_back() -> None:
    assert pushed(DIALECT.push(replies.Farewell(codes.SHUTDOWN))) == {
        "disconnect": {"code": 3001, "reason": "shutdown", "reconnect": True}
    }
    assert pushed(DIALECT.push(replies.Farewell(codes.STALE))) == {"disconnect": {"code": 3502, "reason": "stale"}}


def test_a_ping_is_an_empty_reply() -> None:
    assert DIALECT.ping == b"\x00"
    assert plain_from_oracle(read_one(DIALECT.ping)) == {}


def test_joined_parts_are_read_one_after_the_other() -> None:
    publication = DIALECT.publication(OPENING, Publication(Raw(b"1"), offset=1))
    parts = [DIALECT.ping, publication, DIALECT.reply(4, replies.Published())]
    first, second, third = (plain_from_oracle(reply) for reply in read(DIALECT.join(parts)))
    assert first == {}
    assert second == {"push": {"channel": "news", "pub": {"data": b"1", "offset": 1}}}
    assert third == {"id": 4, "publish": {}}


# --- Publications ---


@given(texts, publications)
def test_a_live_publication_is_read_by_the_oracle_without_its_time(channel: str, publication: Publication) -> None:
    expected = plain(msgspec.structs.replace(publication, time=0))
    push = pushed(DIALECT.publication(DIALECT.opening(channel), publication))
    assert push == ({"channel": channel, "pub": expected} if channel else {"pub": expected})


@pytest.mark.parametrize("size", [0, 1, 99, 100, 120, 127, 128, 16_370, 16_383, 16_384, 2_097_152])
def test_lengths_are_right_where_they_grow_by_a_byte(size: int) -> None:
    text = Raw(b'"' + b"x" * size + b'"')
    assert pushed(DIALECT.publication(OPENING, Publication(text)))["pub"] == {"data": bytes(text)}


def test_the_epoch_of_a_first_publication_is_field_14() -> None:
    frame = DIALECT.publication(OPENING, Publication(Raw(b"1"), offset=1, epoch="Ab"))
    assert pushed(frame)["pub"] == {"data": b"1", "offset": 1}
    assert frame.endswith(length_field(14, b"Ab"))


def test_a_base_of_patches_is_an_ordinary_publication() -> None:
    publication = Publication(Raw(b'{"n":1}'), offset=1, tags={"a": "b"})
    assert DIALECT.full(OPENING, publication) == DIALECT.publication(OPENING, publication)


def test_a_patch_makes_the_publication_out_of_its_base() -> None:
    base = b'{"names":["' + b"x" * 200 + b'"],"n":1}'
    target = base.replace(b":1", b":2")
    publication = Publication(Raw(target), offset=2, tags={"a": "b"}, info=ClientInfo("u", "c"))
    pub = pushed(DIALECT.patch(OPENING, publication, base))["pub"]
    assert pub["delta"] is True
    assert apply_delta(base, pub["data"]) == target == fossil.apply(base, pub["data"])
    assert (pub["offset"], pub["tags"], pub["info"]) == (2, {"a": "b"}, {"user": "u", "client": "c"})


def test_where_a_patch_is_no_shorter_the_publication_is_sent_in_full() -> None:
    publication = Publication(Raw(b"[2]"), offset=2)
    assert DIALECT.patch(OPENING, publication, b'{"n":1}') == DIALECT.full(OPENING, publication)


def restored(found: list[dict[str, Any]]) -> list[bytes]:
    """What a client makes of a chain of patches."""
    texts: list[bytes] = []
    for publication in found:
        patched = publication.get("delta", False)
        texts.append(bytes(apply_delta(texts[-1], publication["data"])) if patched else publication["data"])
    return texts


@given(st.lists(st.integers(0, 9), max_size=6), st.booleans())
def test_recovered_publications_with_deltas_are_a_chain_of_patches(numbers: list[int], long: bool) -> None:
    padding = "x" * (100 if long else 0)
    texts = [msgspec.json.encode({"padding": padding, "n": number}) for number in numbers]
    recovered = tuple(Publication(Raw(text), offset=1 + at, time=5) for at, text in enumerate(texts))
    reply = replies.Subscribed(delta=True, recovered=True, epoch="e", publications=recovered)
    found = plain_from_oracle(read_one(DIALECT.reply(1, reply)))["subscribe"]
    chain = found.pop("publications", [])
    assert found == {"delta": True, "recovered": True, "epoch": "e"}
    assert restored(chain) == texts
    assert [(each["offset"], each["time"]) for each in chain] == [(1 + at, 5) for at in range(len(texts))]
    assert not any(each.get("delta") for each in chain[:1])
    assert all(each.get("delta") for each in chain[1:]) or not long


def test_a_recovered_publication_that_no_patch_shortens_is_in_full() -> None:
    recovered = (Publication(Raw(b"[1]"), offset=1), Publication(Raw(b"[2]"), offset=2))
    found = plain_from_oracle(read_one(DIALECT.reply(1, replies.Subscribed(delta=True, publications=recovered))))
    assert found["subscribe"]["publications"] == [{"data": b"[1]", "offset": 1}, {"data": b"[2]", "offset": 2}]
