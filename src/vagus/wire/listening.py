"""What a reader of an EventSource asks for, read from its request: channels, a filter, a rate, where it stood.

::

    GET /events?channel=orders:42&channel=news&tag=region:eu&rate=1
    Authorization: Bearer …
    Last-Event-ID: 1c291ca3.42.LiiCWvkx

Whether it may have that is not decided here.
"""

import math
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from vagus.kernel.commands import Connect, Subscribe
from vagus.kernel.filters import FilterNode
from vagus.kernel.publications import NOTHING, Json, Position

from .eventsource import positions_in

MAX_FIELDS: Final = 512
_TRUE: Final = ("1", "true")

_decode_filter: Final = msgspec.json.Decoder(FilterNode).decode


class ListeningError(ValueError):
    """The request makes no sense; the message says why, to whoever sent it."""


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """``positions`` holds the channels that are to be recovered. ``is_resumed``: the reader was here before."""

    channels: tuple[str, ...]
    token: str = ""
    filter: FilterNode | None = None
    rate: float | None = None
    join_leave: bool = False
    is_resumed: bool = False
    positions: Mapping[str, Position] = {}

    @property
    def connect(self) -> Connect:
        """The positions go along for channels that the server subscribes this reader to."""
        recovering = {channel: self.subscribe(channel) for channel in self.positions}
        return Connect(token=self.token, subs=recovering or None, name="eventsource")

    def subscribe(self, channel: str) -> Subscribe:
        position = self.positions.get(channel)
        return Subscribe(
            channel=channel,
            recover=position is not None,
            offset=position.offset if position is not None else 0,
            epoch=position.epoch if position is not None else "",
            data=self._data,
            positioned=True,
            recoverable=True,
            join_leave=self.join_leave,
            tf=self.filter,
        )

    @property
    def _data(self) -> Json:
        if self.rate is None:
            return NOTHING
        return msgspec.Raw(msgspec.json.encode({"vagus": {"rate": self.rate}}))


def listening(query: str, headers: Mapping[str, str], max_channels: int) -> Listening:
    """Read a request. Raises ``ListeningError``."""
    fields = _fields(query)
    channels = tuple(dict.fromkeys(fields.get("channel", ())))
    if not channels:
        raise ListeningError("name a channel to listen to: ?channel=…")
    if len(channels) > max_channels:
        raise ListeningError(f"too many channels: at most {max_channels}")
    last_id = headers.get("last-event-id") or _last(fields, "last_event_id") or _last(fields, "lastEventId")
    return Listening(
        channels=channels,
        token=_token(fields, headers),
        filter=_filter(fields),
        rate=_rate(fields),
        join_leave=_last(fields, "join_leave") in _TRUE,
        is_resumed=bool(last_id),
        positions=positions_in(last_id, channels) if last_id else {},
    )


def _fields(query: str) -> dict[str, list[str]]:
    try:
        text = query.encode("latin-1").decode()  # some clients do not escape what is not ASCII
        pairs = parse_qsl(text, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise ListeningError("the query cannot be read") from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields


def _last(fields: Mapping[str, list[str]], name: str) -> str:
    values = fields.get(name)
    return values[-1] if values else ""


def _token(fields: Mapping[str, list[str]], headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return _last(fields, "access_token") or _last(fields, "token")


def _filter(fields: Mapping[str, list[str]]) -> FilterNode | None:
    """``filter`` in the native form, and each ``tag=key:value``: all of them must hold."""
    nodes = [_tag(text) for text in fields.get("tag", ())]
    for text in fields.get("filter", ()):
        try:
            nodes.append(_decode_filter(text))
        except (msgspec.DecodeError, RecursionError) as error:
            raise ListeningError(f"filter: {error}") from None
    if len(nodes) < 2:
        return nodes[0] if nodes else None
    return FilterNode(op="and", nodes=tuple(nodes))


def _tag(text: str) -> FilterNode:
    key, colon, value = text.partition(":")
    if not key or not colon:
        raise ListeningError("tag: write it as tag=key:value")
    return FilterNode(key=key, cmp="eq", val=value)


def _rate(fields: Mapping[str, list[str]]) -> float | None:
    text = _last(fields, "rate")
    if not text:
        return None
    try:
        rate = float(text)
    except ValueError:
        raise ListeningError("rate: not a number") from None
    if not math.isfinite(rate):
        raise ListeningError("rate: not a number")
    return rate
