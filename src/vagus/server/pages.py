"""The console's pages: files of the build in ``vagus/console``, with the headers that keep them to this server.

They are read once, before the server starts, and looked up by their paths, so no request ever names a file. What is not
there goes on to the API; where the console was not built, all of it does. Paths of the console's own, such as
``/connections``, are answered with ``index.html``, which knows what to show.
"""

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

import msgspec

from vagus.asgi import Asgi, Receive, Response, Scope, Send, headers_of, respond

INDEX: Final = "/index.html"

RESERVED: Final = frozenset(
    {"api", "connection", "docs", "emulation", "events", "health", "hubs", "metrics", "socket.io"}
)
"""First parts of paths that are never the console's."""

_FOREVER: Final = b"public, max-age=31536000, immutable"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'{sockets}; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_HOST: Final = re.compile(r"[A-Za-z0-9._-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
_SAFE: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)

_PACKED: Final = {".br": "br", ".gz": "gzip"}
"""Encodings by what the build adds to a file's name, the better one first."""

_TEXT: Final = ("text/", "application/json", "application/manifest+json", "image/svg+xml")
_WORTH_PACKING: Final = 1_024

mimetypes.add_type("application/manifest+json", ".webmanifest")
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("font/woff2", ".woff2")


class Form(msgspec.Struct, frozen=True):
    """A file as it is sent: as it is, or packed."""

    body: bytes
    etag: bytes


class File(msgspec.Struct, frozen=True):
    """``forms`` are by the names of encodings; ``identity`` is always there."""

    content_type: bytes
    cache: bytes
    forms: Mapping[str, Form]


def is_built() -> bool:
    return _folder().joinpath("index.html").is_file()


def _folder() -> Traversable:
    return files("vagus") / "console"


class ConsolePages:
    """The console's pages in front of the application that answers everything else. Making it reads their files."""

    def __init__(self, rest: Asgi, folder: Traversable | None = None) -> None:
        self._rest = rest
        self._files = read(folder if folder is not None else _folder())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        file = self._file(scope) if scope["type"] == "http" else None
        if file is None:
            await self._rest(scope, receive, send)
        else:
            await respond(send, _response(file, headers_of(scope)), head_only=scope["method"] == "HEAD")

    def _file(self, scope: Scope) -> File | None:
        path: str = scope["path"]
        if scope["method"] not in ("GET", "HEAD") or path.lstrip("/").partition("/")[0] in RESERVED:
            return None
        is_page = path == "/" or ("." not in path and b"text/html" in headers_of(scope).get(b"accept", b""))
        return self._files.get(path) or (self._files.get(INDEX) if is_page else None)


def read(folder: Traversable) -> dict[str, File]:
    """The files below a folder by their paths, as they are asked for."""
    if not folder.is_dir():
        return {}
    bodies = dict(_bodies(folder, ""))
    packed = {path: path.removesuffix(ending) for path in bodies for ending in _PACKED if path.endswith(ending)}
    return {path: _file_of(path, bodies) for path in bodies if path not in packed or packed[path] not in bodies}


def _bodies(folder: Traversable, below: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        path = f"{below}/{entry.name}"
        if entry.is_dir():
            yield from _bodies(entry, path)
        elif not entry.name.startswith("."):
            yield path, entry.read_bytes()


def _file_of(path: str, bodies: Mapping[str, bytes]) -> File:
    body = bodies[path]
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    is_text = kind.startswith(_TEXT)
    forms = {name: bodies[path + ending] for ending, name in _PACKED.items() if path + ending in bodies}
    if is_text and "gzip" not in forms and len(body) >= _WORTH_PACKING:
        forms["gzip"] = gzip.compress(body, mtime=0)
    content_type = f"{kind}; charset=utf-8" if is_text else kind
    return File(
        content_type=content_type.encode(),
        cache=_cache_of(path),
        forms={name: Form(each, _etag_of(each)) for name, each in (*forms.items(), ("identity", body))},
    )


def _cache_of(path: str) -> bytes:
    if path == INDEX:
        return b"no-store"
    return _FOREVER if path.startswith("/assets/") else b"no-cache"


def _etag_of(body: bytes) -> bytes:
    return b'"%s"' % hashlib.sha256(body).hexdigest()[:32].encode()


def _response(file: File, headers: Mapping[bytes, bytes]) -> Response:
    accepted = _accepted(headers.get(b"accept-encoding", b""))
    name = next(name for name in file.forms if name in accepted or name == "identity")
    form = file.forms[name]
    sent = [(b"cache-control", file.cache), (b"etag", form.etag), (b"content-security-policy", _policy_for(headers))]
    sent += _SAFE
    if len(file.forms) > 1:
        sent.append((b"vary", b"accept-encoding"))
    if form.etag in headers.get(b"if-none-match", b""):
        return Response(304, b"", file.content_type, tuple(sent))
    if name != "identity":
        sent.append((b"content-encoding", name.encode()))
    return Response(200, form.body, file.content_type, tuple(sent))


def _accepted(header: bytes) -> set[str]:
    """Encodings that a browser takes."""
    found = set()
    for part in header.decode("latin-1").lower().split(","):
        name, _, weight = part.partition(";")
        if not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight):
            found.add(name.strip())
    return found


def _policy_for(headers: Mapping[bytes, bytes]) -> bytes:
    """Not every browser takes ``'self'`` to mean WebSockets to the same host too, so they are named."""
    host = headers.get(b"host", b"").decode("latin-1")
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return _POLICY.format(sockets=sockets).encode()
