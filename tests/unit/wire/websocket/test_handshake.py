"""The opening handshake: what is an upgrade, what is refused and how, and what the answers look like on the wire."""

import pytest
from websockets.client import ClientProtocol
from websockets.protocol import State
from websockets.uri import parse_uri

from vagus.wire.websocket import Refusal, Upgrade, accept_key, check_upgrade, refusal_response, upgrade_response

HEADERS = (
    (b"Host", b"localhost"),
    (b"Upgrade", b"websocket"),
    (b"Connection", b"Upgrade"),
    (b"Sec-WebSocket-Version", b"13"),
    (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
)


def with_header(name: bytes, *values: bytes) -> list[tuple[bytes, bytes]]:
    """The valid request with this header replaced; without values it is left out."""
    return [*(field for field in HEADERS if field[0] != name), *((name, value) for value in values)]


def refused(headers: list[tuple[bytes, bytes]]) -> Refusal:
    answer = check_upgrade("GET", "1.1", headers)
    assert isinstance(answer, Refusal)
    return answer


def test_the_accept_key_is_that_of_the_specification() -> None:
    assert accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_a_plain_request_is_an_upgrade() -> None:
    assert check_upgrade("GET", "1.1", HEADERS) == Upgrade("dGhlIHNhbXBsZSBub25jZQ==")


def test_names_and_tokens_are_read_in_any_case_and_from_lists() -> None:
    headers = [(name.lower(), value) for name, value in with_header(b"Connection", b"keep-alive, UPGRADE")]
    headers.append((b"upgrade", b"h2c, WebSocket"))
    assert isinstance(check_upgrade("GET", "1.1", headers), Upgrade)


def test_offers_of_several_lines_are_joined_in_order() -> None:
    headers = [
        *HEADERS,
        (b"Sec-WebSocket-Protocol", b"json, ,msgpack"),
        (b"Sec-WebSocket-Protocol", b"raw"),
        (b"Sec-WebSocket-Extensions", b"a; b"),
        (b"Sec-WebSocket-Extensions", b"c"),
    ]
    assert check_upgrade("GET", "1.1", headers) == Upgrade(
        "dGhlIHNhbXBsZSBub25jZQ==", ("json", "msgpack", "raw"), "a; b, c"
    )


@pytest.mark.parametrize("method", ["POST", "HEAD", "get", "CONNECT"])
def test_only_get_opens_a_websocket(method: str) -> None:
    assert check_upgrade(method, "1.1", HEADERS) == Refusal(405, "a WebSocket opens with GET", ((b"Allow", b"GET"),))


@pytest.mark.parametrize("version", ["1.0", "0.9", "2"])
def test_only_http_1_1_opens_a_websocket(version: str) -> None:
    assert check_upgrade("GET", version, HEADERS) == Refusal(400, "a WebSocket opens with HTTP/1.1")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (b"Upgrade", ()),
        (b"Upgrade", (b"h2c",)),
        (b"Upgrade", (b"websockets",)),
        (b"Connection", ()),
        (b"Connection", (b"keep-alive",)),
    ],
)
def test_a_request_that_does_not_upgrade_is_told_to(name: bytes, values: tuple[bytes, ...]) -> None:
    refusal = refused(with_header(name, *values))
    assert refusal.status == 426
    assert (b"Upgrade", b"websocket") in refusal.headers


@pytest.mark.parametrize("values", [(), (b"8",), (b"12",), (b"14",), (b"13, 8",), (b"13", b"13"), (b"013",), (b"",)])
def test_another_version_is_told_ours(values: tuple[bytes, ...]) -> None:
    refusal = refused(with_header(b"Sec-WebSocket-Version", *values))
    assert refusal.status == 426
    assert (b"Sec-WebSocket-Version", b"13") in refusal.headers


@pytest.mark.parametrize(
    "values",
    [
        (),
        (b"",),
        (b"dGhlIHNhbXBsZQ==",),  # 10 bytes
        (b"dGhlIHNhbXBsZSBub25jZTEy",),  # 18 bytes
        (b"dGhlIHNhbXBsZSBub25jZQ",),  # no padding
        (b"dGhlIHNhbXBs ZSBub25jZQ==",),
        (b"dGhlIHNhbXBsZSBub25jZ\xff==",),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"dGhlIHNhbXBsZSBub25jZQ=="),
    ],
)
def test_a_key_that_is_not_one_of_16_bytes_is_refused(values: tuple[bytes, ...]) -> None:
    assert refused(with_header(b"Sec-WebSocket-Key", *values)).status == 400


@pytest.mark.parametrize("values", [(), (b"one", b"two")])
def test_one_host_is_needed(values: tuple[bytes, ...]) -> None:
    assert refused(with_header(b"Host", *values)).status == 400


def test_the_answer_is_the_specification_s() -> None:
    upgrade = Upgrade("dGhlIHNhbXBsZSBub25jZQ==", ("json",))
    assert upgrade_response(
        upgrade, subprotocol="json", extensions="permessage-deflate", headers=((b"X-A", b"1"),)
    ) == (
        b"HTTP/1.1 101 Switching Protocols\r\n"
        b"Upgrade: websocket\r\n"
        b"Connection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
        b"Sec-WebSocket-Protocol: json\r\n"
        b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
        b"X-A: 1\r\n"
        b"\r\n"
    )


def test_a_client_of_another_project_accepts_the_answer() -> None:
    client = ClientProtocol(parse_uri("ws://localhost/"))
    client.send_request(client.connect())
    lines = b"".join(client.data_to_send()).split(b"\r\n")[1:-2]
    upgrade = check_upgrade(
        "GET", "1.1", [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]
    )
    assert isinstance(upgrade, Upgrade)
    client.receive_data(upgrade_response(upgrade))
    assert (client.state, client.handshake_exc) == (State.OPEN, None)


def test_a_subprotocol_that_was_not_offered_is_misuse() -> None:
    with pytest.raises(ValueError, match="was not offered"):
        upgrade_response(Upgrade("dGhlIHNhbXBsZSBub25jZQ==", ("json",)), subprotocol="msgpack")


@pytest.mark.parametrize(
    "field", [(b"X-A", b"1\r\nX-B: 2"), (b"X-A\r\n", b"1"), (b"", b"1"), (b"X A", b"1"), (b"X-A", b"\x00")]
)
def test_a_header_that_is_not_one_line_is_misuse(field: tuple[bytes, bytes]) -> None:
    with pytest.raises(ValueError, match="not a header"):
        upgrade_response(Upgrade("dGhlIHNhbXBsZSBub25jZQ=="), headers=(field,))


def test_a_refusal_is_a_whole_http_response() -> None:
    assert refusal_response(refused(with_header(b"Sec-WebSocket-Version", b"8"))) == (
        b"HTTP/1.1 426 Upgrade Required\r\n"
        b"Upgrade: websocket\r\n"
        b"Connection: Upgrade, close\r\n"
        b"Sec-WebSocket-Version: 13\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Length: 36\r\n"
        b"\r\n"
        b"only WebSocket version 13 is spoken\n"
    )
