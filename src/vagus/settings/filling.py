"""Values into the tree: each is converted on its own, so that every problem is found at once and none stops the rest.

What sources give is a tree of tables whose leaves are ``Given``: a value and where it came from. A value from the
environment is text, and is read as its field's type wants it: numbers and booleans as written, lists with commas or as
JSON, lists of tables as JSON.
"""

import difflib
import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin

import msgspec

S = TypeVar("S", bound=msgspec.Struct)


class Given(msgspec.Struct, frozen=True):
    """A value and where it came from. ``is_text`` says that it is still to be read as its field's type."""

    value: Any
    source: str
    is_text: bool = False


Node = Given | Mapping[str, "Node"]


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a setting. ``source`` is empty for what nobody gave."""

    path: str
    text: str
    source: str = ""

    def __str__(self) -> str:
        where = f"{self.source}: " if self.source else ""
        path = f"{self.path}: " if self.path else ""
        return f"{where}{path}{self.text}"


class SettingsError(ValueError):
    """The settings cannot be used; ``problems`` says everything that is wrong with them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Failed:
    """The type of ``FAILED``, which stands for a value that could not be made."""


FAILED: Final = Failed()


def fill(kind: type[S], node: Node, path: str, problems: list[Problem]) -> S | Failed:
    """A value of ``kind``, a struct. What is wrong is added to ``problems``; it is ``FAILED`` then."""
    table = _as_table(node)
    if table is None:
        problems.append(Problem(path, "must be a table", sources_of(node)))
        return FAILED
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    found = len(problems)
    for name in (name for name in table if name not in fields):
        text = "is not a setting" + did_you_mean(name, fields)
        problems.append(Problem(join(path, name), text, sources_of(table[name])))
    values = {
        fields[name].name: _value(fields[name].type, child, join(path, name), problems)
        for name, child in table.items()
        if name in fields
    }
    problems.extend(
        Problem(join(path, field.encode_name), "is needed", sources_of(node))
        for field in fields.values()
        if field.required and field.name not in values
    )
    if len(problems) > found:
        return FAILED
    try:
        return kind(**values)
    except (ValueError, TypeError) as error:
        problems.append(_from_construction(kind, path, str(error), sources_of(node)))
        return FAILED


def _from_construction(kind: type[msgspec.Struct], path: str, text: str, source: str) -> Problem:
    name, colon, rest = text.partition(": ")
    if colon and name in kind.__struct_fields__:
        return Problem(join(path, name), rest, source)
    return Problem(path, text, source)


def _value(kind: Any, node: Node, path: str, problems: list[Problem]) -> Any:
    kind = without_none(kind)
    if is_struct(kind):
        return fill(kind, node, path, problems)
    if not isinstance(node, Given):
        problems.append(Problem(path, "is not a table", sources_of(node)))
        return FAILED
    inner = element_of(kind)
    try:
        value = _read(node, kind)
        if inner is not None and tables_of(inner):
            return _list(inner, value, node.source, path, problems)
        return msgspec.convert(value, kind, strict=not node.is_text)
    except (msgspec.DecodeError, _NotAListError) as error:
        problems.append(Problem(path, _wording(kind, error), node.source))
        return FAILED


class _NotAListError(ValueError):
    pass


def _list(inner: Any, value: Any, source: str, path: str, problems: list[Problem]) -> Any:
    if not isinstance(value, list | tuple):
        raise _NotAListError("must be a list of tables")
    return tuple(_table(inner, Given(item, source), f"{path}[{index}]", problems) for index, item in enumerate(value))


def _table(inner: Any, item: Given, path: str, problems: list[Problem]) -> Any:
    """One table of a list. Where there are several kinds of them, the field that is their tag says which it is."""
    kinds = tables_of(inner)
    if is_struct(inner) or not isinstance(item.value, dict):
        return fill(kinds[0], item, path, problems)
    configs = {kind.__struct_config__.tag: kind for kind in kinds}
    tag_field = str(kinds[0].__struct_config__.tag_field)
    tag = item.value.get(tag_field)
    kind = configs.get(tag) if isinstance(tag, str) else None
    if kind is None:
        text = f"must be one of {', '.join(map(str, configs))}" if tag_field in item.value else "is needed"
        problems.append(Problem(join(path, tag_field), text, item.source))
        return FAILED
    rest = {name: value for name, value in item.value.items() if name != tag_field}
    return fill(kind, Given(rest, item.source), path, problems)


def _read(node: Given, kind: Any) -> Any:
    """The value as what ``msgspec.convert`` takes: text of a list is split, or read as JSON where it looks like it."""
    if not node.is_text or element_of(kind) is None:
        return node.value
    text = node.value.strip()
    if text.startswith("["):
        return msgspec.json.decode(text)
    return [part for part in (part.strip() for part in text.split(",")) if part]


def _wording(kind: Any, error: Exception) -> str:
    """What is wrong in our words. No value is repeated: it might be a secret."""
    allowed = get_args(kind) if get_origin(kind) is Literal else ()
    if allowed:
        return f"must be one of {', '.join(map(str, allowed))}"
    text = str(error).replace("`", "")
    return text[:1].lower() + text[1:]


def _as_table(node: Node) -> Mapping[str, Node] | None:
    if not isinstance(node, Given):
        return node
    value = node.value
    if node.is_text:
        try:
            value = msgspec.json.decode(value)
        except msgspec.DecodeError:
            return None
    if not isinstance(value, dict):
        return None
    return {name: Given(item, node.source) for name, item in value.items()}


def sources_of(node: Node) -> str:
    """Where the values of a node came from, each source once."""
    if isinstance(node, Given):
        return node.source
    return ", ".join(dict.fromkeys(filter(None, map(sources_of, node.values()))))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


# types


def without_none(kind: Any) -> Any:
    """``X`` of ``X | None``."""
    if get_origin(kind) in (Union, types.UnionType):
        rest = [part for part in get_args(kind) if part is not type(None)]
        if len(rest) == 1:
            return rest[0]
    return kind


def is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def tables_of(kind: Any) -> tuple[type[msgspec.Struct], ...]:
    """The kinds of table that a list of ``kind`` may hold, none if it holds no tables."""
    kinds = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    return kinds if all(map(is_struct, kinds)) else ()


def element_of(kind: Any) -> Any:
    """The type of a collection's elements, ``None`` for what is no collection."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return get_args(kind)[0] if get_origin(kind) in (tuple, list, frozenset) else None
