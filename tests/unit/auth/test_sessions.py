"""What a session's cookie is, which one counts, and which pages may use it."""

import pytest

from vagus.auth.sessions import Terms, cookie_of, is_own_page, new_secret, secret_hash, secret_in

SECRET = "k3Vd8_not-a-real-secret_0123456789abcdefghi"
OTHER = "another_not-a-real-secret_0123456789abcdefg"
TERMS = Terms(idle_s=100.0, lasting_s=1000.0, most=3)


def test_a_secret_has_256_bits_and_is_kept_as_its_hash() -> None:
    assert len(new_secret()) == len(SECRET) == 43
    assert new_secret() != new_secret()
    assert secret_hash(SECRET) == secret_hash(SECRET) != secret_hash(OTHER)
    assert SECRET not in secret_hash(SECRET)


@pytest.mark.parametrize(
    "cookie",
    [f"vagus_session={SECRET}", f"a=b; vagus_session={SECRET}; c", f"vagus_session={SECRET};vagus_session={SECRET}"],
)
def test_the_secret_is_found_among_other_cookies(cookie: str) -> None:
    assert secret_in({"cookie": cookie}) == SECRET


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "vagus_session",
        "vagus_session=",
        f"vagus_session={SECRET[:-1]}",
        f"vagus_session={SECRET}x",
        f'vagus_session="{SECRET}"',
        f"Vagus_Session={SECRET}",
        f"vagus_session={SECRET},a=b",
        f"vagus_session={SECRET}; vagus_session={OTHER}",
        f"vagus_session={'é' * 43}",
    ],
)
def test_what_is_no_secret_or_two_counts_as_none(cookie: str) -> None:
    assert secret_in({"cookie": cookie}) == ""


@pytest.mark.parametrize(
    ("headers", "is_own"),
    [
        ({"origin": "https://hub.example", "host": "hub.example"}, True),
        ({"origin": "http://hub.example:8000", "host": "hub.example:8000"}, True),
        ({"origin": "https://hub.example", "host": "10.0.0.1", "sec-fetch-site": "same-origin"}, True),
        ({"origin": "https://hub.example:8443", "host": "hub.example"}, False),
        ({"origin": "https://www.hub.example", "host": "hub.example"}, False),
        ({"origin": "https://hub.example", "host": "hub.example", "sec-fetch-site": "same-site"}, False),
        ({"origin": "https://evil.example", "host": "hub.example", "sec-fetch-site": "cross-site"}, False),
        ({"host": "hub.example", "sec-fetch-site": "cross-site"}, False),
        ({"origin": "null", "host": "hub.example"}, False),
        ({"origin": "", "host": "hub.example"}, False),
    ],
)
def test_only_pages_of_the_same_origin_are_the_servers_own(headers: dict[str, str], is_own: bool) -> None:
    assert is_own_page(headers, when_silent=True) is is_own
    assert is_own_page(headers, when_silent=False) is is_own


@pytest.mark.parametrize("headers", [{"host": "hub.example"}, {"host": "hub.example", "sec-fetch-site": "none"}])
def test_what_names_no_origin_is_as_the_caller_says(headers: dict[str, str]) -> None:
    assert is_own_page(headers, when_silent=True)
    assert not is_own_page(headers, when_silent=False)


def test_the_cookie_is_for_no_script_and_no_other_site() -> None:
    cookie = cookie_of(SECRET, lasting_s=60.5, is_secure=True)
    assert cookie == f"vagus_session={SECRET}; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure"
    assert "Secure" not in cookie_of(SECRET, lasting_s=60, is_secure=False)
    assert "vagus_session=; Path=/; Max-Age=0" in cookie_of("", lasting_s=60, is_secure=False)


@pytest.mark.parametrize(
    ("seen_at", "expires_at", "is_over"), [(150, 201, False), (100, 900, True), (150, 200, True), (101, 900, False)]
)
def test_a_session_ends_when_it_is_not_used_and_when_its_time_is_over(
    seen_at: float, expires_at: float, is_over: bool
) -> None:
    assert TERMS.is_over(200, seen_at=seen_at, expires_at=expires_at) is is_over
