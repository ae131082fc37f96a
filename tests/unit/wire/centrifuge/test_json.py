"""The JSON dialect against the standard library's parser, and the exchanges of the reference server as transcripts."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from centrifuge.fossil import apply_delta
from hypothesis import given
from hypothesis import strategies as st

from vagus.kernel import codes, commands, replies
from vagus.kernel.errors import DisconnectError
from vagus.kernel.filters import FilterNode
from vagus.kernel.publications import NOTHING, ClientInfo, Position, Publication
from vagus.wire import Talkative
from vagus.wire.centrifuge.json import JSON

DIALECT: Talkative = JSON
Raw = msgspec.Raw
OPENING = DIALECT.opening("news")
CLIENT = "d420868e"

# Section 2.7 of the protocol's description: what a client says, and what it means.
SAID_BY_CLIENTS: list[tuple[str, list[tuple[int, commands.Command]]]] = [
    (
        '{"id":1,"connect":{"name":"js"}}\n{"id":2,"subscribe":{"channel":"recovery:a","flag":1}}',
        [(1, commands.Connect(name="js")), (2, commands.Subscribe("recovery:a", flag=1))],
    ),
    (
        '{"id":3,"publish":{"channel":"recovery:a","data":{"input":"hi"}}}',
        [(3, commands.Publish("recovery:a", Raw(b'{"input":"hi"}')))],
    ),
    ('{"id":4,"history":{"channel":"recovery:a","limit":10}}', [(4, commands.History("recovery:a", 10))]),
    ('{"id":5,"history":{"channel":"recovery:a"}}', [(5, commands.History("recovery:a"))]),
    ('{"id":6,"unsubscribe":{"channel":"recovery:a"}}', [(6, commands.Unsubscribe("recovery:a"))]),
    (
        '{"id":2,"subscribe":{"channel":"recovery:r","recover":true,"offset":2,"epoch":"LiiCWvkx"}}',
        [(2, commands.Subscribe("recovery:r", recover=True, offset=2, epoch="LiiCWvkx"))],
    ),
    ("{}", [(0, commands.Pong())]),
    ('{"id":2,"refresh":{"token":"t"}}', [(2, commands.Refresh("t"))]),
    ('{"id":3,"sub_refresh":{"channel":"x","token":"t"}}', [(3, commands.SubRefresh("x", "t"))]),
    ('{"id":3,"presence":{"channel":"p"}}', [(3, commands.Presence("p"))]),
    ('{"id":4,"presence_stats":{"channel":"p"}}', [(4, commands.PresenceStats("p"))]),
    ('{"id":1,"connect":{}}', [(1, commands.Connect())]),
    ('{"id":2,"subscribe":{"channel":"news"}}\n', [(2, commands.Subscribe("news"))]),
]

# The same section: what the server says.
ANSWERS: list[tuple[int, replies.Reply, str]] = [
    (
        1,
        replies.Connected(CLIENT, "0.0.0 OSS", ping=25, pong=True),
        '{"id":1,"connect":{"client":"d420868e","version":"0.0.0 OSS","ping":25,"pong":true}}',
    ),
    (
        2,
        replies.Subscribed(recoverable=True, epoch="BvrPGSmg", positioned=True),
        '{"id":2,"subscribe":{"recoverable":true,"epoch":"BvrPGSmg","positioned":true}}',
    ),
    (3, replies.Published(), '{"id":3,"publish":{}}'),
    (
        4,
        replies.HistoryResult(
            (
                Publication(Raw(b'{"input":"hi"}'), ClientInfo("", CLIENT), 1),
                Publication(Raw(b"[1]"), offset=2, tags={"t": "1"}),
            ),
            "BvrPGSmg",
            2,
        ),
        (
            '{"id":4,"history":{"publications":['
            '{"data":{"input":"hi"},"info":{"user":"","client":"d420868e"},"offset":1},'
            '{"data":[1],"offset":2,"tags":{"t":"1"}}],"epoch":"BvrPGSmg","offset":2}}'
        ),
    ),
    (
        5,
        replies.HistoryResult((), "BvrPGSmg", 2),
        '{"id":5,"history":{"publications":[],"epoch":"BvrPGSmg","offset":2}}',
    ),
    (6, replies.Unsubscribed(), '{"id":6,"unsubscribe":{}}'),
    (
        2,
        replies.Subscribed(
            recoverable=True,
            epoch="LiiCWvkx",
            publications=(Publication(Raw(b'{"n":3}'), offset=3), Publication(Raw(b'{"n":4}'), offset=4)),
            recovered=True,
            offset=2,
            positioned=True,
            was_recovering=True,
        ),
        (
            '{"id":2,"subscribe":{"recoverable":true,"epoch":"LiiCWvkx","publications":['
            '{"data":{"n":3},"offset":3},{"data":{"n":4},"offset":4}],'
            '"recovered":true,"offset":2,"positioned":true,"was_recovering":true}}'
        ),
    ),
    (
        2,
        replies.Subscribed(recoverable=True, epoch="LiiCWvkx", offset=5, positioned=True, was_recovering=True),
        '{"id":2,"subscribe":{"recoverable":true,"epoch":"LiiCWvkx","offset":5,"positioned":true,"was_recovering":true}}',
    ),
    (
        1,
        replies.Connected(
            "7113",
            "0.0.0 OSS",
            expires=True,
            ttl=60,
            subs={"#42": replies.Subscribed(recoverable=True, epoch="JnVCPhfg", positioned=True)},
            ping=2,
            pong=True,
        ),
        (
            '{"id":1,"connect":{"client":"7113","version":"0.0.0 OSS","expires":true,"ttl":60,'
            '"subs":{"#42":{"recoverable":true,"epoch":"JnVCPhfg","positioned":true}},"ping":2,"pong":true}}'
        ),
    ),
    (2, replies.Refreshed(expires=True, ttl=90), '{"id":2,"refresh":{"expires":true,"ttl":90}}'),
    (3, replies.SubRefreshed(expires=True, ttl=90), '{"id":3,"sub_refresh":{"expires":true,"ttl":90}}'),
    (
        3,
        replies.PresenceResult({CLIENT: ClientInfo("", CLIENT)}),
        '{"id":3,"presence":{"presence":{"d420868e":{"user":"","client":"d420868e"}}}}',
    ),
    (3, replies.PresenceResult({}), '{"id":3,"presence":{"presence":{}}}'),
    (4, replies.PresenceStatsResult(1, 1), '{"id":4,"presence_stats":{"num_clients":1,"num_users":1}}'),
    (
        2,
        replies.Subscribed(recoverable=True, epoch="MuPHczDK", positioned=True, delta=True),
        '{"id":2,"subscribe":{"recoverable":true,"epoch":"MuPHczDK","positioned":true,"delta":true}}',
    ),
    (5, codes.ALREADY_SUBSCRIBED, '{"id":5,"error":{"code":105,"message":"already subscribed"}}'),
    (1, codes.TOKEN_EXPIRED, '{"id":1,"error":{"code":109,"message":"token expired"}}'),
    (1, codes.INTERNAL, '{"id":1,"error":{"code":100,"message":"internal server error","temporary":true}}'),
    (7, replies.CallResult(Raw(b"[1,2]")), '{"id":7,"rpc":{"data":[1,2]}}'),
    (7, replies.CallResult(), '{"id":7,"rpc":{}}'),
    (2, replies.Subscribed(), '{"id":2,"subscribe":{}}'),
]
PUSHES: list[tuple[replies.Push, str]] = [
    (
        replies.Joined("#42", ClientInfo("42", "7113", Raw(b'{"name":"Al"}'))),
        '{"push":{"channel":"#42","join":{"info":{"user":"42","client":"7113","conn_info":{"name":"Al"}}}}}',
    ),
    (
        replies.Left("#42", ClientInfo("42", "7113")),
        '{"push":{"channel":"#42","leave":{"info":{"user":"42","client":"7113"}}}}',
    ),
    (
        replies.Ended("ch1", codes.UNSUBSCRIBED),
        '{"push":{"channel":"ch1","unsubscribe":{"code":2000,"reason":"server unsubscribe"}}}',
    ),
    (
        replies.Attached("srv:1", replies.Subscribed(recoverable=True, epoch="AndQkKwm", positioned=True)),
        '{"push":{"channel":"srv:1","subscribe":{"recoverable":true,"epoch":"AndQkKwm","positioned":true}}}',
    ),
    (replies.Message(Raw(b'{"a":1}')), '{"push":{"message":{"data":{"a":1}}}}'),
    (replies.Renewed(expires=True, ttl=60), '{"push":{"refresh":{"expires":true,"ttl":60}}}'),
    (
        replies.Farewell(codes.SHUTDOWN),
        '{"push":{"disconnect":{"code":3001,"reason":"shutdown","reconnect":true}}}',
    ),
]

# What the server refuses with 3501, and nobody else notices.
MALFORMED = {
    "an empty message": b"",
    "a line feed alone": b"\n",
    "a blank line in between": b'{"id":1,"connect":{}}\n\n{}',
    "two line feeds at the end": b"{}\n\n",
    "two commands on a line": b"{} {}",
    "no object": b"[]",
    "null": b"null",
    "cut short": b'{"id":1,"connect":{',
    "text after it": b"{}x",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "text that is no UTF-8": b'{"id":1,"subscribe":{"channel":"\xff"}}',
    "half a character pair": b'{"id":1,"subscribe":{"channel":"\\ud800"}}',
    "a field of another type": b'{"id":1,"subscribe":{"channel":1}}',
    "a command that is no object": b'{"id":1,"subscribe":"news"}',
    "data that is no JSON": b'{"id":1,"publish":{"channel":"c","data":nul}}',
    "a number below zero": b'{"id":-1,"connect":{}}',
    "a number of 33 bits": b'{"id":4294967296,"connect":{}}',
    "a fraction for a number": b'{"id":1.5,"connect":{}}',
    "a text for a number": b'{"id":"1","connect":{}}',
    "a number without a command": b'{"id":1}',
    "an unknown command": b'{"id":1,"fly":{}}',
    "a command that is null": b'{"id":1,"connect":null}',
    "the ping of an earlier protocol": b'{"id":1,"ping":{}}',
    "deep nesting in data": b'{"id":1,"rpc":{"data":' + b"[" * 20_000 + b"]" * 20_000 + b"}}",
    "deep nesting in a filter": b'{"id":1,"subscribe":{"tf":' + b'{"nodes":[' * 5_000 + b"]}" * 5_000 + b"}}",
    "deep nesting in an unknown field": b'{"id":1,"connect":{},"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
}
NAMES = "connect subscribe unsubscribe publish presence presence_stats history send rpc refresh sub_refresh".split()
"""The commands, in the order in which they count."""

texts = st.text(max_size=12)
plain_data = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
infos = st.builds(ClientInfo, texts, texts, plain_data.map(lambda value: Raw(msgspec.json.encode(value))))
tags = st.none() | st.dictionaries(texts, texts, max_size=3)
publications = st.builds(
    Publication,
    plain_data.map(lambda value: Raw(msgspec.json.encode(value))),
    st.none() | infos,
    st.integers(0, 2**53),
    tags,
    epoch=texts,
)


def plain(value: Any) -> Any:
    """A value as the standard library would have parsed it, without what is absent or at zero."""
    if isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        always = ("user", "client", "data")
        return {name: plain(field) for name, field in fields.items() if field or name in always}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return json.loads(bytes(value)) if isinstance(value, Raw) else value


def pub(frame: bytes) -> dict[str, Any]:
    push = json.loads(frame)["push"]
    assert set(push) == {"channel", "pub"}
    publication: dict[str, Any] = push["pub"]
    return publication


# --- Commands ---


@pytest.mark.parametrize(("message", "meaning"), SAID_BY_CLIENTS, ids=[message for message, _ in SAID_BY_CLIENTS])
def test_a_transcript_of_a_client_is_understood(message: str, meaning: list[tuple[int, commands.Command]]) -> None:
    assert list(DIALECT.decode(message.encode())) == meaning


def test_every_field_of_a_subscription_is_read() -> None:
    message = (
        b'{"id":1,"subscribe":{"channel":"c","token":"t","recover":true,"epoch":"e","offset":18446744073709551615,'
        b'"data":{"a":1},"positioned":true,"recoverable":true,"join_leave":true,"delta":"fossil",'
        b'"tf":{"op":"and","nodes":[{"key":"k","cmp":"in","vals":["a","b"]},{"key":"k","cmp":"eq","val":"v"}]},'
        b'"flag":2,"type":1,"phase":3,"from_the_future":[{}]}}'
    )
    leaves = (FilterNode(key="k", cmp="in", vals=("a", "b")), FilterNode(key="k", cmp="eq", val="v"))
    assert list(DIALECT.decode(message)) == [
        (
            1,
            commands.Subscribe(
                "c",
                "t",
                True,
                "e",
                2**64 - 1,
                Raw(b'{"a":1}'),
                True,
                True,
                True,
                "fossil",
                FilterNode(op="and", nodes=leaves),
                2,
                1,
            ),
        )
    ]


def test_every_field_of_a_connect_is_read() -> None:
    message = (
        b'{"id":1,"connect":{"token":"t","data":[],"subs":{"c":{"recover":true,"offset":3,"epoch":"e"}},'
        b'"name":"n","version":"v","headers":{"Authorization":"x"},"flag":1,"profile":"p"}}'
    )
    subs = {"c": commands.Subscribe(recover=True, offset=3, epoch="e")}
    expected = commands.Connect("t", Raw(b"[]"), subs, "n", "v", {"Authorization": "x"}, 1)
    assert list(DIALECT.decode(message)) == [(1, expected)]


def test_history_since_a_position_is_read() -> None:
    message = b'{"id":1,"history":{"channel":"c","limit":-1,"since":{"offset":7,"epoch":"e"},"reverse":true}}'
    assert list(DIALECT.decode(message)) == [(1, commands.History("c", -1, Position(7, "e"), reverse=True))]


@given(texts, plain_data)
def test_what_the_standard_library_writes_is_read(channel: str, value: Any) -> None:
    message = json.dumps({"id": 9, "publish": {"channel": channel, "data": value}}).encode()
    ((number, command),) = DIALECT.decode(message)
    assert isinstance(command, commands.Publish)
    assert (number, command.channel, json.loads(bytes(command.data))) == (9, channel, value)


@pytest.mark.parametrize("text", [b'{"a": 1}', b'"\\u00e9"', b"1.50", b"null", b"[ ]"])
def test_data_is_passed_on_byte_for_byte(text: bytes) -> None:
    ((_, command),) = DIALECT.decode(b'{"id":1,"rpc":{"method":"m","data":%b}}' % text)
    assert command == commands.Call("m", Raw(text))


def test_absent_data_is_nothing() -> None:
    ((_, command),) = DIALECT.decode(b'{"id":1,"rpc":{"method":"m"}}')
    assert isinstance(command, commands.Call)
    assert command.data is NOTHING


@pytest.mark.parametrize("message", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_message_is_refused(message: bytes) -> None:
    with pytest.raises(DisconnectError) as refused:
        list(DIALECT.decode(message))
    assert refused.value.closure == codes.MALFORMED


def test_commands_before_a_bad_one_are_given_out() -> None:
    decoded = DIALECT.decode(b'{"id":1,"connect":{}}\n{"id":2}')
    assert next(decoded) == (1, commands.Connect())
    with pytest.raises(DisconnectError):
        next(decoded)


def test_only_a_send_may_be_without_a_number() -> None:
    assert list(DIALECT.decode(b'{"send":{"data":1}}')) == [(0, commands.Send(Raw(b"1")))]
    assert list(DIALECT.decode(b'{"id":3,"send":{"data":1}}')) == [(3, commands.Send(Raw(b"1")))]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "send"])
def test_a_command_that_wants_an_answer_needs_a_number(name: str) -> None:
    with pytest.raises(DisconnectError):
        list(DIALECT.decode(b'{"%b":{}}' % name.encode()))


@pytest.mark.parametrize("at", range(len(NAMES)))
def test_of_several_commands_in_one_the_first_of_the_protocol_counts(at: int) -> None:
    alone = json.dumps({"id": 1, NAMES[at]: {}}).encode()
    several = json.dumps({"id": 1, **{name: {} for name in reversed(NAMES[at:])}}).encode()
    assert list(DIALECT.decode(several)) == list(DIALECT.decode(alone))


@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,\n01eid sn\\ul', max_size=60).map(str.encode))
def test_any_bytes_are_commands_or_malformed(message: bytes) -> None:
    try:
        for number, command in DIALECT.decode(message):
            assert 0 <= number < 2**32
            assert isinstance(command, commands.Command)
    except DisconnectError as refused:
        assert refused.closure == codes.MALFORMED


# --- Replies and pushes ---


@pytest.mark.parametrize(("number", "reply", "text"), ANSWERS, ids=[text[:60] for *_, text in ANSWERS])
def test_an_answer_reads_as_in_the_transcript(number: int, reply: replies.Reply, text: str) -> None:
    assert json.loads(DIALECT.reply(number, reply)) == json.loads(text)


@pytest.mark.parametrize(("push", "text"), PUSHES, ids=[text[:60] for _, text in PUSHES])
def test_a_push_reads_as_in_the_transcript(push: replies.Push, text: str) -> None:
    assert json.loads(DIALECT.push(push)) == json.loads(text)


@given(texts, infos)
def test_any_channel_and_any_client_are_quoted(channel: str, info: ClientInfo) -> None:
    expected = {"push": {"channel": channel, "join": {"info": plain(info)}}}
    assert json.loads(DIALECT.push(replies.Joined(channel, info))) == expected


def test_a_ping_is_an_empty_object() -> None:
    assert DIALECT.ping == b"{}"


@given(st.lists(publications, min_size=1, max_size=4))
def test_joined_parts_are_one_on_a_line(several: list[Publication]) -> None:
    parts = [DIALECT.ping, *(DIALECT.publication(OPENING, publication) for publication in several)]
    lines = DIALECT.join(parts).split(b"\n")
    assert [json.loads(line) for line in lines] == [json.loads(part) for part in parts]


# --- Publications ---


@given(texts, publications)
def test_a_publication_is_read_by_the_standard_library(channel: str, publication: Publication) -> None:
    frame = DIALECT.publication(DIALECT.opening(channel), publication)
    assert json.loads(frame) == {"push": {"channel": channel, "pub": plain(publication)}}


def test_a_publication_reads_as_in_the_transcript() -> None:
    publication = Publication(Raw(b'{"input":"hi"}'), ClientInfo("", CLIENT), 1, epoch="BvrPGSmg")
    assert DIALECT.publication(DIALECT.opening("recovery:a"), publication) == (
        b'{"push":{"channel":"recovery:a","pub":{"data":{"input":"hi"},'
        b'"info":{"user":"","client":"d420868e"},"offset":1,"epoch":"BvrPGSmg"}}}'
    )


@given(publications)
def test_the_base_of_patches_is_the_data_as_a_text(publication: Publication) -> None:
    found = pub(DIALECT.full(OPENING, publication))
    assert found.pop("data").encode() == bytes(publication.data)
    assert found == {name: value for name, value in plain(publication).items() if name != "data"}


@given(texts, texts)
def test_a_patch_makes_the_publication_out_of_its_base(before: str, after: str) -> None:
    padding = "xé☃" * 40
    base = msgspec.json.encode([padding, before, padding])
    target = msgspec.json.encode([padding, after, padding])
    publication = Publication(Raw(target), offset=2, tags={"a": "b"})
    found = pub(DIALECT.patch(OPENING, publication, base))
    assert apply_delta(base, found.pop("data").encode()) == target
    assert found == {"offset": 2, "tags": {"a": "b"}, "delta": True}


def test_where_a_patch_is_no_shorter_the_publication_is_sent_in_full() -> None:
    publication = Publication(Raw(b"[2]"), offset=2)
    assert DIALECT.patch(OPENING, publication, b'{"n":1}') == DIALECT.full(OPENING, publication)


@given(st.lists(texts, max_size=5))
def test_recovered_publications_with_deltas_are_a_chain_of_patches(several: list[str]) -> None:
    data = [msgspec.json.encode(["é" * 40, text]) for text in several]
    recovered = tuple(Publication(Raw(text), offset=1 + at) for at, text in enumerate(data))
    reply = replies.Subscribed(delta=True, recovered=True, epoch="e", publications=recovered)
    found = json.loads(DIALECT.reply(1, reply))["subscribe"]
    chain, restored = found.pop("publications", []), list[bytes]()
    assert found == {"delta": True, "recovered": True, "epoch": "e"}
    for publication in chain:
        text = publication["data"].encode()
        restored.append(bytes(apply_delta(restored[-1], text)) if publication.get("delta") else text)
    assert restored == data
    assert [publication["offset"] for publication in chain] == [1 + at for at in range(len(data))]
