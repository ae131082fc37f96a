"""Commands as values: what the wire's fields mean together."""

from typing import get_args

import msgspec
import pytest

from vagus.kernel import commands, replies
from vagus.kernel.publications import Position


def test_a_subscription_is_recovered_from_a_position() -> None:
    assert commands.Subscribe("news", offset=3, epoch="e").position == Position(3, "e")


@pytest.mark.parametrize("kind", get_args(commands.Native))
def test_every_field_of_a_command_may_be_left_out(kind: type) -> None:
    assert msgspec.json.decode(b"{}", type=kind) == kind()


@pytest.mark.parametrize("kind", [*get_args(commands.Command), *get_args(replies.Reply), *get_args(replies.Push)])
def test_commands_replies_and_pushes_are_frozen(kind: type[msgspec.Struct]) -> None:
    assert kind.__struct_config__.frozen


@pytest.mark.parametrize("text", ['{"offset":-1}', '{"offset":"1"}', '{"channel":1}', '{"type":3000000000}'])
def test_a_field_of_another_kind_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=commands.Subscribe)
