"""Arguments that several commands take: durations, JSON, labels, and where the configuration is.

Each kind is a function from text to value, which click calls; it raises ``click.BadParameter``.
"""

import math
import re
from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import click
import msgspec

F = TypeVar("F", bound=Callable[..., Any])

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_ADDRESS: Final = re.compile(r"[^\s\0-\x1f\x7f?#]+")
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


def address(text: str) -> str:
    """The address of a server, without a slash at its end."""
    if not text.startswith(("http://", "https://")):
        raise click.BadParameter(f"{text!r}: a server's address begins with http:// or https://")
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").encode("idna")
        is_one = bool(host) and parts.port != 0 and parts.path.isascii() and bool(_ADDRESS.fullmatch(text))
    except ValueError:
        is_one = False
    if not is_one:
        raise click.BadParameter(
            f"{text!r} is not an address such as https://live.example.com or http://127.0.0.1:8000"
        )
    return text.rstrip("/")


def configuration_options(command: F) -> F:
    """``--config`` and ``--data-dir``, as for the server whose secrets are wanted."""
    command = click.option("--data-dir", metavar="DIR", help="The server's data folder.")(command)
    return click.option(
        "--config", metavar="FILE", envvar="VAGUS_CONFIG", help="The configuration; ./vagus.toml if there is one."
    )(command)


def server_options(command: F) -> F:
    """``--url``, besides the options of the configuration."""
    help_text = "The server, if not the one started here."
    command = click.option("--url", type=address, metavar="URL", envvar="VAGUS_URL", help=help_text)(command)
    return configuration_options(command)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
