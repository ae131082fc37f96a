"""What is heard from and said to one client."""

import msgspec
import pytest

from vagus.kernel import codes, commands, replies
from vagus.kernel.codes import Fault
from vagus.kernel.commands import Command
from vagus.kernel.errors import DisconnectError, RefusedError
from vagus.kernel.events import Event
from vagus.kernel.publications import ClientInfo, Json, Position
from vagus.kernel.replies import Reply
from vagus.wire.encoding import Packet as Part
from vagus.wire.socketio import CONNECT_NUMBER, Assembly, EventDialect, EventDialogue, connect_of, packet_of

ROOT, CHAT = EventDialect(), EventDialect("chat")


def raw(text: bytes) -> Json:
    return msgspec.Raw(text)


def heard(text: bytes, dialect: EventDialect = ROOT, own: tuple[str, ...] = ()) -> tuple[int, Command]:
    (pair,) = EventDialogue(dialect, own).decode(text)
    return pair


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (b'2["subscribe","news"]', commands.Subscribe("news")),
        (b'2["subscribe","news",null]', commands.Subscribe("news")),
        (
            b'2["subscribe","news",{"token":"t","recover":true,"epoch":"e","offset":4,"join_leave":true,"channel":"x"}]',
            commands.Subscribe("news", token="t", recover=True, epoch="e", offset=4, join_leave=True),
        ),
        (b'2["unsubscribe","news"]', commands.Unsubscribe("news")),
        (b'2["publish","news",{"a": 1}]', commands.Publish("news", raw(b'{"a": 1}'))),
        (b'2["presence","news"]', commands.Presence("news")),
        (b'2["presence_stats","news"]', commands.PresenceStats("news")),
        (b'2["history","news"]', commands.History("news")),
        (
            b'2["history","news",{"limit":5,"since":{"offset":3,"epoch":"e"},"reverse":true}]',
            commands.History("news", 5, Position(3, "e"), True),
        ),
        (b'2["refresh","t"]', commands.Refresh("t")),
        (b'2["add",1,"b"]', commands.Invoke("add", raw(b'[1,"b"]'))),
        (b'2["__proto__"]', commands.Invoke("__proto__", raw(b"[]"))),
        (b'312[1,"b"]', commands.Answer(12, raw(b'[1,"b"]'))),
    ],
)
def test_events_are_commands(text: bytes, command: Command) -> None:
    assert heard(text)[1] == command


def test_the_target_of_a_call_begins_with_the_section() -> None:
    assert heard(b'2/chat,["add",1]', CHAT)[1] == commands.Invoke("chat.add", raw(b"[1]"))


def test_a_section_may_have_a_call_with_a_verbs_name() -> None:
    assert heard(b'2/chat,["publish",1]', CHAT, ("publish",))[1] == commands.Invoke("chat.publish", raw(b"[1]"))


@pytest.mark.parametrize(
    "event",
    [
        '"subscribe"',
        '"subscribe",""',
        '"subscribe",7',
        '"subscribe","a",7',
        '"subscribe","a",{"offset":-1}',
        '"subscribe","a",{"delta":"fossil"}',
        '"subscribe","a",{},1',
        '"unsubscribe"',
        '"unsubscribe","a",1',
        '"publish","a"',
        '"publish","a",1,2',
        '"publish",null,1',
        '"presence"',
        '"presence_stats",{}',
        '"history","a",[]',
        '"history","a",{"limit":"x"}',
        '"refresh"',
        '"refresh",""',
        '"refresh","a","b"',
    ],
)
def test_a_verb_with_arguments_that_make_no_sense_is_refused(event: str) -> None:
    with pytest.raises(RefusedError) as refused:
        heard(b"2[%b]" % event.encode())
    assert refused.value.fault.code in (codes.BAD_REQUEST.code, codes.NOT_AVAILABLE.code)


def test_packets_of_other_namespaces_and_kinds_are_none_of_its_business() -> None:
    for text in (b'2/other,["a"]', b"0", b"1", b'51-["a",{"_placeholder":true,"num":0}]'):
        with pytest.raises(DisconnectError):
            heard(text)


def test_binary_values_go_to_calls_as_they_are_and_to_channels_as_base64() -> None:
    dialogue = EventDialogue(ROOT, ())
    call = Assembly(packet_of(b'51-["add",{"_placeholder":true,"num":0}]'), 100).add(b"abc")
    publish = Assembly(packet_of(b'51-["publish","c",[{"_placeholder":true,"num":0}]]'), 100).add(b"abc")
    assert call is not None
    assert publish is not None
    assert dialogue.command_of(call) == commands.Invoke("add", call.arguments, (b"abc",))
    assert dialogue.command_of(publish) == commands.Publish("c", raw(b'["YWJj"]'))


def test_binary_answers_keep_their_attachments() -> None:
    answer = Assembly(packet_of(b'61-4[{"_placeholder":true,"num":0}]'), 100).add(b"abc")
    assert answer is not None
    assert EventDialogue(ROOT, ()).command_of(answer) == commands.Answer(4, answer.arguments, (b"abc",))


@pytest.mark.parametrize("name", ["subscribe", "add"])
@pytest.mark.parametrize("ack", [0, 1, 999_999_999_999_999])
def test_an_ack_carries_the_id_of_its_event(name: str, ack: int) -> None:
    number, _ = heard(b'2%d["%b","news"]' % (ack, name.encode()))
    assert number > CONNECT_NUMBER
    assert EventDialogue(ROOT, ()).reply(number, replies.CallResult(raw(b"1"))) == b"43%d[1]" % ack


def test_an_event_without_an_id_wants_no_answer() -> None:
    assert heard(b'2["add"]')[0] == 0


@pytest.mark.parametrize(
    ("reply", "array"),
    [
        (replies.CallResult(), b"[]"),
        (replies.CallResult(raw(b'{"a":1}')), b'[{"a":1}]'),
        (replies.Published(), b"[{}]"),
        (replies.Unsubscribed(), b"[{}]"),
        (replies.Subscribed(recoverable=True, epoch="e", offset=4), b'[{"recoverable":true,"epoch":"e","offset":4}]'),
        (replies.PresenceStatsResult(2, 1), b'[{"num_clients":2,"num_users":1}]'),
        (replies.PresenceResult({"c": ClientInfo("u", "c")}), b'[{"presence":{"c":{"user":"u","client":"c"}}}]'),
        (replies.Refreshed(True, 60), b'[{"expires":true,"ttl":60}]'),
        (codes.PERMISSION_DENIED, b'[{"error":{"code":103,"message":"permission denied"}}]'),
        (codes.TOO_MANY_REQUESTS, b'[{"error":{"code":111,"message":"too many requests","temporary":true}}]'),
        (
            Fault(400, "sold out", data=raw(b'{"left":0}')),
            b'[{"error":{"code":400,"message":"sold out","data":{"left":0}}}]',
        ),
    ],
)
def test_replies_are_acks(reply: Reply, array: bytes) -> None:
    assert EventDialogue(CHAT, ()).reply(2 * 5 + 2, reply) == b"43/chat,5%b" % array


def test_a_result_may_have_binary_values() -> None:
    part = EventDialogue(CHAT, ()).reply(2, replies.CallResult(raw(b'{"_placeholder":true,"num":0}'), (b"abc",)))
    assert part == b'461-/chat,0[{"_placeholder":true,"num":0}]'
    assert isinstance(part, Part)
    assert part.attachments == (b"abc",)


def test_subscribing_twice_succeeds() -> None:
    number, _ = heard(b'25["subscribe","news"]')
    other, _ = heard(b'25["add","news"]')
    dialogue = EventDialogue(ROOT, ())
    assert dialogue.reply(number, codes.ALREADY_SUBSCRIBED) == b"435[{}]"
    assert b"error" in dialogue.reply(other, codes.ALREADY_SUBSCRIBED)


def test_a_client_that_is_let_in_is_told_its_id_and_nothing_more() -> None:
    dialogue = EventDialogue(CHAT, ())
    assert not dialogue.is_joined
    assert dialogue.reply(CONNECT_NUMBER, replies.Connected("id", "1")) == b'40/chat,{"sid":"id"}'
    assert dialogue.is_joined


def test_a_client_that_may_come_back_is_told_its_secret() -> None:
    dialogue = EventDialogue(ROOT, (), "secret")
    assert dialogue.reply(CONNECT_NUMBER, replies.Connected("id", "1")) == b'40{"sid":"id","pid":"secret"}'


@pytest.mark.parametrize(
    ("fault", "body"),
    [
        (codes.TOKEN_EXPIRED, b'{"message":"token expired","data":{"code":109}}'),
        (codes.INTERNAL, b'{"message":"internal server error","data":{"code":100,"temporary":true}}'),
        (Fault(400, "no", data=raw(b'{"why":1}')), b'{"message":"no","data":{"why":1}}'),
    ],
)
def test_a_refusal_is_an_object_with_a_message(fault: Fault, body: bytes) -> None:
    assert EventDialogue(CHAT, ()).reply(CONNECT_NUMBER, fault) == b"44/chat," + body


def test_a_farewell_depends_on_how_far_the_client_got() -> None:
    new, joined, refused = EventDialogue(CHAT, ()), EventDialogue(CHAT, ()), EventDialogue(CHAT, ())
    joined.welcome("id")
    refused.reply(CONNECT_NUMBER, codes.UNAUTHORIZED)
    assert new.farewell(codes.INVALID_TOKEN) == b'44/chat,{"message":"invalid token","data":{"code":3500}}'
    assert joined.farewell(codes.FORCE_DISCONNECT) == b"41/chat,"
    assert refused.farewell(codes.STALE) == b""


@pytest.mark.parametrize(
    ("auth", "token", "data"),
    [
        (b"", "", b""),
        (b'{"token":"t"}', "t", b'{"token":"t"}'),
        (b'{"token":7,"a":1}', "", b'{"token":7,"a":1}'),
        (b'{"pid":"p","offset":"o"}', "", b""),
        (b'{"pid":"p","token":"t"}', "t", b'{"token":"t"}'),
    ],
)
def test_auth_is_the_connect_commands_data_without_the_secret_of_a_return(auth: bytes, token: str, data: bytes) -> None:
    command, _ = connect_of(packet_of(b"0" + auth))
    assert (command.token, bytes(command.data)) == (token, data)


def test_a_return_shows_a_secret_and_an_offset() -> None:
    _, shown = connect_of(packet_of(b'0{"pid":"p","offset":"o"}'))
    assert (shown.pid, shown.offset) == ("p", "o")
    _, shown = connect_of(packet_of(b'0{"pid":["p"],"offset":7}'))
    assert (shown.pid, shown.offset) == ("", "")


@pytest.mark.parametrize("token", [b"1e999", b"[" * 50_000 + b"]" * 50_000])
def test_auth_that_nobody_can_read_is_refused(token: bytes) -> None:
    with pytest.raises(DisconnectError):
        connect_of(packet_of(b'0{"token":%b}' % token))


def test_a_question_is_an_event_with_our_id() -> None:
    assert EventDialogue(CHAT, ()).question(9, Event("ready?", raw(b"[1]"))) == b'42/chat,9["ready?",1]'
    part = EventDialogue(ROOT, ()).question(9, Event("f", raw(b'[{"_placeholder":true,"num":0}]'), (b"x",)))
    assert part == b'451-9["f",{"_placeholder":true,"num":0}]'
