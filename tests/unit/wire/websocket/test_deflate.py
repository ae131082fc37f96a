"""Which offers of permessage-deflate are accepted, and with what answer (RFC 7692 section 7.1)."""

import pytest

from vagus.wire.websocket import negotiate_deflate

PLAIN = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
WINDOW = f"{PLAIN}; server_max_window_bits=12"


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        ("permessage-deflate", PLAIN),
        ("Permessage-Deflate", PLAIN),
        ("permessage-deflate; client_max_window_bits", PLAIN),  # browsers, and ws of Node.js
        ("permessage-deflate;client_max_window_bits=8", PLAIN),
        ('permessage-deflate; client_max_window_bits="10"', PLAIN),
        ("permessage-deflate; server_no_context_takeover; client_no_context_takeover", PLAIN),
        ("permessage-deflate; server_max_window_bits=12; client_max_window_bits=12", WINDOW),  # websockets of Python
        ("permessage-deflate; server_max_window_bits=15", WINDOW),
        ('permessage-deflate; server_max_window_bits = "13"', WINDOW),
        ("x-webkit-deflate-frame, permessage-deflate", PLAIN),
        ("permessage-deflate; server_max_window_bits=10, permessage-deflate", PLAIN),
        ("permessage-deflate; unknown, permessage-deflate; server_max_window_bits=14", WINDOW),
        ("permessage-deflate; server_max_window_bits=12, permessage-deflate", WINDOW),
    ],
)
def test_the_first_offer_that_can_be_honoured_is_accepted(header: str, answer: str) -> None:
    assert negotiate_deflate(header) == answer


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        ",",
        ";",
        "x-webkit-deflate-frame",
        "permessage-bzip2",
        "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits=11",
    ],
)
def test_what_cannot_be_honoured_is_declined(header: str | None) -> None:
    assert negotiate_deflate(header) is None


@pytest.mark.parametrize(
    "parameters",
    [
        "unknown",
        "",
        "server_no_context_takeover=1",
        "client_no_context_takeover=",
        "server_no_context_takeover; server_no_context_takeover",
        "client_max_window_bits; client_max_window_bits=10",
        "client_max_window_bits=",
        "client_max_window_bits=7",
        "client_max_window_bits=16",
        "client_max_window_bits=08",
        "client_max_window_bits=ten",
        "client_max_window_bits=1２",  # noqa: RUF001 - a digit, but not an ASCII one
        "server_max_window_bits",
        "server_max_window_bits=",
        "server_max_window_bits=16",
        "server_max_window_bits=012",
        "server_max_window_bits=+12",
        'server_max_window_bits="12',
    ],
)
def test_an_invalid_offer_is_declined(parameters: str) -> None:
    assert negotiate_deflate(f"permessage-deflate; {parameters}") is None
