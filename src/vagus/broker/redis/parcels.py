"""What travels through Redis and lies there, as bytes. Sans-I/O; what cannot be read raises ``ValueError``.

A message in a channel's flow begins with what it is:

* ``+<offset> <epoch> <mark> <mark before>\\n`` and a parcel: a publication with a place in the stream; the script puts
  both together. The mark of the publication before is empty where that is not known;
* ``=`` and a parcel: a publication without one;
* ``<`` or ``>`` and an info: somebody came, or left.

A parcel is an array in MessagePack that is written once, when it is published. Readers ignore what newer versions add
at its end.
"""

from typing import Any, Final

import msgspec

from vagus.kernel.publications import NOTHING, ClientInfo, Draft, Json, Publication

PLAIN: Final = ord("=")
NUMBERED: Final = ord("+")
JOINED: Final = ord("<")
LEFT: Final = ord(">")


class Info(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A client's info."""

    user: str
    client: str
    conn_info: bytes = b""
    chan_info: bytes = b""


class Parcel(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A publication as it is kept and sent, without its place."""

    data: bytes
    time: int = 0
    exclude: str = ""
    tags: dict[str, str] | None = None
    info: Info | None = None


_encode: Final = msgspec.msgpack.Encoder().encode
_parcel: Final = msgspec.msgpack.Decoder(Parcel).decode
_info: Final = msgspec.msgpack.Decoder(Info).decode


def packed(draft: Draft) -> bytes:
    info = draft.info
    return _encode((bytes(draft.data), draft.time, draft.exclude, draft.tags, None if info is None else _info_of(info)))


def unpacked(parcel: Any, offset: int, epoch: str) -> tuple[Publication, str]:
    """The publication, and the client that shall not get it. ``epoch`` is that of the stream."""
    body = _parcel(parcel)
    publication = Publication(
        msgspec.Raw(body.data),
        None if body.info is None else _info_from(body.info),
        offset,
        body.tags,
        body.time,
        epoch if offset == 1 else "",
    )
    return publication, body.exclude


def packed_info(info: ClientInfo) -> bytes:
    return _encode(_info_of(info))


def unpacked_info(packed: Any) -> ClientInfo:
    return _info_from(_info(packed))


def place_of(message: bytes) -> tuple[int, str, int, int | None, int]:
    """The offset, epoch and marks that a numbered message begins with, and where its parcel does."""
    end = message.index(b"\n")
    number, epoch, mark, before = message[1:end].split(b" ")
    offset = int(number)
    if offset < 1 or not epoch:
        raise ValueError("no place in a stream")
    return offset, epoch.decode(), int(mark, 16), int(before, 16) if before else None, end + 1


def packed_entry(info: ClientInfo, tenure: str) -> bytes:
    """A client's entry in a channel's presence: the tenure it belongs to, then its user where scripts find it."""
    user = info.user.encode()
    return b"%b\n%d\n%b%b" % (tenure.encode(), len(user), user, packed_info(info))


def tenure_of(entry: bytes) -> str:
    return entry[: entry.index(b"\n")].decode()


def unpacked_entry(entry: bytes) -> ClientInfo:
    end = entry.index(b"\n") + 1
    after = entry.index(b"\n", end)
    return unpacked_info(memoryview(entry)[after + 1 + int(entry[end:after]) :])


def _info_of(info: ClientInfo) -> tuple[str, str, bytes, bytes]:
    return info.user, info.client, bytes(info.conn_info), bytes(info.chan_info)


def _info_from(info: Info) -> ClientInfo:
    return ClientInfo(info.user, info.client, _json(info.conn_info), _json(info.chan_info))


def _json(text: bytes) -> Json:
    """What is absent must be ``NOTHING`` itself, which encoders leave out."""
    return msgspec.Raw(text) if text else NOTHING
