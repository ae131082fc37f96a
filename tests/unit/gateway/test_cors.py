"""What is said to browsers about pages of other origins."""

import pytest

from vagus import Hub
from vagus.auth.origins import OriginRules
from vagus.gateway.cors import cors_headers, preflight
from vagus.gateway.gate import Gate

PAGE = "https://app.example.com"


@pytest.fixture
def gate() -> Gate:
    return Gate(Hub(), origins=OriginRules([PAGE]))


def asking(**headers: str) -> dict[str, object]:
    """The scope of a request with these headers; underscores in their names are hyphens."""
    return {"headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]}


def test_an_allowed_page_is_named_and_may_bring_cookies(gate: Gate) -> None:
    assert cors_headers(gate, asking(origin=PAGE)) == [
        (b"access-control-allow-origin", PAGE.encode()),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    ]


def test_nothing_is_said_where_no_page_asks(gate: Gate) -> None:
    assert cors_headers(gate, asking(host="here")) == []


def test_a_foreign_page_is_not_named(gate: Gate) -> None:
    assert cors_headers(gate, asking(origin="https://evil.example")) == [(b"vary", b"Origin")]


def test_without_patterns_only_the_servers_own_pages_count() -> None:
    gate = Gate(Hub())
    assert len(cors_headers(gate, asking(origin="http://here:8000", host="here:8000"))) == 3
    assert len(cors_headers(gate, asking(origin="http://there:8000", host="here:8000"))) == 1


def test_a_preflight_says_what_may_be_sent(gate: Gate) -> None:
    response = preflight(
        gate, asking(origin=PAGE, access_control_request_headers="content-type, x-a"), b"POST, OPTIONS"
    )
    headers = dict(response.headers)
    assert (response.status, response.body) == (204, b"")
    assert headers[b"access-control-allow-methods"] == b"POST, OPTIONS"
    assert headers[b"access-control-allow-headers"] == b"content-type, x-a"
    assert headers[b"access-control-max-age"] == b"300"


def test_a_preflight_of_a_foreign_page_is_refused(gate: Gate) -> None:
    response = preflight(gate, asking(origin="https://evil.example"))
    assert (response.status, dict(response.headers)) == (403, {b"vary": b"Origin"})


@pytest.mark.parametrize("names", ["x\r\nset-cookie: a", "a b", "ü", "a" * 2_000, "a,,b", ""])
def test_names_that_are_none_are_not_echoed(gate: Gate, names: str) -> None:
    headers = dict(preflight(gate, asking(origin=PAGE, access_control_request_headers=names)).headers)
    assert b"access-control-allow-headers" not in headers
