"""Key sets: what is read, when an endpoint is asked, and what holds while it fails.

The endpoint's side is a pair of connected sockets with the answer already in it, so nothing leaves the process.
"""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.patience import DEADLINE_S
from vagus.auth.errors import KeysUnavailableError
from vagus.auth.jwks import JwkSet, RemoteJwks
from vagus.auth.signatures import PublicKey

URL = "http://127.0.0.1:8000/keys?v=1"


class Clock:
    def __init__(self) -> None:
        self.time = 1_700_000_000.0

    def __call__(self) -> float:
        return self.time


class Connection(socket.socket):
    """One end of a pair, which knows nothing of TCP_NODELAY."""

    def setsockopt(self, *_arguments: object) -> None:
        pass


class Endpoint:
    """Answers each connection with `answer`; None is silence, and an exception a failure to connect."""

    def __init__(self) -> None:
        self.answer: bytes | OSError | None = None
        self.opened = threading.Event()
        self.opened.set()
        self.peers: list[socket.socket] = []

    @property
    def count(self) -> int:
        return len(self.peers)

    def publish(self, *keys: dict[str, object]) -> None:
        self.answer = answer_with(json.dumps({"keys": keys}).encode())

    def connect(self, *_arguments: object, **_options: object) -> socket.socket:
        one, far = socket.socketpair()
        near = Connection(fileno=one.detach())
        near.settimeout(0.05)
        self.peers.append(far)
        assert self.opened.wait(DEADLINE_S)
        if isinstance(self.answer, bytes):
            far.sendall(self.answer)
        elif self.answer is not None:
            near.close()
            raise self.answer
        return near


def answer_with(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    endpoint = Endpoint()
    monkeypatch.setattr(socket, "create_connection", endpoint.connect)
    yield endpoint
    for peer in endpoint.peers:
        peer.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def old(public_jwks: Mapping[str, dict[str, object]]) -> dict[str, object]:
    return public_jwks["p-256"] | {"kid": "old"}


@pytest.fixture
def new(public_jwks: Mapping[str, dict[str, object]]) -> dict[str, object]:
    return public_jwks["rsa"] | {"kid": "new"}


def remote(clock: Clock, **options: Any) -> RemoteJwks:
    return RemoteJwks(URL, now=clock, **({"timeout_s": DEADLINE_S} | options))


async def test_a_set_is_fetched_once_and_then_kept(endpoint: Endpoint, clock: Clock, old: dict[str, object]) -> None:
    endpoint.publish(old)
    keys = remote(clock)
    for _ in range(3):
        assert isinstance(await keys.key("ES256", "old"), PublicKey)
    assert endpoint.count == 1
    assert endpoint.peers[0].recv(1000).startswith(b"GET /keys?v=1 HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n")


async def test_a_key_in_hand_is_answered_without_suspending(
    endpoint: Endpoint, clock: Clock, old: dict[str, object]
) -> None:
    endpoint.publish(old)
    keys = remote(clock)
    await keys.key("ES256", "old")
    with pytest.raises(StopIteration):
        keys.key("ES256", "old").send(None)


async def test_an_old_set_is_fetched_again(endpoint: Endpoint, clock: Clock, old: dict[str, object]) -> None:
    endpoint.publish(old)
    keys = remote(clock, ttl_s=3600)
    await keys.key("ES256", "old")
    clock.time += 3600
    await keys.key("ES256", "old")
    assert endpoint.count == 2


async def test_a_withdrawn_key_is_forgotten_with_the_old_set(
    endpoint: Endpoint, clock: Clock, old: dict[str, object], new: dict[str, object]
) -> None:
    endpoint.publish(old)
    keys = remote(clock)
    await keys.key("ES256", "old")
    endpoint.publish(new)
    clock.time += 3600
    assert await keys.key("ES256", "old") is None


async def test_an_unknown_key_id_fetches_again(
    endpoint: Endpoint, clock: Clock, old: dict[str, object], new: dict[str, object]
) -> None:
    endpoint.publish(old)
    keys = remote(clock)
    await keys.key("ES256", "old")
    endpoint.publish(old, new)
    clock.time += 10
    assert await keys.key("RS256", "new") is not None
    assert endpoint.count == 2


async def test_invented_key_ids_do_not_hammer_the_endpoint(
    endpoint: Endpoint, clock: Clock, old: dict[str, object]
) -> None:
    endpoint.publish(old)
    keys = remote(clock, refetch_s=10)
    for second in range(30):
        assert await keys.key("ES256", f"invented {second}") is None
        clock.time += 1
    assert endpoint.count == 3


async def test_many_callers_share_one_fetch(endpoint: Endpoint, clock: Clock, old: dict[str, object]) -> None:
    endpoint.publish(old)
    endpoint.opened.clear()
    keys = remote(clock)
    callers = [asyncio.create_task(keys.key("ES256", "old")) for _ in range(20)]
    await asyncio.sleep(0)
    endpoint.opened.set()
    assert all(await asyncio.gather(*callers))
    assert endpoint.count == 1


async def test_a_cancelled_caller_does_not_end_the_fetch(
    endpoint: Endpoint, clock: Clock, old: dict[str, object]
) -> None:
    endpoint.publish(old)
    endpoint.opened.clear()
    keys = remote(clock)
    first, second = (asyncio.create_task(keys.key("ES256", "old")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    endpoint.opened.set()
    assert await second is not None
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_closing_waits_for_the_fetch(endpoint: Endpoint, clock: Clock, old: dict[str, object]) -> None:
    endpoint.publish(old)
    endpoint.opened.clear()
    keys = remote(clock)
    caller = asyncio.create_task(keys.key("ES256", "old"))
    await asyncio.sleep(0)
    caller.cancel()
    endpoint.opened.set()
    await keys.aclose()
    await keys.aclose()
    assert await keys.key("ES256", "old") is not None
    assert endpoint.count == 1


FAILURES: dict[str, bytes | OSError | None] = {
    "refused": ConnectionRefusedError(),
    "silent": None,
    "not found": answer_with(b"{}", "404 Not Found"),
    "broken": answer_with(b"", "500 Internal Server Error"),
    "moved": answer_with(b"", "302 Found\r\nLocation: http://127.0.0.1/elsewhere"),
    "not HTTP": b"SSH-2.0\r\n\r\n",
    "not JSON": answer_with(b"<html>"),
    "not a set": answer_with(b'{"keys":{}}'),
    "no keys": answer_with(b'{"keys":[]}'),
    "oversized": answer_with(b'{"keys":[]' + b" " * 5000 + b"}"),
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_when_the_endpoint_fails_the_last_keys_stay(
    failure: str, endpoint: Endpoint, clock: Clock, old: dict[str, object]
) -> None:
    endpoint.publish(old)
    keys = remote(clock, max_bytes=4000)
    await keys.key("ES256", "old")
    endpoint.answer = FAILURES[failure]
    clock.time += 4000
    assert await keys.key("ES256", "old") is not None
    with pytest.raises(KeysUnavailableError):
        await keys.key("RS256", "new")
    await keys.aclose()


@pytest.mark.parametrize("failure", FAILURES)
async def test_an_endpoint_that_never_answered_says_nothing_about_a_token(
    failure: str, endpoint: Endpoint, clock: Clock
) -> None:
    endpoint.answer = FAILURES[failure]
    keys = remote(clock, max_bytes=4000)
    for _ in range(2):
        with pytest.raises(KeysUnavailableError):
            await keys.key("ES256", "old")
    await keys.aclose()


async def test_a_failed_fetch_is_tried_once_more_and_then_left_for_a_while(
    endpoint: Endpoint, clock: Clock, old: dict[str, object]
) -> None:
    endpoint.answer = answer_with(b"", "500 Internal Server Error")
    keys = remote(clock, refetch_s=10)
    for _ in range(3):
        with pytest.raises(KeysUnavailableError):
            await keys.key("ES256", "old")
    assert endpoint.count == 2
    endpoint.publish(old)
    clock.time += 10
    assert await keys.key("ES256", "old") is not None


async def test_a_caller_does_not_wait_longer_than_the_time_limit(
    endpoint: Endpoint, clock: Clock, old: dict[str, object]
) -> None:
    endpoint.publish(old)
    endpoint.opened.clear()
    keys = remote(clock, timeout_s=0.01)
    for _ in range(2):
        with pytest.raises(KeysUnavailableError):
            await keys.key("ES256", "old")
    assert endpoint.count <= 1
    endpoint.opened.set()
    await keys.aclose()


@pytest.mark.parametrize(
    "url", ["https://id.example.com/keys", "http://localhost/keys", "http://127.0.0.9:1/keys", "http://[::1]/keys"]
)
def test_https_and_this_machine_are_fine(url: str, clock: Clock) -> None:
    RemoteJwks(url, now=clock)


@pytest.mark.parametrize(
    "url",
    [
        "http://id.example.com/keys",
        "http://localhost.example.com/keys",
        "http://10.0.0.1/keys",
        "http://127.0.0.1.example.com/keys",
        "file:///etc/passwd",
        "ftp://127.0.0.1/keys",
        "https://",
        "https://user:password@id.example.com/keys",
        "http://127.0.0.1@id.example.com/keys",
        "https://id.example.com:99999/keys",
        "/keys",
        "",
    ],
)
def test_any_other_address_is_refused(url: str, clock: Clock) -> None:
    with pytest.raises(ValueError):
        RemoteJwks(url, now=clock)


def test_keys_that_cannot_be_used_are_passed_over(
    public_jwks: Mapping[str, dict[str, object]], old: dict[str, object]
) -> None:
    secret = {"kty": "oct", "k": "AQAB", "kid": "secret", "alg": "HS256"}
    strange = [secret, {"kty": "new"}, {}, public_jwks["weak rsa"], public_jwks["rsa"] | {"use": "enc"}]
    keys = JwkSet.parse({"keys": [*strange, old]})
    assert len(keys) == 1
    assert keys.find("HS256", "secret") is None


def test_a_key_id_never_leads_to_a_key_of_another_kind(old: dict[str, object]) -> None:
    keys = JwkSet.parse(json.dumps({"keys": [old]}))
    assert keys.find("ES256", "old") is not None
    assert not any(keys.find(algorithm, "old") for algorithm in ("ES384", "RS256", "HS256", "none"))


def test_without_a_key_id_the_key_must_be_the_only_one_that_fits(
    public_jwks: Mapping[str, dict[str, object]], old: dict[str, object], new: dict[str, object]
) -> None:
    keys = JwkSet.parse({"keys": [old, new, public_jwks["another rsa"]]})
    assert keys.find("ES256", None) is not None
    assert keys.find("RS256", None) is None
    assert keys.find("EdDSA", None) is None


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"keys":1}', b'{"keys":[1]}', b'{"keys":[]}', b"[" * 9000])
def test_what_is_no_key_set_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError):
        JwkSet.parse(document)


_json = st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.lists(inner, max_size=2), max_leaves=4)
_members = st.dictionaries(st.sampled_from(["kty", "crv", "n", "e", "x", "y", "kid", "alg", "use"]), _json)
_kinds = st.sampled_from([{"kty": "RSA"}, {"kty": "EC", "crv": "P-256"}, {"kty": "OKP", "crv": "Ed25519"}])


@given(st.lists(st.tuples(_members, _kinds).map(lambda pair: pair[0] | pair[1]), max_size=3))
def test_any_keys_are_read_or_refused(keys: list[dict[str, object]]) -> None:
    with pytest.raises(ValueError):
        JwkSet.parse({"keys": keys})
