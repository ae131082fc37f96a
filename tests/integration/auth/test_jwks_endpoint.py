"""Key sets over real connections: plain, TLS, rotation, an endpoint that is gone, slow, dripping or too large."""

import asyncio
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm

from tests.patience import DEADLINE_S
from vagus.auth.claims import ConnectionClaims
from vagus.auth.errors import InvalidTokenError, KeysUnavailableError
from vagus.auth.jwks import RemoteJwks
from vagus.auth.minting import Signer, connection_token
from vagus.auth.tokens import TokenRules, TokenVerifier

OLD, NEW = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def token(key: ec.EllipticCurvePrivateKey, kid: str) -> str:
    return connection_token(ConnectionClaims(user="42"), Signer.with_private_key(pem(key).decode(), kid=kid))


def document(**keys: ec.EllipticCurvePrivateKey) -> bytes:
    entries = [json.loads(ECAlgorithm.to_jwk(key.public_key())) | {"kid": kid} for kid, key in keys.items()]
    return json.dumps({"keys": entries}).encode()


class Endpoint(ThreadingHTTPServer):
    """Serves `body` on a free port. `held` keeps answers back; `chunk` bytes go out at a time, unless stopped."""

    body = b""
    chunk: bytes | None = None
    requests = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.held = threading.Event()
        self.held.set()
        self.stopped = threading.Event()


class Answer(BaseHTTPRequestHandler):
    server: Endpoint

    def do_GET(self) -> None:
        self.server.requests += 1
        self.server.held.wait()
        self.send_response(200)
        self.end_headers()
        if self.server.chunk is None:
            self.wfile.write(self.server.body)
        while self.server.chunk is not None and not self.server.stopped.wait(0.02):
            self.wfile.write(self.server.chunk)

    def log_message(self, *_arguments: object) -> None:
        pass


class Clock:
    time = 1_700_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that hang up are the point
        server.body = document(old=OLD)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.held.set()
        server.stopped.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def clock() -> Clock:
    return Clock()


Verifier = Callable[..., tuple[TokenVerifier, RemoteJwks]]


@pytest.fixture
def verifier(endpoint: Endpoint, clock: Clock) -> Verifier:
    def made(scheme: str = "http", **options: Any) -> tuple[TokenVerifier, RemoteJwks]:
        url = f"{scheme}://127.0.0.1:{endpoint.server_port}/keys"
        jwks = RemoteJwks(url, now=clock, **({"timeout_s": DEADLINE_S} | options))
        return TokenVerifier(TokenRules(jwks=jwks), now=clock), jwks

    return made


async def test_a_published_key_is_believed_and_a_new_one_after_it(
    endpoint: Endpoint, clock: Clock, verifier: Verifier
) -> None:
    tokens, _ = verifier()
    assert (await tokens.connection(token(OLD, "old"))).user == "42"
    with pytest.raises(InvalidTokenError):
        await tokens.connection(token(NEW, "new"))
    endpoint.body = document(old=OLD, new=NEW)
    clock.time += 10
    assert (await tokens.connection(token(NEW, "new"))).user == "42"
    assert endpoint.requests == 2


async def test_a_key_under_a_foreign_id_is_refused(verifier: Verifier) -> None:
    tokens, _ = verifier()
    with pytest.raises(InvalidTokenError):
        await tokens.connection(token(NEW, "old"))


async def test_an_endpoint_that_is_gone_logs_nobody_out(endpoint: Endpoint, clock: Clock, verifier: Verifier) -> None:
    tokens, _ = verifier()
    await tokens.connection(token(OLD, "old"))
    endpoint.shutdown()
    endpoint.server_close()
    clock.time += 7200
    assert (await tokens.connection(token(OLD, "old"))).user == "42"
    with pytest.raises(KeysUnavailableError):
        await tokens.connection(token(NEW, "new"))


async def test_a_slow_endpoint_is_tried_twice_and_given_up(endpoint: Endpoint, verifier: Verifier) -> None:
    tokens, jwks = verifier(timeout_s=0.1)
    endpoint.held.clear()
    with pytest.raises(KeysUnavailableError):
        await tokens.connection(token(OLD, "old"))
    await jwks.aclose()
    async with asyncio.timeout(DEADLINE_S):
        while endpoint.requests < 2:  # noqa: ASYNC110 - it may learn of them later
            await asyncio.sleep(0.01)
    assert endpoint.requests == 2


async def test_an_endpoint_that_drips_is_given_up(endpoint: Endpoint, verifier: Verifier) -> None:
    tokens, jwks = verifier(timeout_s=0.2)
    endpoint.chunk = b" "
    with pytest.raises(KeysUnavailableError):
        await tokens.connection(token(OLD, "old"))
    await jwks.aclose()


async def test_an_endless_document_is_cut(endpoint: Endpoint, verifier: Verifier) -> None:
    tokens, jwks = verifier()
    endpoint.chunk = b" " * 100_000
    with pytest.raises(KeysUnavailableError):
        await tokens.connection(token(OLD, "old"))
    await jwks.aclose()
    assert endpoint.requests == 1


def certificate(folder: Path) -> Path:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, NEW.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(NEW, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(built.public_bytes(Encoding.PEM) + pem(NEW))
    return path


async def test_https_checks_the_certificate(endpoint: Endpoint, verifier: Verifier, tmp_path: Path) -> None:
    path = certificate(tmp_path)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(path)
    endpoint.socket = server_side.wrap_socket(endpoint.socket, server_side=True)
    trusting, _ = verifier("https", tls=ssl.create_default_context(cafile=path))
    assert (await trusting.connection(token(OLD, "old"))).user == "42"
    doubting, _ = verifier("https")
    with pytest.raises(KeysUnavailableError):
        await doubting.connection(token(OLD, "old"))
