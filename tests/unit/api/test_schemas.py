"""JSON Schema of message types."""

from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from vagus.api.schemas import Schemas


class Leaf(msgspec.Struct):
    """A leaf.

    And more about it.
    """

    raw: msgspec.Raw = msgspec.Raw(b"")


class Tree(msgspec.Struct):
    name: Annotated[str, Meta(description="Its name.")]
    leaves: list[Leaf]
    parent: "Tree | None" = None
    size: Annotated[int, Meta(ge=0)] = 0
    kind: Literal["oak", "elm"] = "oak"
    notes: dict[str, Any] = {}
    pair: tuple[float, ...] = ()
    is_old: bool = False


def test_a_struct_becomes_an_object_with_what_it_holds() -> None:
    schemas = Schemas("My.")
    schemas.add([Tree])
    assert schemas.found["My.Leaf"] == {"type": "object", "description": "A leaf.", "properties": {"raw": {}}}
    assert schemas.found["My.Tree"] == {
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "Its name."},
            "leaves": {"type": "array", "items": {"$ref": "#/components/schemas/My.Leaf"}},
            "parent": {"anyOf": [{"$ref": "#/components/schemas/My.Tree"}, {"type": "null"}]},
            "size": {"type": "integer", "minimum": 0},
            "kind": {"enum": ["elm", "oak"]},
            "notes": {"type": "object", "additionalProperties": {}},
            "pair": {"type": "array", "items": {"type": "number"}},
            "is_old": {"type": "boolean"},
        },
        "required": ["name", "leaves"],
    }


def test_words_describe_what_has_no_description() -> None:
    schemas = Schemas(words={"raw": "Anything.", "name": "Another name."})
    schemas.add([Tree])
    assert schemas.found["Leaf"]["properties"]["raw"] == {"description": "Anything."}
    assert schemas.found["Tree"]["properties"]["name"]["description"] == "Its name."


def test_a_type_that_messages_do_not_use_is_refused() -> None:
    class Odd(msgspec.Struct):
        blob: bytes

    with pytest.raises(TypeError, match="no schema"):
        Schemas().add([Odd])
