import pytest

from vagus.wire.signalr.handshake import ACCEPTED, Handshake, HandshakeError, read, refused


@pytest.mark.parametrize("version", [0, 1, 2])
def test_any_version_up_to_two_is_taken(version: int) -> None:
    assert read(b'{"protocol":"json","version":%d}' % version) == Handshake("json", version)


def test_fields_that_nobody_knows_are_ignored() -> None:
    assert read(b'{"version":1,"later":[1],"protocol":"messagepack"}').protocol == "messagepack"


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"{}",
        b"null",
        b'{"protocol":"json"}',
        b'{"protocol":1,"version":1}',
        b'{"protocol":"json","version":3}',
        b"\xff",
    ],
)
def test_anything_else_is_refused(record: bytes) -> None:
    with pytest.raises(HandshakeError):
        read(record)


def test_answers_are_records_in_json() -> None:
    assert ACCEPTED == b"{}\x1e"
    assert refused('a "reason"') == b'{"error":"a \\"reason\\""}\x1e'
