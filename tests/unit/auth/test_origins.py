"""Which pages may talk to the hub."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.auth.origins import OriginRules

GARBAGE = [
    "",
    " ",
    "example.com",
    "//example.com",
    "https://",
    "https:///x",
    "https://example.com/",
    "https://example.com/path",
    "https://user@example.com",
    "https://example.com:",
    "https://example.com:x",
    "https://example.com:123456",
    "https://exa mple.com",
    "https://example.com https://evil.example",
    "https://example.com\n",
    "https://exämple.com",
    "https://example.com?x",
    "https://example.com#x",
    "https://[::1",
    "https://*.example.com",
    "http\x00s://example.com",
    "https://" + "a" * 100_000,
    "NULL",
    "\ud800",
]


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://hub.example.com", "hub.example.com"),
        ("https://hub.example.com", "hub.example.com:443"),
        ("https://HUB.example.com", "hub.EXAMPLE.com"),
        ("http://hub.example.com", "hub.example.com:80"),
        ("http://hub.example.com:80", "hub.example.com"),
        ("http://localhost:8000", "localhost:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
@pytest.mark.parametrize("patterns", [[], ["https://app.example.com"], ["null"]])
def test_a_page_of_the_same_host_is_let_in(patterns: list[str], origin: str, host: str) -> None:
    assert OriginRules(patterns).allows(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "hub.example.com"),
        ("https://hub.example.com.evil.example", "hub.example.com"),
        ("https://xhub.example.com", "hub.example.com"),
        ("https://example.com", "hub.example.com"),
        ("https://hub.example.com:8443", "hub.example.com"),
        ("http://localhost:8001", "localhost:8000"),
        ("http://localhost", "localhost:8000"),
        ("https://hub.example.com.", "hub.example.com"),
        ("https://hub.example.com", None),
        ("https://hub.example.com", ""),
        ("https://hub.example.com", "hub.example.com/"),
        ("https://hub.example.com", "hub.example.com, hub.example.com"),
        ("https://hub.example.com", "h" * 100_000),
        ("null", "null"),
    ],
)
def test_a_page_of_another_host_needs_a_pattern(origin: str, host: str | None) -> None:
    assert not OriginRules().allows(origin, host)


@pytest.mark.parametrize("patterns", [[], ["https://app.example.com"], ["*"]])
def test_a_request_without_origin_passes(patterns: list[str]) -> None:
    assert OriginRules(patterns).allows(None, "hub.example.com")
    assert OriginRules(patterns).allows(None, None)


@pytest.mark.parametrize("origin", GARBAGE)
def test_garbage_is_refused(origin: str) -> None:
    for patterns in ([], ["https://*"], ["*://*:*"], ["null"]):
        assert not OriginRules(patterns).allows(origin, origin.removeprefix("https://"))


@pytest.mark.parametrize("origin", [*GARBAGE, "null", "https://evil.example"])
def test_the_star_lets_everybody_in(origin: str) -> None:
    assert OriginRules(["https://app.example.com", "*"]).allows(origin, "hub.example.com")


@pytest.mark.parametrize(
    ("pattern", "origin"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("https://app.example.com", "https://app.example.com:443"),
        ("https://app.example.com:443", "https://app.example.com"),
        ("HTTPS://App.Example.COM", "https://app.example.com"),
        ("https://app.example.com", "HTTPS://APP.EXAMPLE.COM"),
        ("https://*.example.com", "https://a.example.com"),
        ("https://*.example.com", "https://a.b.example.com"),
        ("https://app-*.example.com", "https://app-1.example.com"),
        ("https://*", "https://anything.example"),
        ("http://localhost:*", "http://localhost:5173"),
        ("http://localhost:*", "http://localhost"),
        ("http://[::1]:*", "http://[::1]:5173"),
        ("*://example.com", "http://example.com"),
        ("*://example.com", "https://example.com"),
        ("*://*:*", "https://example.com:8443"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("chrome-extension://abcdef", "chrome-extension://abcdef"),
        ("null", "null"),
        (" https://app.example.com ", "https://app.example.com"),
    ],
)
def test_a_pattern_lets_its_origins_in(pattern: str, origin: str) -> None:
    assert OriginRules(["https://other.example", pattern]).allows(origin, "hub.example.com")


@pytest.mark.parametrize(
    ("pattern", "origin"),
    [
        ("https://app.example.com", "http://app.example.com"),
        ("https://app.example.com", "https://app.example.com:8443"),
        ("https://app.example.com", "https://appXexample.com"),
        ("https://app.example.com", "https://app.example.com.evil.example"),
        ("https://*.example.com", "https://example.com"),
        ("https://*.example.com", "https://evilexample.com"),
        ("https://*.example.com", "https://a.example.com.evil.example"),
        ("https://*.example.com", "https://evil.example/.example.com"),
        ("https://*.example.com", "https://evil.example?.example.com"),
        ("https://*.example.com", "https://a.example.com:8443"),
        ("https://*", "https://example.com:8443"),
        ("http://localhost:*", "http://localhost.evil.example:80"),
        ("http://localhost:*", "https://localhost:5173"),
        ("http://localhost:8000", "http://localhost:80"),
        ("*://example.com", "http://example.com:8080"),
        ("https://app.example.com", "null"),
        ("null", "https://app.example.com"),
    ],
)
def test_a_pattern_keeps_the_others_out(pattern: str, origin: str) -> None:
    assert not OriginRules([pattern]).allows(origin, "hub.example.com")


@pytest.mark.parametrize(
    "pattern", ["", "example.com", "*.example.com", "https://", "https://example.com/", "https://a b", "https://a:8*"]
)
def test_a_pattern_that_is_no_origin_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="origins"):
        OriginRules([pattern])


@given(st.none() | st.text(), st.none() | st.text())
def test_nothing_raises(origin: str | None, host: str | None) -> None:
    for patterns in ([], ["https://*.example.com"]):
        assert OriginRules(patterns).allows(origin, host) is (origin is None)
