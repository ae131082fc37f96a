"""Where settings come from: the file, then the environment, then flags; each beats the one before it.

A variable is named ``VAGUS_SECTION__OPTION``; a table below a table adds another ``__``. The ``WEBSOCKET_*`` variables
that deployments of real-time servers use elsewhere work too; ``VAGUS_…`` beats them.
"""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from .describing import options
from .filling import Failed, Given, Node, Problem, SettingsError, did_you_mean, fill, sources_of
from .tree import Settings, check

PREFIX: Final = "VAGUS_"
FILE_NAME: Final = "vagus.toml"

OTHERS: Final = frozenset({"VAGUS_CONFIG", "VAGUS_URL", "VAGUS_API_KEY", "VAGUS_TOKEN"})
"""Variables of the command line, which are not settings of a server."""


class Legacy(msgspec.Struct, frozen=True):
    """A variable of another system and what it means here."""

    name: str
    path: str
    doc: str


LEGACY: Final = (
    Legacy("WEBSOCKET_ENABLED", "websocket.enabled", "Whether clients may connect by WebSocket."),
    Legacy("WEBSOCKET_PORT", "server.port", "The port to listen on."),
    Legacy("WEBSOCKET_MAX_CONNECTIONS", "limits.connections", "Clients on this node. Without it there is no bound."),
    Legacy("WEBSOCKET_HEARTBEAT_INTERVAL", "limits.ping_interval_s", "Milliseconds between two pings."),
    Legacy(
        "WEBSOCKET_CONNECTION_TIMEOUT",
        "limits.pong_timeout_s",
        "Seconds after which a silent client is closed, at the latest; more than the heartbeat interval. "
        "A client that leaves a ping unanswered until the next one is due is closed in any case.",
    ),
)


class Loaded(msgspec.Struct, frozen=True):
    """Settings, and where each value came from."""

    settings: Settings
    given: Mapping[str, Node]

    def source_of(self, path: str) -> str:
        """Where the value at a path came from, or those of the table it is in; empty for a default."""
        node: Node = self.given
        for name in path.replace("[", ".[").split("."):
            if isinstance(node, Given) or name not in node:
                break
            node = node[name]
        return "" if node is self.given else sources_of(node)

    def located(self, error: SettingsError) -> SettingsError:
        """The same error, with the sources of the values that it is about."""
        return SettingsError(
            Problem(problem.path, problem.text, problem.source or self.source_of(problem.path))
            for problem in error.problems
        )


def load(
    *,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, Mapping[str, object]] | None = None,
    flag_name: Callable[[str], str] = lambda option: f"--{option.replace('_', '-')}",
) -> Loaded:
    """Read all sources. Raises ``SettingsError`` with everything that is wrong with them.

    A flag whose value is ``None`` was not given. ``flag_name`` says what a flag is called in messages.
    """
    problems: list[Problem] = []
    given: dict[str, Any] = {}
    if file is not None:
        merge(given, _from_file(file, problems))
    variables = environment or {}
    merge(given, _from_legacy(variables, problems))
    merge(given, _from_environment(variables, problems))
    for section, values in (flags or {}).items():
        chosen = {name: Given(value, flag_name(name)) for name, value in values.items() if value is not None}
        merge(given, {section: chosen} if chosen else {})
    settings = fill(Settings, given, "", problems)
    loaded = Loaded(_sound_part(given) if isinstance(settings, Failed) else settings, given)
    problems.extend(Problem(path, text, loaded.source_of(path)) for path, text in check(loaded.settings))
    if problems:
        raise SettingsError(problems)
    return loaded


def _sound_part(given: Mapping[str, Node]) -> Settings:
    """The sections that can be made, so that they are checked although others cannot."""
    sections = {name: fill(Settings, {name: node}, "", []) for name, node in given.items()}
    sound = {name: getattr(made, name) for name, made in sections.items() if not isinstance(made, Failed)}
    return Settings(**sound)


def merge(below: dict[str, Any], above: Mapping[str, Node]) -> None:
    """Put one source's values over another's, table by table."""
    for name, node in above.items():
        present = below.get(name)
        if isinstance(node, Given) or not isinstance(present, dict):
            below[name] = node if isinstance(node, Given) else _copy(node)
        else:
            merge(present, node)


def _copy(node: Node) -> Node:
    return node if isinstance(node, Given) else {name: _copy(child) for name, child in node.items()}


def _from_file(file: Path, problems: list[Problem]) -> dict[str, Node]:
    source = str(file)
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        problems.append(Problem("", f"cannot be read: {error.strerror}", source))
    except UnicodeDecodeError:
        problems.append(Problem("", "is not UTF-8", source))
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem("", f"is not TOML: {error}", source))
    else:
        return {name: _given(value, source) for name, value in table.items()}
    return {}


def _given(value: object, source: str) -> Node:
    if isinstance(value, dict):
        return {name: _given(item, source) for name, item in value.items()}
    return Given(value, source)


def _from_environment(variables: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    known = {option.variable: option.path for option in options()}
    for name in sorted(variables):
        if not name.startswith(PREFIX) or name in OTHERS:
            continue
        path = known.get(name)
        if path is None:
            text = "is not a setting" + did_you_mean(name, [*known, *OTHERS])
            problems.append(Problem("", text, name))
        else:
            merge(given, _nested(path, Given(variables[name], name, is_text=True)))
    return given


def _nested(path: str, leaf: Given) -> dict[str, Node]:
    first, _, rest = path.partition(".")
    return {first: _nested(rest, leaf) if rest else leaf}


def _from_legacy(variables: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for legacy in LEGACY[:3]:
        if legacy.name in variables:
            merge(given, _nested(legacy.path, Given(variables[legacy.name], legacy.name, is_text=True)))
    merge(given, _heartbeat(variables, problems))
    return given


def _heartbeat(variables: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    """Two of the old variables together say what ping and pong are here: silence is one interval and one timeout."""
    beat, timeout = LEGACY[3].name, LEGACY[4].name
    interval_ms, silence_s = _number(variables, beat, problems), _number(variables, timeout, problems)
    if interval_ms is None and silence_s is None:
        return {}
    interval_s = 25.0 if interval_ms is None else interval_ms / 1000
    if silence_s is not None and silence_s <= interval_s:
        problems.append(Problem("", f"must be more than the heartbeat interval, {interval_s:g} s", timeout))
        return {}
    answer_s = 8.0 if silence_s is None else silence_s - interval_s
    pong = Given(min(answer_s, interval_s * 0.9), timeout if silence_s is not None else beat)
    ping = {"ping_interval_s": Given(interval_s, beat)} if interval_ms is not None else {}
    return {"limits": {**ping, "pong_timeout_s": pong}}


def _number(variables: Mapping[str, str], name: str, problems: list[Problem]) -> float | None:
    if name not in variables:
        return None
    found: list[Problem] = []
    value = fill(_Number, {"value": Given(variables[name], name, is_text=True)}, "", found)
    problems.extend(Problem("", problem.text, name) for problem in found)
    return None if isinstance(value, Failed) else value.value


class _Number(msgspec.Struct, frozen=True):
    value: float

    def __post_init__(self) -> None:
        if not 0 < self.value < 1e12:
            raise ValueError("must be above 0")
