"""The envelope in which commands come where the connection is an HTTP response: a session, its node, the commands.

In JSON the commands are a string that holds them, one a line; in Protobuf they are bytes.
"""

from typing import Final

import msgspec

from .schema import LENGTH, STRING, Kind, Message


class EmulationError(ValueError):
    """This is no such envelope."""


class EmulationRequest(msgspec.Struct, frozen=True):
    session: str = ""
    node: str = ""
    data: bytes = b""


class _JsonForm(msgspec.Struct, frozen=True):
    session: str = ""
    node: str = ""
    data: str = ""


_BYTES: Final = Kind(LENGTH, bytes, bytes)
_BINARY_FORM: Final = Message(EmulationRequest, {1: ("node", STRING), 2: ("session", STRING), 3: ("data", _BYTES)})
_decode: Final = msgspec.json.Decoder(_JsonForm).decode


def emulation_from(body: bytes, *, is_binary: bool) -> EmulationRequest:
    """Raises ``EmulationError``."""
    try:
        if is_binary:
            return _BINARY_FORM.read(body)
        form = _decode(body)
        return EmulationRequest(form.session, form.node, form.data.encode())
    except (ValueError, IndexError, RecursionError):  # msgspec's errors and those of Unicode are ValueErrors too
        raise EmulationError("this is no emulation request") from None
