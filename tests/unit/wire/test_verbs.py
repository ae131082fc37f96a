import msgspec
import pytest

from vagus.kernel import commands
from vagus.kernel.publications import Position
from vagus.wire.verbs import VERBS, ArgumentError, verb_from


def raw(*values: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(values))


@pytest.mark.parametrize(
    ("name", "arguments", "command"),
    [
        ("subscribe", raw("a"), commands.Subscribe(channel="a")),
        ("subscribe", raw("a", None), commands.Subscribe(channel="a")),
        (
            "subscribe",
            raw("a", {"recover": True, "offset": 5, "epoch": "x", "channel": "b"}),
            commands.Subscribe(channel="a", recover=True, offset=5, epoch="x"),
        ),
        ("stream", raw("a", {"recoverable": True}), commands.Subscribe(channel="a", recoverable=True)),
        ("unsubscribe", raw("a"), commands.Unsubscribe("a")),
        ("publish", raw("a", {"n": 1}), commands.Publish("a", msgspec.Raw(b'{"n":1}'))),
        ("presence", raw("a"), commands.Presence("a")),
        ("presencestats", raw("a"), commands.PresenceStats("a")),
        ("history", raw("a"), commands.History("a")),
        (
            "history",
            raw("a", {"limit": 5, "since": {"offset": 1, "epoch": "x"}, "reverse": True}),
            commands.History("a", 5, Position(1, "x"), True),
        ),
        ("refresh", raw("token"), commands.Refresh("token")),
    ],
)
def test_a_method_of_the_hub_is_a_command(name: str, arguments: msgspec.Raw, command: object) -> None:
    assert verb_from(name, arguments) == command


@pytest.mark.parametrize("name", sorted(VERBS))
@pytest.mark.parametrize("arguments", [raw(), raw("a", {}, 3), raw(5, {}), raw("", {}), raw(["a"])])
def test_arguments_that_do_not_fit_are_refused_with_words(name: str, arguments: msgspec.Raw) -> None:
    with pytest.raises(ArgumentError, match="argument"):
        verb_from(name, arguments)


@pytest.mark.parametrize("options", [5, {"offset": -1}, {"recover": "yes"}, {"delta": "fossil"}, []])
def test_options_that_do_not_fit_are_refused_with_their_place(options: object) -> None:
    with pytest.raises(ArgumentError, match="argument 2"):
        verb_from("subscribe", raw("a", options))
