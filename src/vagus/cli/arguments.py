"""Arguments that several commands take: durations, JSON, labels, and where the configuration is.

Each kind is a function from text to value, which click calls; it raises ``click.BadParameter``.
"""

import math
import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click
import msgspec

F = TypeVar("F", bound=Callable[..., Any])

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def duration(text: str) -> float:
    """``45s``, ``30m``, ``12h``, ``7d`` as seconds, ``never`` as infinity."""
    if text == "never":
        return math.inf
    found = _DURATION.fullmatch(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is not a duration such as 30m, 12h, 7d or never")
    return float(found[1]) * _UNITS[found[2]]


def json_text(text: str) -> msgspec.Raw:
    """JSON, checked and put on one line."""
    try:
        msgspec.json.decode(text)
        return msgspec.Raw(msgspec.json.format(text.encode(), indent=-1))
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        hint = "" if text.lstrip()[:1] in ("{", "[", '"') else " (a text needs quotes of its own: '\"hello\"')"
        raise click.BadParameter(f"not JSON: {error}{hint}") from None


def label(text: str) -> tuple[str, str]:
    """``name=value``."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise click.BadParameter(f"{text!r} is not name=value")
    return name, value


def configuration_options(command: F) -> F:
    """``--config`` and ``--data-dir``, as for the server whose secrets are wanted."""
    command = click.option("--data-dir", metavar="DIR", help="The server's data folder.")(command)
    return click.option(
        "--config", metavar="FILE", envvar="VAGUS_CONFIG", help="The configuration; ./vagus.toml if there is one."
    )(command)


def server_options(command: F) -> F:
    """``--url``, besides the options of the configuration."""
    command = click.option("--url", metavar="URL", envvar="VAGUS_URL", help="The server, if not the one started here.")(
        command
    )
    return configuration_options(command)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
