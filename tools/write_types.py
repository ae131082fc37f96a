"""Writes the types of @vagus/client that are made from the source: messages.ts and codes.ts.

    python -m tools.write_types            writes them
    python -m tools.write_types --check    fails, naming the file, if one is not what the source says now

What an app publishes it says itself, in ``PUBLISHED`` (see ``vagus.apps``), and its calls are those of a hub on which
it is installed: a new app needs no change here. A field is optional where the wire may leave it out: in what clients
send if it has a default, in what they are sent if its struct omits defaults. A type that TypeScript has no word for is
a ``TypeError`` that names it.
"""

import importlib
import inspect
import json
import pkgutil
import re
import sys
import textwrap
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec

import vagus.apps
from tools.write_docs import MEANINGS
from vagus.hub import Hub
from vagus.hub.functions import Method
from vagus.kernel import codes

FOLDER: Final = Path(__file__).parents[1] / "web" / "packages" / "client" / "src" / "generated"
MADE: Final = "/** Made by tools/write_types.py: change the source that it reads, not this file. */\n"
WIDTH: Final = 110
"""Of a line, as web/biome.json has it."""

_PLAIN: Final[dict[Any, str]] = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    None: "null",
    type(None): "null",
    Any: "unknown",
    object: "unknown",
    msgspec.Raw: "unknown",
}
_LISTS: Final = frozenset({list, tuple, set, frozenset, Sequence})
_MAPPINGS: Final = frozenset({dict, Mapping})


class Types:
    """The interfaces that were needed so far, by name. ``sent`` ones are what clients send."""

    def __init__(self) -> None:
        self.interfaces: dict[str, str] = {}
        self._owners: dict[str, tuple[type, bool]] = {}

    def of(self, kind: Any, *, sent: bool = False) -> str:
        """A Python type in TypeScript."""
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self.of(arguments[0], sent=sent)
        if origin is Literal:
            return " | ".join(json.dumps(value) for value in arguments)
        if origin in (Union, types.UnionType):
            return " | ".join(dict.fromkeys(self.of(each, sent=sent) for each in arguments))
        if kind in _LISTS or origin in _LISTS:
            return self._list(arguments, sent=sent)
        if kind in _MAPPINGS or origin in _MAPPINGS:
            return f"Readonly<Record<string, {self.of(arguments[1], sent=sent) if arguments else 'unknown'}>>"
        if inspect.isclass(kind) and issubclass(kind, Enum):
            return " | ".join(json.dumps(each.value) for each in kind)
        if inspect.isclass(kind) and issubclass(kind, msgspec.Struct):
            return self._struct(kind, sent=sent)
        try:
            return _PLAIN[kind]
        except (KeyError, TypeError):
            raise TypeError(f"no type of TypeScript is known for {kind!r}") from None

    def _list(self, arguments: tuple[Any, ...], *, sent: bool) -> str:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            arguments = arguments[:1]
        members = [self.of(each, sent=sent) for each in arguments] or ["unknown"]
        if len(members) > 1:
            return f"readonly [{', '.join(members)}]"
        return f"readonly ({members[0]})[]" if " " in members[0] else f"readonly {members[0]}[]"

    def _struct(self, kind: type[msgspec.Struct], *, sent: bool) -> str:
        name, config = kind.__name__, kind.__struct_config__
        if config.array_like:
            raise TypeError(f"{name} is an array on the wire, which is not described")
        if name not in self._owners:
            self._owners[name] = kind, sent
            self.interfaces[name] = ""  # in its place, before those that it holds
            tag = [f"  readonly {config.tag_field}: {json.dumps(config.tag)};"] if config.tag_field else []
            fields = (line for field in msgspec.structs.fields(kind) for line in self._field(field, config, sent=sent))
            body = "\n".join([*_comment(_doc(kind)), f"export interface {name} {{", *tag, *fields, "}"])
            self.interfaces[name] = body
        elif self._owners[name] != (kind, sent):
            raise TypeError(f"{name} is two types, or one that is both sent and received: give one another name")
        return name

    def _field(self, field: msgspec.structs.FieldInfo, config: Any, *, sent: bool) -> Iterator[str]:
        is_optional = not field.required and (sent or config.omit_defaults)
        yield from _comment(_description(field.type), "  ")
        yield from _member(f"readonly {_key(field.encode_name)}{'?' * is_optional}", self.of(field.type, sent=sent))


def _description(kind: Any) -> str:
    """What an annotation says, also where it is one of several that a field may have."""
    for each in (kind, *(get_args(kind) if get_origin(kind) in (Union, types.UnionType) else ())):
        if get_origin(each) is Annotated:
            found = [meta.description for meta in get_args(each)[1:] if getattr(meta, "description", None)]
            if found:
                return str(found[-1])
    return ""


def _doc(kind: type) -> str:
    """Its own docstring; msgspec gives a struct without one a signature, which is none."""
    return inspect.cleandoc(kind.__dict__.get("__doc__") or "")


def _comment(text: str, indent: str = "") -> Iterator[str]:
    if not text:
        return
    text = text.replace("``", "`")
    one_line = f"{indent}/** {' '.join(text.split())} */"
    if len(one_line) <= WIDTH:
        yield one_line
        return
    yield f"{indent}/**"
    for paragraph in text.split("\n\n"):
        yield from textwrap.wrap(paragraph, WIDTH, initial_indent=f"{indent} * ", subsequent_indent=f"{indent} * ")
    yield f"{indent} */"


def _member(name: str, kind: str) -> Iterator[str]:
    """A member of an interface, laid out as Biome would: a union that is too long has a line for each of its types."""
    one_line = f"  {name}: {kind};"
    if len(one_line) <= WIDTH or " | " not in kind:
        yield one_line
        return
    *others, last = kind.split(" | ")
    yield f"  {name}:"
    yield from (f"    | {each}" for each in others)
    yield f"    | {last};"


def _key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)


def channel_key(pattern: str) -> str:
    """A channel by name, or all those of a pattern: ``orders:{id}`` is any ``orders:${string}``."""
    if "{" not in pattern:
        return _key(pattern)
    return f"[channel: `{re.sub(r'{[^}]*}', '${string}', pattern)}`]"


def apps() -> list[types.ModuleType]:
    """The packages of ``vagus.apps``."""
    found = pkgutil.iter_modules(vagus.apps.__path__, "vagus.apps.")
    return [importlib.import_module(module.name) for module in found if module.ispkg]


def messages_file() -> str:
    """What apps publish, by channel, and the calls that a client can make."""
    known, hub = Types(), Hub()
    channels: list[str] = []
    for app in apps():
        app.install(hub)
        for pattern, events in app.PUBLISHED.items():
            union = [f"Envelope<{json.dumps(name)}, {known.of(payload)}>" for name, payload in events.items()]
            channels += _member(channel_key(pattern), " | ".join(union))
    calls: list[str] = []
    for call in hub.calls.values():
        if isinstance(call, Method):  # those of sections take arguments in order, for SignalR and Socket.IO
            request, result = known.of(call.request, sent=True), known.of(call.result)
            calls += _comment(call.doc, "  ")
            calls.append(f"  {_key(call.name)}: {{ request: {request}; result: {result} }};")
    tables = [_table("AppChannels", "What the apps of the server publish.", channels)]
    tables.append(_table("AppCalls", "The calls that the server and its apps answer.", calls))
    head = f'{MADE}\nimport type {{ Envelope }} from "../types.js";'
    return "\n\n".join([head, *known.interfaces.values(), *tables]) + "\n"


def _table(name: str, doc: str, members: list[str]) -> str:
    return "\n".join([f"/** {doc} */", f"export interface {name} {{", *members, "}"])


_CODES_HEAD: Final = """
/**
 * Every number that a client can be told: errors of a reply, endings of a subscription, closures of a connection. An
 * application may have more, from 400 to 1999 and from 4000 to 4999.
 */
export const Codes = {"""


def codes_file() -> str:
    """Codes by the names that they have in the source."""
    lines = [MADE.rstrip(), _CODES_HEAD]
    for name, meaning in MEANINGS.items():
        code = getattr(codes, name)
        text = code.message if isinstance(code, codes.Fault) else code.reason
        lines += [*_comment(f"{text[:1].upper()}{text[1:]}. {meaning}", "  "), f"  {name}: {code.code},"]
    lines += ["} as const;", "", "export type Code = (typeof Codes)[keyof typeof Codes];", ""]
    return "\n".join(lines)


FILES: Final[dict[str, Callable[[], str]]] = {"messages.ts": messages_file, "codes.ts": codes_file}


def stale_files(folder: Path = FOLDER) -> list[str]:
    """Files that are missing or differ from what would be written now."""
    return [name for name, text in FILES.items() if not _is_fresh(folder / name, text())]


def _is_fresh(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text("utf-8") == text


def main(arguments: list[str]) -> int:
    """Write the files, or check them; returns the exit code."""
    if arguments == ["--check"]:
        stale = stale_files()
        for name in stale:
            print(f"{FOLDER.name}/{name} is stale: run python -m tools.write_types", file=sys.stderr)
        return 1 if stale else 0
    if arguments:
        print("usage: python -m tools.write_types [--check]", file=sys.stderr)
        return 2
    for name, text in FILES.items():
        (FOLDER / name).write_text(text(), "utf-8")
        print(f"wrote {FOLDER.name}/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
