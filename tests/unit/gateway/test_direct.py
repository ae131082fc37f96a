"""Which requests are answered straight on the transport, and what a whole response looks like there."""

import pytest

from vagus.asgi import Response
from vagus.gateway.direct import body_length, whole


def length(*headers: bytes, bound: int = 100) -> int | None:
    head = b"POST /x HTTP/1.1\r\n" + b"".join(header + b"\r\n" for header in headers) + b"\r\n"
    return body_length(head + b"Content-Length: 5\r\n", len(head), bound)


def test_a_body_is_as_long_as_its_head_says() -> None:
    assert (length(), length(b"content-length:0"), length(b"Host: x", b"Content-Length:  42 ")) == (0, 0, 42)


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: 101",
        b"Content-Length: -1",
        b"Content-Length: +1",
        b"Content-Length: 1,1",
        b"Content-Length:",
        b"Content-Length: 0000000001",
        b"Content-Length: 1\r\ncontent-length: 1",
        b"Transfer-Encoding: chunked",
        b"transfer-encoding: x\r\nContent-Length: 1",
        b"Expect: 100-continue\r\nContent-Length: 1",
        b"Upgrade: h2c",
    ],
)
def test_what_is_not_plain_is_left_to_others(header: bytes) -> None:
    assert length(header) is None


def test_a_response_says_that_nothing_follows() -> None:
    head, _, body = whole(Response(404, b"{}", headers=((b"vary", b"Origin"),))).partition(b"\r\n\r\n")
    first, date, *fields = head.split(b"\r\n")
    assert (first, body) == (b"HTTP/1.1 404 Not Found", b"{}")
    assert date.startswith(b"date: ") and date.endswith(b" GMT")
    assert fields == [b"connection: close", b"vary: Origin", b"content-type: application/json", b"content-length: 2"]


def test_no_content_has_no_length() -> None:
    assert b"content-" not in whole(Response(204, b""))
