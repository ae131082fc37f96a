"""URLs of Redis, and what they mean.

::

    redis://[user:password@]host[:6379][/database]
    redis+sentinel://[user:password@]host[:26379],host…/name-of-the-master[/database]
    redis+cluster://[user:password@]host[:6379],host…

``rediss`` instead of ``redis`` is over TLS, ``valkey`` and ``valkeys`` are the same as these. A password alone is
``:password@``; user and password are percent-encoded. Sentinels that want a password of their own get it from
``?sentinel_user=…&sentinel_password=…``. No error holds any part of what stands before the ``@``, or a password.
"""

import re
import ssl
from typing import Final, Literal
from urllib.parse import parse_qsl, unquote

from . import Options

PORT: Final = 6379
SENTINEL_PORT: Final = 26379

_SCHEME: Final = re.compile(r"(?:redis|valkey)(s?)(?:\+(sentinel|cluster))?")
_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?")
_MASTER: Final = re.compile(r"[A-Za-z0-9._-]+")
_DATABASE: Final = re.compile(r"[0-9]{1,5}")
_SENTINELS: Final = frozenset({"sentinel_user", "sentinel_password"})


def options_from(
    url: str, *, ca_file: str = "", cert_file: str = "", key_file: str = "", timeout_s: float = 3.0
) -> Options:
    """Raises ``ValueError`` for what is no such URL, or for certificates that cannot be read; reads those files."""
    scheme, separator, rest = url.partition("://")
    match = _SCHEME.fullmatch(scheme)
    if match is None or not separator:
        raise ValueError("a URL of Redis begins with redis://, rediss://, redis+sentinel:// or redis+cluster://")
    secure, kind = match[1] == "s", _kind(match[2])
    rest, _, query = rest.partition("?")
    place, _, path = rest.partition("/")
    before, _, hosts = place.rpartition("@")
    user, _, password = before.partition(":")
    if user and not password:
        raise ValueError("a URL of Redis with a user needs a password: user:password@host, or :password@host for none")
    master, database = _target(kind, path)
    sentinels = _sentinels(kind, query)
    return Options(
        kind=kind,
        addresses=_addresses(hosts, SENTINEL_PORT if kind == "sentinel" else PORT, many=kind != "single"),
        master=master,
        user=unquote(user),
        password=unquote(password),
        sentinel_user=sentinels.get("sentinel_user", ""),
        sentinel_password=sentinels.get("sentinel_password", ""),
        database=database,
        tls=_tls(ca_file, cert_file, key_file) if secure else None,
        timeout_s=timeout_s,
    )


def _kind(word: str | None) -> Literal["single", "sentinel", "cluster"]:
    match word:
        case "sentinel":
            return "sentinel"
        case "cluster":
            return "cluster"
        case _:
            return "single"


def _target(kind: str, path: str) -> tuple[str, int]:
    """The name of the master and the number of the database."""
    master, database = "", path.removesuffix("/")
    if kind == "sentinel":
        master, _, database = database.partition("/")
        if _MASTER.fullmatch(unquote(master)) is None:
            raise ValueError("a URL of sentinels ends in the name of the master: redis+sentinel://host:26379/name")
    elif kind == "cluster" and database not in ("", "0"):
        raise ValueError("a Redis Cluster has the database 0 only")
    if database and _DATABASE.fullmatch(database) is None:
        raise ValueError("the database in a URL of Redis is a number")
    return unquote(master), int(database or 0)


def _sentinels(kind: str, query: str) -> dict[str, str]:
    given = dict(parse_qsl(query, keep_blank_values=True))
    if not query:
        return given
    if kind != "sentinel" or not given.keys() <= _SENTINELS:
        raise ValueError("after the ? of a URL of Redis stand sentinel_user and sentinel_password of sentinels alone")
    return given


def _addresses(hosts: str, port: int, *, many: bool) -> tuple[tuple[str, int], ...]:
    names = [name for name in hosts.split(",") if name]
    if not names:
        raise ValueError("a URL of Redis names a host")
    if len(names) > 1 and not many:
        raise ValueError("a URL of Redis names one host, unless it is redis+sentinel:// or redis+cluster://")
    return tuple(_address(name, port) for name in names)


def _address(name: str, port: int) -> tuple[str, int]:
    match = _HOST.fullmatch(name)
    if match is None or not 0 < int(match[3] or port) < 65_536:
        raise ValueError("a host in a URL of Redis is name:port, address:port or [IPv6 address]:port")
    return match[1] or match[2], int(match[3] or port)


def _tls(ca_file: str, cert_file: str, key_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    try:
        if ca_file:
            context.load_verify_locations(ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"the certificates of authorities in {ca_file} cannot be read: {_reason(error)}") from None
    try:
        if cert_file:
            context.load_cert_chain(cert_file, key_file or None)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"the certificate {cert_file} and its key cannot be read: {_reason(error)}") from None
    return context


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
