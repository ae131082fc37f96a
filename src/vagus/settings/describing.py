"""The tree as documentation: every option with its type, default, variable and meaning.

Meanings are the texts below the fields, read from the source once: there they stand beside what they describe.
"""

import ast
import inspect
import textwrap
from functools import cache
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import msgspec

from .filling import element_of, is_struct, join, tables_of, without_none
from .tree import Settings

_NAMES: Final = {str: "text", int: "integer", float: "number", bool: "true or false"}


class Option(msgspec.Struct, frozen=True):
    """One option. ``path`` of an option within a list of tables has ``[]`` after the list's name."""

    path: str
    variable: str
    type: str
    default: str
    doc: str

    @property
    def section(self) -> str:
        return self.path.partition(".")[0]


@cache
def options() -> tuple[Option, ...]:
    """Options that can be set one by one, in the order of the tree; a list of tables is one option."""
    return tuple(_options(Settings, Settings(), ""))


def table_options(kind: type[msgspec.Struct], path: str) -> list[Option]:
    """The options of one table of a list."""
    docs = field_docs(kind)
    return [
        Option(f"{path}.{field.name}", "", type_name(field.type), default_text(field), docs.get(field.name, ""))
        for field in msgspec.structs.fields(kind)
    ]


def _options(kind: type[msgspec.Struct], defaults: object, path: str) -> list[Option]:
    found: list[Option] = []
    docs = field_docs(kind)
    for field in msgspec.structs.fields(kind):
        inner, here = without_none(field.type), join(path, field.name)
        default = getattr(defaults, field.name, None)
        if is_struct(inner):
            found.extend(_options(inner, default, here))
        else:
            text = "" if field.required else _text(default)
            found.append(Option(here, variable_of(here), type_name(inner), text, docs.get(field.name, "")))
    return found


def variable_of(path: str) -> str:
    return "VAGUS_" + path.replace(".", "__").upper()


def type_name(kind: Any) -> str:
    """A type in words."""
    kind = without_none(kind)
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        return " | ".join(map(str, get_args(kind)))
    if get_origin(kind) is dict:
        return "table of text"
    inner = element_of(kind)
    if inner is not None:
        return "list of tables" if tables_of(inner) else f"list of {type_name(inner)}"
    return "table" if is_struct(kind) else _NAMES.get(kind, str(kind))


def default_text(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "needed"
    factory = field.default_factory
    return _text(field.default if factory is msgspec.NODEFAULT else factory())


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case tuple() | frozenset() | list():
            return msgspec.json.encode(sorted(map(str, value))).decode()
        case str():
            return f'"{value}"'
    return f"{value:g}" if isinstance(value, float) else str(value)


@cache
def field_docs(kind: type[msgspec.Struct]) -> dict[str, str]:
    """The text below each field of a struct, from its source; a base class's fields included."""
    docs: dict[str, str] = {}
    for owner in reversed(kind.__mro__):
        if owner.__module__.startswith("vagus."):
            docs.update(_docs_in(textwrap.dedent(inspect.getsource(owner))))
    return docs


def _docs_in(source: str) -> dict[str, str]:
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    docs: dict[str, str] = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                docs[name] = " ".join(text.split())
    return docs
