"""May a page of this origin talk to the hub? Asked on every upgrade, since cookies travel along with one.

Browsers cannot forge `Origin`, other programs can and mostly send none: this guards people's browsers, not the
hub. A page may talk to the host that it came from, which serves the console; other pages need a pattern:

    *                          everybody
    https://app.example.com    this origin, on the default port
    https://*.example.com      any name below example.com, not example.com itself
    http://localhost:*         any port
    *://example.com            any scheme, each on its default port
    null                       sandboxed frames and files, which all share this one name
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443"}
_HOST = r"\[[0-9a-f:.]+\]|[a-z0-9._-]+"
_ORIGIN = re.compile(rf"([a-z][a-z0-9+.-]*)://({_HOST})(?::([0-9]{{1,5}}))?")
_HOST_HEADER = re.compile(rf"({_HOST})(?::([0-9]{{1,5}}))?")
_PATTERN = re.compile(r"(\*|[a-z][a-z0-9+.-]*)://(\[[0-9a-f:.*]+\]|[a-z0-9._*-]+)(?::([0-9]{1,5}|\*))?")
_MAX_LENGTH = 512  # a host name has at most 253 characters; nothing longer may fill the caches


class Origin(NamedTuple):
    """An origin in normal form: lower case, the port always written out ("" for a scheme without one)."""

    scheme: str
    host: str
    port: str


class OriginRules:
    """The origins that are let in; `ValueError` for a pattern that cannot match anything."""

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        wanted = [pattern.strip().lower() for pattern in patterns]
        self._is_open = "*" in wanted
        self._allows_null = "null" in wanted
        self._patterns = [_compiled(pattern) for pattern in wanted if pattern not in {"*", "null"}]

    def allows(self, origin: str | None, host: str | None) -> bool:
        """Decide by the `Origin` and `Host` headers, None for a header that is absent; never raises."""
        if origin is None or self._is_open:
            return True
        if origin == "null":
            return self._allows_null
        parsed = parsed_origin(origin) if len(origin) <= _MAX_LENGTH else None
        if parsed is None:
            return False
        if host is not None and len(host) <= _MAX_LENGTH and _is_host_of(parsed, host):
            return True
        return any(pattern.fullmatch("{}://{}:{}".format(*parsed)) for pattern in self._patterns)


@lru_cache(maxsize=1024)  # a site's visitors all bring the same few origins
def parsed_origin(text: str) -> Origin | None:
    """Return the origin in normal form, or None if it is not one."""
    match = _ORIGIN.fullmatch(text.lower()) if text.isascii() else None
    if match is None:
        return None
    scheme, host, port = match.groups()
    return Origin(scheme, host, _port(port) or _DEFAULT_PORTS.get(scheme, ""))


@lru_cache(maxsize=1024)
def _is_host_of(origin: Origin, host: str) -> bool:
    match = _HOST_HEADER.fullmatch(host.lower()) if host.isascii() else None
    if match is None:
        return False
    # Whether the hub itself was reached by TLS is not known behind a proxy: the origin's scheme says the port.
    name, port = match.groups()
    return name == origin.host and (_port(port) or _DEFAULT_PORTS.get(origin.scheme, "")) == origin.port


def _port(text: str | None) -> str:
    return str(int(text)) if text else ""


def _compiled(pattern: str) -> re.Pattern[str]:
    match = _PATTERN.fullmatch(pattern)
    if match is None:
        raise ValueError(f"origins: {pattern!r} is not an origin such as https://*.example.com")
    scheme, host, port = match.groups()
    parts = (
        "[a-z][a-z0-9+.-]*" if scheme == "*" else re.escape(scheme),
        re.escape(host).replace(r"\*", "[a-z0-9._:-]+"),
        _port_expression(scheme, port),
    )
    return re.compile("(?:{})://(?:{}):(?:{})".format(*parts))


def _port_expression(scheme: str, port: str | None) -> str:
    if port == "*":
        return "[0-9]*"
    if port is not None:
        return _port(port)
    return "(?:80|443)?" if scheme == "*" else _DEFAULT_PORTS.get(scheme, "")
