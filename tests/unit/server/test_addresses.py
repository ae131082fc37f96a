"""Where a server is reached, from where it listens."""

import pytest

from vagus.server.addresses import url_of


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
        ("live.example", "http://live.example:8000"),
    ],
)
def test_the_address_is_one_that_can_be_connected_to(host: str, url: str) -> None:
    assert url_of(host, 8000) == url
