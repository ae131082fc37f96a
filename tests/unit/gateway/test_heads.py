"""What a head says, and whether another request may follow it."""

import httptools
import pytest

from vagus.gateway.heads import Head, path_in


def head(version: bytes = b"1.1", *fields: bytes) -> Head:
    read = Head()
    read.read(b"POST /a?b=c HTTP/" + version + b"\r\n" + b"".join(field + b"\r\n" for field in fields) + b"\r\n")
    return read


def test_a_head_is_read() -> None:
    read = head(b"1.1", b"Content-Length: 2", b"X-Y: z")
    assert (read.method, read.target, read.http_version) == ("POST", b"/a?b=c", "1.1")
    assert read.headers == [(b"content-length", b"2"), (b"x-y", b"z")]


@pytest.mark.parametrize(
    ("version", "field", "keeps_alive"),
    [
        (b"1.1", b"Host: x", True),
        (b"1.1", b"Connection: keep-alive", True),
        (b"1.1", b"Connection: close", False),
        (b"1.1", b"Connection: x, CLOSE", False),
        (b"1.0", b"Host: x", False),
        (b"1.0", b"Connection: keep-alive", False),
    ],
)
def test_a_connection_is_kept_as_the_head_says(version: bytes, field: bytes, keeps_alive: bool) -> None:
    assert head(version, field).keeps_alive is keeps_alive


@pytest.mark.parametrize("field", [b"no colon", b"a b: c", b"a: \x00"])
def test_what_is_not_http_is_no_head(field: bytes) -> None:
    with pytest.raises(httptools.HttpParserError):
        head(b"1.1", field)


def test_the_path_ends_where_the_query_begins() -> None:
    assert path_in(b"GET /a/b?c=/d HTTP/1.1\r\n") == "/a/b"
