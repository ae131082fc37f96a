"""Sources over HTTP, against a real server that answers well, wrongly, slowly, and not at all."""

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.integration.fusion.serving import Site, answer
from vagus.apps.fusion.collector import tried
from vagus.apps.fusion.sources import Source, SourceError
from vagus.apps.fusion.sources.making import Surroundings, source_of
from vagus.settings.fusion import SourceSettings


@pytest.fixture
async def around(tmp_path: Path) -> AsyncIterator[Surroundings]:
    around = Surroundings(tmp_path)
    yield around
    await around.close()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site().served() as site:
        yield site


def source(around: Surroundings, url: str, **options: object) -> Source:
    table = {"kind": "http_json", "name": "orders", "url": url, "fields": [{"name": "open", "select": "$.open"}]}
    return source_of(msgspec.convert(table | options, SourceSettings), around)


async def open_of(source: Source) -> object:
    try:
        return (await tried(source))["open"]
    finally:
        await source.close()


async def test_values_come_from_a_json_document(around: Surroundings, site: Site) -> None:
    site.pages["/o?a=1"] = answer('{"open": 5}')
    assert await open_of(source(around, site.url("/o?a=1"), headers={"Authorization": "Bearer x"})) == 5
    _, headers = site.asked[0]
    assert headers["Authorization"] == "Bearer x"
    assert headers["Host"] == f"127.0.0.1:{site.port}"


async def test_a_connection_is_used_again_and_opened_anew_when_the_server_closed_it(
    around: Surroundings, site: Site
) -> None:
    site.pages["/"] = answer('{"open": 5}')
    asking = source(around, site.url())
    for _ in range(3):
        await tried(asking)
    assert site.connections == 1
    site.cut()
    assert await open_of(asking) == 5
    assert site.connections == 2


@pytest.mark.parametrize(
    "page",
    [
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"op\r\n7\r\nen": 5}\r\n0\r\n\r\n',
        b'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"open": 5}',
        b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 11\r\n\r\n{"open": 5}',
    ],
)
async def test_answers_come_in_the_forms_that_http_has(around: Surroundings, site: Site, page: bytes) -> None:
    site.pages["/"] = page
    asking = source(around, site.url())
    assert (await tried(asking))["open"] == 5
    assert await open_of(asking) == 5


async def test_an_answer_may_end_with_its_connection(around: Surroundings, site: Site) -> None:
    async def page(writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.0 200 OK\r\n\r\n{"open": 5}')
        writer.close()

    site.pages["/"] = page
    assert await open_of(source(around, site.url())) == 5


async def test_redirects_are_followed_without_taking_secrets_to_another_host(around: Surroundings, site: Site) -> None:
    async with Site().served() as other:
        other.pages["/there"] = answer('{"open": 5}')
        site.pages["/"] = answer(status="302 Found", Location="/next")
        site.pages["/next"] = answer(status="307 Temporary Redirect", Location=other.url("/there"))
        assert await open_of(source(around, site.url(), headers={"Authorization": "Bearer x"})) == 5
        assert "Authorization" in site.asked[1][1]
        assert "Authorization" not in other.asked[0][1]


async def cut_in_the_middle(writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"open"')
    await writer.drain()
    writer.close()


async def endless_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for _ in range(100):
        writer.write(b"X: " + b"y" * 2000 + b"\r\n")
        await writer.drain()


async def endless_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(1000):
        writer.write(b"1000\r\n" + b" " * 4096 + b"\r\n")
        await writer.drain()


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (answer(status="404 Not Found"), "answered with status 404: there is nothing at that path"),
        (answer(status="401 Unauthorized"), "status 401: it wants another Authorization header"),
        (answer(status="500 Oops"), "status 500$"),
        (answer(status="302 Found", Location="/"), "redirects more than 5 times"),
        (answer(status="302 Found", Location="file:///etc/passwd"), "redirects to what is no address"),
        (answer(status="302 Found"), "status 302"),
        (answer(b"\x1f\x8b", Content_Encoding="gzip"), "in the encoding gzip, which was not asked for"),
        (answer("<html>"), "the answer: is not JSON"),
        (answer(""), "the answer: is empty"),
        (answer('{"open": "x"}'), "open: must be a number"),
        (answer('{"closed": 5}'), "there is nothing at"),
        (answer(" " * 70_000 + "{"), "the answer: is not JSON"),
        (answer(b"x" * 200_000), "answered with more than 100,000 bytes"),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", "does not speak HTTP"),
        (cut_in_the_middle, "closed the connection in the middle of its answer"),
        (endless_head, "does not speak HTTP|more than 65,536 bytes"),
        (endless_body, "more than 100,000 bytes"),
    ],
)
async def test_what_a_server_does_wrong_is_said(around: Surroundings, site: Site, page: bytes, reason: str) -> None:
    site.pages["/"] = page
    with pytest.raises(SourceError, match=reason):
        await open_of(source(around, site.url(), max_bytes=100_000))


async def test_a_reason_never_shows_the_query_which_may_hold_a_key(around: Surroundings, site: Site) -> None:
    with pytest.raises(SourceError) as caught:
        await open_of(source(around, site.url("/x?key=secret")))
    assert "secret" not in str(caught.value)


async def test_a_server_that_does_not_answer_is_left_and_asked_anew(around: Surroundings, site: Site) -> None:
    async def silent(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n")

    site.pages["/"] = silent
    asking = source(around, site.url(), timeout_s=0.1)
    with pytest.raises(SourceError, match=r"did not answer within 0\.1 s"):
        await tried(asking)
    site.pages["/"] = answer('{"open": 5}')
    assert (await asking.collect()).values == {"open": 5}
    await asking.close()


async def test_nobody_there_and_no_such_host_are_told_apart(around: Surroundings) -> None:
    async with Site().served() as site:
        gone = site.url()
    with pytest.raises(SourceError, match="cannot be reached"):
        await open_of(source(around, gone))
    with pytest.raises(SourceError, match="there is no host of that name"):
        await open_of(source(around, "http://nobody.invalid/"))


def certificate(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS; what signs it is in ``ca.pem``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "ca.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, *plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return context


async def test_a_certificate_must_be_believed(around: Surroundings, tmp_path: Path) -> None:
    async with Site().served(certificate(tmp_path)) as site:
        site.pages["/"] = answer('{"open": 5}')
        url = site.url().replace("http:", "https:")
        with pytest.raises(SourceError, match="its certificate is not believed"):
            await open_of(source(around, url))
        assert await open_of(source(around, url, ca_file="ca.pem")) == 5
        with pytest.raises(SourceError, match=r"ca_file: .* cannot be read as certificates"):
            await open_of(source(around, url, ca_file="nothing.pem"))


async def test_nobody_is_redirected_from_https_to_http(around: Surroundings, site: Site, tmp_path: Path) -> None:
    async with Site().served(certificate(tmp_path)) as safe:
        safe.pages["/"] = answer(status="302 Found", Location=site.url())
        with pytest.raises(SourceError, match="redirects from https to http"):
            await open_of(source(around, safe.url().replace("http:", "https:"), ca_file="ca.pem"))
    assert not site.asked


async def test_numbers_come_from_a_prometheus_endpoint(around: Surroundings, site: Site) -> None:
    site.pages["/metrics"] = answer('# TYPE up gauge\nup{job="a"} 1\nup{job="b"} 0\n' + "filler 1\n" * 10_000)
    fields = [
        {"name": "upA", "metric": "up", "labels": {"job": "a"}},
        {"name": "up", "metric": "up", "combine": "sum"},
    ]
    asking = source(around, site.url("/metrics"), kind="prometheus", fields=fields)
    assert await tried(asking) == {"upA": 1, "up": 1}
    await asking.close()
