from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from vagus.kernel import codes, replies
from vagus.kernel.codes import Fault
from vagus.kernel.commands import (
    Answer,
    Cancel,
    Command,
    Invoke,
    Publish,
    StreamEnd,
    StreamItem,
    Subscribe,
    Unsubscribe,
)
from vagus.kernel.errors import DisconnectError
from vagus.kernel.events import Event
from vagus.kernel.publications import Publication
from vagus.wire.signalr.dialect import DIALECTS
from vagus.wire.signalr.dialogue import CONNECT, MAX_ASKED, MAX_FED, HubDialogue, UnfitError
from vagus.wire.signalr.messages import Message


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


class Talk:
    """A dialogue in JSON; what is said to it and by it are plain objects."""

    def __init__(self, *, section: str = "", owns: Callable[[str], bool] = lambda target: False) -> None:
        self.refusals: list[str] = []
        self.dialogue = HubDialogue(
            DIALECTS["json"],
            bound=65_536,
            section=section,
            owns=owns,
            on_refusal=lambda: self.refusals.append("refused"),
        )

    def commands(self, *messages: dict[str, Any]) -> list[tuple[int, Command]]:
        return list(self.dialogue.decode(b"".join(msgspec.json.encode(message) + b"\x1e" for message in messages)))

    def command(self, **message: Any) -> tuple[int, Command]:
        (numbered,) = self.commands(message)
        return numbered

    def invoke(self, target: str, *arguments: object, id: str | None = "1", **more: Any) -> tuple[int, Command]:
        return self.command(type=1, target=target, arguments=arguments, invocationId=id, **more)

    def stream(self, target: str, *arguments: object, id: str = "1", **more: Any) -> tuple[int, Command]:
        return self.command(type=4, target=target, arguments=arguments, invocationId=id, **more)

    def messages(self, *messages: dict[str, Any]) -> Iterator[Message]:
        return self.dialogue.messages(b"".join(msgspec.json.encode(message) + b"\x1e" for message in messages))

    def unfit(self, message: dict[str, Any]) -> UnfitError:
        with pytest.raises(UnfitError) as raised:
            for each in self.messages(message):
                self.dialogue.command(each)
        return raised.value


def said(part: bytes) -> list[dict[str, Any]]:
    return [msgspec.json.decode(record) for record in part.split(b"\x1e")[:-1]]


def test_an_invocation_calls_what_its_section_has_under_the_name() -> None:
    number, command = Talk(section="chat").invoke("Send", 1, "a")
    assert number
    assert command == Invoke("chat.Send", raw([1, "a"]))
    assert Talk().invoke("Send")[1] == Invoke("Send")


def test_numbers_are_our_own_whatever_the_ids() -> None:
    talk = Talk()
    numbers = [talk.invoke("Send", id=id)[0] for id in ("7", "x", "7", "0")]
    assert len({CONNECT, *numbers}) == 5
    assert said(talk.dialogue.reply(numbers[1], replies.CallResult(raw(5)))) == [
        {"type": 3, "invocationId": "x", "result": 5}
    ]


def test_an_invocation_without_an_id_is_never_answered() -> None:
    talk = Talk()
    assert talk.invoke("Send", id=None)[0] == 0
    number, command = talk.invoke("Unsubscribe", "a", id=None)
    assert command == Unsubscribe("a")
    assert talk.dialogue.reply(number, replies.Unsubscribed()) == b""


def test_an_invocation_is_answered_once() -> None:
    talk = Talk()
    number, _ = talk.invoke("Send")
    assert talk.dialogue.reply(number, replies.CallResult())
    assert talk.dialogue.reply(number, replies.CallResult()) == b""


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (codes.METHOD_NOT_FOUND, "Unknown hub method 'Send'"),
        (codes.NOT_AVAILABLE, "Unknown hub method 'Send'"),
        (codes.INTERNAL, "An unexpected error occurred invoking 'Send' on the server."),
        (
            codes.GIVES_STREAM,
            "The client attempted to invoke the streaming 'Send' method with a non-streaming invocation.",
        ),
        (
            codes.GIVES_NO_STREAM,
            "The client attempted to invoke the non-streaming 'Send' method with a streaming invocation.",
        ),
        (codes.PERMISSION_DENIED, "permission denied"),
        (Fault(400, "sold out"), "sold out"),
    ],
)
def test_faults_are_told_in_the_protocols_words(fault: Fault, text: str) -> None:
    talk = Talk()
    number, _ = talk.invoke("Send")
    assert said(talk.dialogue.reply(number, fault)) == [{"type": 3, "invocationId": "1", "error": text}]


def test_the_hubs_own_methods_are_commands_whatever_the_case() -> None:
    talk = Talk(section="chat")
    assert talk.invoke("SUBSCRIBE", "a")[1] == Subscribe(channel="a")
    number, command = talk.invoke("publish", "a", {"n": 1})
    assert command == Publish("a", raw({"n": 1}))
    assert said(talk.dialogue.reply(number, replies.Published())) == [{"type": 3, "invocationId": "1", "result": {}}]


def test_a_section_may_have_a_call_of_such_a_name_itself() -> None:
    talk = Talk(section="chat", owns=lambda target: target == "chat.Publish")
    assert talk.invoke("Publish", "a")[1] == Invoke("chat.Publish", raw(["a"]))


def test_arguments_of_the_hubs_own_methods_are_checked_and_the_conversation_goes_on() -> None:
    talk = Talk()
    error = talk.unfit({"type": 1, "target": "Subscribe", "arguments": [], "invocationId": "1"})
    assert said(talk.dialogue.reply(error.number, error.fault))[0]["error"].startswith("bad request: ")
    assert talk.unfit({"type": 1, "target": "Stream", "arguments": ["a"]}).fault == codes.GIVES_STREAM
    streaming = {"type": 4, "target": "Subscribe", "arguments": ["a"], "invocationId": "2"}
    assert talk.unfit(streaming).fault == codes.GIVES_NO_STREAM
    assert talk.invoke("Send")[1] == Invoke("Send")


def test_not_available_is_said_of_a_channel_as_it_is() -> None:
    talk = Talk()
    number, _ = talk.invoke("History", "a")
    assert said(talk.dialogue.reply(number, codes.NOT_AVAILABLE))[0]["error"] == "not available"


def test_a_stream_gives_items_and_then_its_completion() -> None:
    talk = Talk()
    number, command = talk.stream("Count", 3)
    assert command == Invoke("Count", raw([3]), wants_stream=True)
    part = talk.dialogue.item(number, raw(0)) + talk.dialogue.item(number, raw(1)) + talk.dialogue.end(number, None)
    assert said(part) == [
        {"type": 2, "invocationId": "1", "item": 0},
        {"type": 2, "invocationId": "1", "item": 1},
        {"type": 3, "invocationId": "1"},
    ]
    assert talk.dialogue.item(number, raw(2)) == b""


def test_a_stream_can_be_cancelled_and_nothing_else() -> None:
    talk = Talk()
    number, _ = talk.stream("Count", id="5")
    talk.invoke("Send", id="6")
    assert talk.commands({"type": 5, "invocationId": "6"}, {"type": 5, "invocationId": "99"}) == []
    assert talk.command(type=5, invocationId="5") == (0, Cancel(number))


def test_two_streams_of_one_id_end_the_connection() -> None:
    talk = Talk()
    talk.stream("Count", id="5")
    with pytest.raises(DisconnectError):
        talk.stream("Count", id="5")


def test_streams_that_the_client_feeds_are_numbered_and_end() -> None:
    talk = Talk()
    _, command = talk.invoke("Sum", streamIds=["7", "8"])
    assert isinstance(command, Invoke)
    first, second = command.streams
    assert talk.command(type=2, invocationId="7", item=5) == (0, StreamItem(first, raw(5)))
    assert talk.command(type=3, invocationId="7") == (0, StreamEnd(first))
    assert talk.command(type=3, invocationId="8", error="oh") == (0, StreamEnd(second, "oh"))
    assert talk.commands({"type": 2, "invocationId": "7", "item": 6}) == []


def test_streams_of_an_invocation_that_is_over_are_forgotten() -> None:
    talk = Talk()
    number, _ = talk.invoke("Sum", streamIds=["7"])
    talk.dialogue.reply(number, codes.INTERNAL)
    assert talk.commands({"type": 2, "invocationId": "7", "item": 6}, {"type": 3, "invocationId": "7"}) == []


def test_questions_are_invocations_with_ids_of_our_own() -> None:
    talk = Talk()
    assert said(talk.dialogue.question(5, Event("where", raw([1])))) == [
        {"type": 1, "invocationId": "s5", "target": "where", "arguments": [1]}
    ]
    assert talk.command(type=3, invocationId="s5", result="here") == (0, Answer(5, raw(["here"])))
    assert talk.command(type=3, invocationId="s5", error="oh") == (0, Answer(5, error="oh"))
    assert talk.command(type=3, invocationId="s5") == (0, Answer(5))


@pytest.mark.parametrize("id", ["5", "s", "sx", "s-1", "s05", "s" + "9" * 19, "s٣"])
def test_answers_to_what_was_never_asked_are_ignored(id: str) -> None:
    assert Talk().commands({"type": 3, "invocationId": id, "result": 1}) == []


def followed() -> tuple[Talk, int]:
    """A dialogue that follows the channel ``a`` as the stream 5."""
    talk = Talk()
    number, command = talk.stream("Stream", "a", id="5")
    assert command == Subscribe(channel="a")
    return talk, number


def test_a_channel_is_followed_as_a_stream_in_a_dialect_of_its_own() -> None:
    talk, number = followed()
    assert talk.dialogue.dialect_for("a") is DIALECTS["json"].stream("5")
    assert talk.dialogue.dialect_for("b") is None
    assert talk.dialogue.reply(number, replies.Subscribed()) == b""


def test_what_was_missed_comes_as_items() -> None:
    talk, number = followed()
    missed = (Publication(raw(1), offset=1), Publication(raw(2), offset=2))
    items = said(talk.dialogue.reply(number, replies.Subscribed(recovered=True, publications=missed)))
    assert [item["item"] for item in items] == [1, 2]


def test_to_cancel_such_a_stream_is_to_unsubscribe() -> None:
    talk, number = followed()
    talk.dialogue.reply(number, replies.Subscribed())
    leaving, command = talk.command(type=5, invocationId="5")
    assert command == Unsubscribe("a")
    assert said(talk.dialogue.reply(leaving, replies.Unsubscribed())) == [{"type": 3, "invocationId": "5"}]
    assert talk.dialogue.dialect_for("a") is None


def test_to_unsubscribe_ends_such_a_stream() -> None:
    talk, number = followed()
    talk.dialogue.reply(number, replies.Subscribed())
    leaving, _ = talk.invoke("Unsubscribe", "a", id="6")
    assert said(talk.dialogue.reply(leaving, replies.Unsubscribed())) == [
        {"type": 3, "invocationId": "5"},
        {"type": 3, "invocationId": "6", "result": {}},
    ]


def test_a_refused_one_fails_and_leaves_the_first_one_alone() -> None:
    talk, number = followed()
    second, _ = talk.stream("Stream", "a", id="6")
    talk.dialogue.reply(number, replies.Subscribed())
    assert talk.commands({"type": 5, "invocationId": "6"}) == []
    refusal = talk.dialogue.reply(second, codes.ALREADY_SUBSCRIBED)
    assert said(refusal) == [{"type": 3, "invocationId": "6", "error": "already subscribed"}]
    assert talk.dialogue.dialect_for("a") is DIALECTS["json"].stream("5")


@pytest.mark.parametrize(
    ("ending", "error"), [(codes.UNSUBSCRIBED, None), (codes.SUBSCRIPTION_EXPIRED, "subscription expired")]
)
def test_the_end_of_its_subscription_ends_such_a_stream(ending: codes.Ending, error: str | None) -> None:
    talk, number = followed()
    talk.dialogue.reply(number, replies.Subscribed())
    (completion,) = said(talk.dialogue.push(replies.Ended("a", ending)))
    assert (completion["type"], completion["invocationId"], completion.get("error")) == (3, "5", error)
    assert said(talk.dialogue.push(replies.Ended("a", ending)))[0]["target"] == "unsubscribed"


def test_the_answer_to_the_connect_command_is_that_to_the_handshake() -> None:
    talk = Talk()
    assert not talk.dialogue.is_greeted
    assert talk.dialogue.reply(CONNECT, replies.Connected("c", "1")) == b"{}\x1e"
    assert talk.dialogue.is_greeted


def test_a_refusal_to_connect_is_told_to_whoever_owns_the_connection() -> None:
    talk = Talk()
    assert talk.dialogue.reply(CONNECT, codes.TOKEN_EXPIRED) == b""
    assert (talk.refusals, talk.dialogue.refusal) == (["refused"], "token expired")


def test_invocations_under_way_are_bounded() -> None:
    talk = Talk()
    message = {"type": 1, "target": "Send", "arguments": [], "invocationId": "1"}
    for _ in range(MAX_ASKED):
        talk.commands(message)
    with pytest.raises(DisconnectError) as refused:
        talk.commands(message)
    assert refused.value.closure == codes.TOO_MANY


def test_streams_that_are_fed_are_bounded_and_have_ids_of_their_own() -> None:
    talk = Talk()
    with pytest.raises(DisconnectError):
        talk.invoke("Sum", streamIds=["7", "7"])
    with pytest.raises(DisconnectError) as refused:
        Talk().invoke("Sum", streamIds=[str(number) for number in range(MAX_FED + 1)])
    assert refused.value.closure == codes.TOO_MANY


def test_a_part_of_a_record_does_not_outlive_its_socket() -> None:
    talk = Talk()
    assert list(talk.dialogue.decode(b'{"type":1,"target":"Half')) == []
    talk.dialogue.start_over()
    assert talk.invoke("Send")[1] == Invoke("Send")
