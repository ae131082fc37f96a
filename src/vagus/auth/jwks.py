"""Public keys published as a JSON Web Key Set (RFC 7517): a fixed set, or one fetched and kept fresh.

`JwkSet` is a value; `RemoteJwks` holds the latest one of an endpoint. A key in hand is answered without
suspending. Going to the network is the exception, and bounded: one fetch at a time, not sooner again than
`refetch_s` after the last, each attempt under a time limit, the document under a size limit, no redirects. When
the endpoint fails, the keys of the last good answer stay in use, since a down endpoint must not log everybody out.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import ipaddress
import ssl
import time
from typing import TYPE_CHECKING, Protocol
from urllib.parse import SplitResult, urlsplit

import msgspec

from vagus.auth.errors import KeysUnavailableError
from vagus.auth.signatures import PublicKey, public_key_from_jwk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ATTEMPTS = 2  # one retry: enough for a connection lost in between, short enough to wait for


class KeySource(Protocol):
    """Where the key of a token is looked up."""

    async def key(self, algorithm: str, kid: str | None) -> PublicKey | None:
        """Return the key for this algorithm and key id, or None if there is none.

        Without a key id the key is the only one that fits the algorithm. `KeysUnavailableError` if it cannot be
        told at the moment.
        """
        ...


class JwkSet:
    """A fixed key set; itself a `KeySource` that never suspends."""

    def __init__(self, keys: Mapping[str, PublicKey], nameless: tuple[PublicKey, ...] = ()) -> None:
        self._keys = dict(keys)
        self._all = (*keys.values(), *nameless)

    def __len__(self) -> int:
        return len(self._all)

    @classmethod
    def parse(cls, document: bytes | str | Mapping[str, object]) -> JwkSet:
        """Read a key set from its JSON or from the decoded object.

        Keys that cannot be used are passed over, as RFC 7517 §5 asks. `ValueError` if this is no key set, or if
        no key in it can be used.
        """
        try:
            members = (
                _DOCUMENT.decode(document)
                if isinstance(document, bytes | str)
                else msgspec.convert(document, _Document)
            ).keys
        except (ValueError, RecursionError):
            raise ValueError("not a JSON Web Key Set") from None
        keys: dict[str, PublicKey] = {}
        nameless: list[PublicKey] = []
        for jwk in members:
            with contextlib.suppress(ValueError):
                key, kid = public_key_from_jwk(jwk), jwk.get("kid")
                if isinstance(kid, str):
                    keys[kid] = key
                else:
                    nameless.append(key)
        if not keys and not nameless:
            raise ValueError("a JSON Web Key Set without a key for signatures")
        return cls(keys, tuple(nameless))

    def find(self, algorithm: str, kid: str | None) -> PublicKey | None:
        """Return the key with this id, or without an id the only key that fits; None if there is none."""
        if kid is not None:
            found = self._keys.get(kid)
            return found if found is not None and algorithm in found.algorithms else None
        fitting = [key for key in self._all if algorithm in key.algorithms]
        return fitting[0] if len(fitting) == 1 else None

    async def key(self, algorithm: str, kid: str | None) -> PublicKey | None:
        """Do what `find` does, as a `KeySource`."""
        return self.find(algorithm, kid)


class RemoteJwks:
    """The key set of an endpoint, fetched when first needed and kept for `ttl_s`.

    An unknown key id fetches again before it is refused, so a new key works at once; `refetch_s` keeps invented
    key ids from turning the hub against the endpoint. Many callers share one fetch, and a caller that is
    cancelled does not end it for the others. `aclose` waits for a fetch under way.
    """

    def __init__(
        self,
        url: str,
        *,
        now: Callable[[], float],
        ttl_s: float = 3600,
        refetch_s: float = 10,
        timeout_s: float = 1,
        max_bytes: int = 262_144,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._endpoint = _Endpoint(_checked(url), timeout_s, max_bytes, tls)
        self._now = now
        self._ttl_s = ttl_s
        self._refetch_s = refetch_s
        self._keys: JwkSet | None = None
        self._fetched_at = 0.0
        self._tried_at: float | None = None
        self._failed = False
        self._fetch: asyncio.Task[None] | None = None
        self._give_up_at = 0.0  # by the loop's clock

    async def key(self, algorithm: str, kid: str | None) -> PublicKey | None:
        """Look the key up, fetching the set first if it is old or lacks the key (see `KeySource`)."""
        found = self._find(algorithm, kid)
        if found is not None and self._now() - self._fetched_at < self._ttl_s:
            return found
        await self._refresh()
        found = self._find(algorithm, kid)
        if found is None and self._failed:
            raise KeysUnavailableError("the key endpoint does not answer")
        return found

    async def aclose(self) -> None:
        """Wait until a fetch under way is over; there is nothing else to release."""
        if self._fetch is not None:
            await self._fetch

    def _find(self, algorithm: str, kid: str | None) -> PublicKey | None:
        return None if self._keys is None else self._keys.find(algorithm, kid)

    async def _refresh(self) -> None:
        loop = asyncio.get_running_loop()
        if self._fetch is None:
            if self._tried_at is not None and self._now() - self._tried_at < self._refetch_s:
                return
            self._fetch = loop.create_task(self._load(), name="jwks")
            self._give_up_at = loop.time() + self._endpoint.timeout_s * _ATTEMPTS
        # The thread cannot be stopped, only left alone: the wait has a limit of its own, and as the task stays in
        # place until its thread is done, an endpoint that drips for hours holds one thread and not one each time.
        done, _ = await asyncio.wait({self._fetch}, timeout=max(0, self._give_up_at - loop.time()))
        if not done:
            self._failed = True

    async def _load(self) -> None:
        self._tried_at = self._now()
        try:
            self._keys = JwkSet.parse(await asyncio.to_thread(self._endpoint.document))
            self._fetched_at, self._failed = self._now(), False
        except (OSError, http.client.HTTPException, ValueError):
            self._failed = True
        finally:
            self._fetch = None


class _Document(msgspec.Struct):
    keys: list[dict[str, object]]


_DOCUMENT = msgspec.json.Decoder(_Document)


def _checked(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.username is not None or not parts.hostname or parts.port == 0:  # reading `port` checks it
        raise ValueError("jwks: the URL needs a host, and no user")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ValueError("jwks: https is needed, or http on this machine")
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Endpoint:
    """The blocking side, run in a thread. http.client follows no redirect, which is what is wanted here."""

    def __init__(self, url: SplitResult, timeout_s: float, max_bytes: int, tls: ssl.SSLContext | None) -> None:
        self.timeout_s = timeout_s
        self._url = url
        self._max_bytes = max_bytes
        self._tls = tls

    def document(self) -> bytes:
        """Return the body of the answer; `OSError`, `HTTPException` or `ValueError` if there is none to be had."""
        for _ in range(_ATTEMPTS - 1):
            with contextlib.suppress(OSError, http.client.HTTPException):
                return self._attempt()
        return self._attempt()

    def _attempt(self) -> bytes:
        deadline = time.monotonic() + self.timeout_s
        with contextlib.closing(self._connection()) as connection:
            target = f"{self._url.path or '/'}?{self._url.query}".removesuffix("?")
            connection.request("GET", target, headers={"Accept": "application/json"})
            response = connection.getresponse()
            if response.status != http.HTTPStatus.OK:
                raise http.client.HTTPException(f"status {response.status}")
            return self._body(response, deadline)

    def _connection(self) -> http.client.HTTPConnection:
        if self._url.scheme == "http":
            return http.client.HTTPConnection(self._url.netloc, timeout=self.timeout_s)
        if self._tls is None:
            self._tls = ssl.create_default_context()  # reads the disk, so not on the event loop
        return http.client.HTTPSConnection(self._url.netloc, timeout=self.timeout_s, context=self._tls)

    def _body(self, response: http.client.HTTPResponse, deadline: float) -> bytes:
        body = bytearray()
        while chunk := response.read1(65_536):
            body += chunk
            if len(body) > self._max_bytes:
                raise ValueError("the key set is too large")
            if time.monotonic() > deadline:  # the socket's own limit is for each read, not for all of them
                raise TimeoutError("the key set came too slowly")
        return bytes(body)
