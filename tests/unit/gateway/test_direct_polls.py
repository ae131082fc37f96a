"""Which requests are taken straight from the transport: those that are there as a whole, and plain."""

import pytest

from vagus.gateway.direct_polls import ends_of
from vagus.gateway.heads import HEAD_BYTES

GET = b"GET /socket.io/?EIO=4 HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /socket.io/?EIO=4 HTTP/1.1\r\nContent-Length: 2\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "ends"),
    [
        (GET, (len(GET), len(GET))),
        (GET + POST, (len(GET), len(GET))),
        (POST + b"40", (len(POST), len(POST) + 2)),
        (POST + b"40" + GET, (len(POST), len(POST) + 2)),
    ],
)
def test_the_first_request_ends_with_its_body(data: bytes, ends: tuple[int, int]) -> None:
    assert ends_of(data, 100) == ends


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"\r\n" + GET,
        GET[:-1],
        POST + b"4",
        GET.replace(b"GET", b"PUT"),
        GET.replace(b"GET", b"OPTIONS"),
        GET.replace(b"Host: x", b"X: a\nContent-Length: 5"),
        GET.replace(b"Host: x", b"\nHost: x"),
        GET.replace(b"Host: x", b"Upgrade: websocket"),
        POST.replace(b"Length: 2", b"Length: 101") + b"x" * 101,
        GET.replace(b"Host: x", b"X: " + b"x" * HEAD_BYTES),
    ],
)
def test_other_requests_are_left_to_others(data: bytes) -> None:
    assert ends_of(data, 100) is None
