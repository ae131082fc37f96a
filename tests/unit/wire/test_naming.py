"""Named events: what a push is called, and what a publication without a name of its own brings."""

import msgspec
import pytest

from vagus.kernel import codes, replies
from vagus.kernel.events import Event
from vagus.kernel.publications import ClientInfo, Publication
from vagus.wire.naming import arguments_of, event_from, opening_of

ADA = ClientInfo("ada", "c1", conn_info=msgspec.Raw(b'{"name":"Ada"}'))


def raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


@pytest.mark.parametrize(
    ("push", "name", "argument"),
    [
        (
            replies.Joined("a", ADA),
            "join",
            {"channel": "a", "info": {"user": "ada", "client": "c1", "conn_info": {"name": "Ada"}}},
        ),
        (
            replies.Left("a", ClientInfo("", "c1")),
            "leave",
            {"channel": "a", "info": {"user": "", "client": "c1"}},
        ),
        (
            replies.Ended("a", codes.INSUFFICIENT),
            "unsubscribed",
            {"channel": "a", "code": 2500, "reason": "insufficient state"},
        ),
        (replies.Message(raw('{"n":1}')), "message", {"n": 1}),
        (replies.Message(raw('{"type":"paid","payload":5}')), "paid", 5),
    ],
)
def test_a_push_is_an_event_with_one_argument(push: replies.Push, name: str, argument: object) -> None:
    event = event_from(push)
    assert event is not None
    assert (event.type, msgspec.json.decode(event.arguments)) == (name, [argument])


@pytest.mark.parametrize(
    "push",
    [
        replies.Attached("a", replies.Subscribed()),
        replies.Ended("a", codes.UNSUBSCRIBED, is_attached=True),
        replies.Renewed(True, 5),
        replies.Farewell(codes.SHUTDOWN),
    ],
)
def test_what_is_the_servers_own_business_is_no_event(push: replies.Push) -> None:
    assert event_from(push) is None


def test_a_message_without_an_argument_is_an_event_without_one() -> None:
    assert event_from(replies.Message(raw('{"type":"tick"}'))) == Event("tick")


@pytest.mark.parametrize(
    ("publication", "argument"),
    [
        (Publication(raw("[1]")), {"channel": 'a"b', "data": [1]}),
        (Publication(raw("1"), offset=7), {"channel": 'a"b', "data": 1, "offset": 7}),
        (
            Publication(raw("1"), ClientInfo("ada", "c1"), 7, {"region": "eu"}),
            {
                "channel": 'a"b',
                "data": 1,
                "offset": 7,
                "tags": {"region": "eu"},
                "info": {"user": "ada", "client": "c1"},
            },
        ),
        (
            Publication(raw("1"), ClientInfo("ada", "c1")),
            {"channel": 'a"b', "data": 1, "info": {"user": "ada", "client": "c1"}},
        ),
    ],
)
def test_a_publication_without_a_name_brings_its_channel(publication: Publication, argument: object) -> None:
    assert msgspec.json.decode(arguments_of(opening_of('a"b'), publication)) == [argument]
