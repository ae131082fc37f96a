"""What a token says: the claims of connection and subscription tokens as frozen values, from JSON and back.

The names and meanings are Centrifugo's, plus `roles`, which is ours. This module trusts nobody: it decodes bytes
whose signature was checked elsewhere, and refuses whatever has not the type it should. `info`, `data` and `meta`
stay JSON bytes, never decoded; they are valid UTF-8 on one line, because dialects that frame by line feeds put
them on the wire as they are.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from vagus.auth.errors import InvalidTokenError

# The end of the year 9999. Beyond it lies the classic slip of writing milliseconds, a token that never expires.
_LATEST = 253_402_300_799
_Time = Annotated[float, msgspec.Meta(ge=0, le=_LATEST)]
_ABSENT = msgspec.Raw()


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """Options of one subscription that differ from its channel's rule; None leaves the rule's."""

    presence: bool | None = None
    join_leave: bool | None = None
    force_push_join_leave: bool | None = None
    force_recovery: bool | None = None
    force_positioning: bool | None = None


class ChannelGrant(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `subs`: how the server subscribes the client to a channel when it connects."""

    info: bytes | None = None
    data: bytes | None = None
    override: Override = Override()


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """The claims of RFC 7519 §4.1 that both kinds of token have; times are seconds since 1970."""

    exp: float | None = None
    nbf: float | None = None
    iat: float | None = None
    jti: str | None = None
    iss: str | None = None
    aud: tuple[str, ...] = ()
    expire_at: float | None = None

    @property
    def expires_at(self) -> float | None:
        """When what the token opened ends: `expire_at` (0 is never) if it is there, else `exp`; None is never."""
        return self.exp if self.expire_at is None else self.expire_at or None


class ConnectionClaims(Registered, frozen=True, kw_only=True):
    """A connection token: who connects, and what the server subscribes it to. `user` "" is anonymous."""

    user: str = ""
    roles: frozenset[str] = frozenset()
    info: bytes | None = None
    meta: bytes | None = None
    channels: tuple[str, ...] = ()
    subs: Mapping[str, ChannelGrant] = {}


class SubscriptionClaims(Registered, frozen=True, kw_only=True):
    """A subscription token: `user` may subscribe to `channel`. That it is the connected user, the hub checks."""

    channel: str
    user: str = ""
    info: bytes | None = None
    override: Override = Override()


def connection_claims(payload: bytes, user_claim: str = "sub") -> ConnectionClaims:
    """Decode a connection token's payload; `InvalidTokenError` for any defect, a `channel` among the claims too."""
    try:
        payload.decode()  # msgspec passes a raw value through without looking at its encoding
        body = _CONNECTION.decode(payload)
        if body.channel != _ABSENT:
            raise InvalidTokenError("a subscription token where a connection token belongs")
        return ConnectionClaims(
            user=body.sub if user_claim == "sub" else _user(payload, user_claim),
            roles=frozenset(body.roles or ()),
            info=_json(body.info, body.b64info),
            meta=_json(body.meta),
            channels=tuple(body.channels or ()),
            subs={name: _grant(entry) for name, entry in (body.subs or {}).items()},
            **_registered(body),
        )
    except (ValueError, RecursionError) as error:
        raise InvalidTokenError(_reason(error)) from None


def subscription_claims(payload: bytes, user_claim: str = "sub") -> SubscriptionClaims:
    """Decode a subscription token's payload; `InvalidTokenError` for any defect, a missing `channel` too."""
    try:
        payload.decode()
        body = _SUBSCRIPTION.decode(payload)
        if not body.channel:
            raise InvalidTokenError("a connection token where a subscription token belongs")
        return SubscriptionClaims(
            channel=body.channel,
            user=body.sub if user_claim == "sub" else _user(payload, user_claim),
            info=_json(body.info, body.b64info),
            override=_override(body.override),
            **_registered(body),
        )
    except (ValueError, RecursionError) as error:
        raise InvalidTokenError(_reason(error)) from None


def payload_from(claims: ConnectionClaims | SubscriptionClaims) -> bytes:
    """Encode claims as a token's payload, which decodes to an equal value.

    `ValueError` if `info`, `data` or `meta` are not JSON.
    """
    members = _members(claims)
    return msgspec.json.encode({"sub": members.pop("user"), **members})


class _Flag(msgspec.Struct):
    value: bool = False


class _OverrideBody(msgspec.Struct):
    presence: _Flag | None = None
    join_leave: _Flag | None = None
    force_push_join_leave: _Flag | None = None
    force_recovery: _Flag | None = None
    force_positioning: _Flag | None = None


class _GrantBody(msgspec.Struct):
    info: msgspec.Raw = _ABSENT
    b64info: str | None = None
    data: msgspec.Raw = _ABSENT
    b64data: str | None = None
    override: _OverrideBody | None = None


class _Body(msgspec.Struct):
    sub: str = ""
    exp: _Time | None = None
    nbf: _Time | None = None
    iat: _Time | None = None
    jti: str | None = None
    iss: str | None = None
    aud: str | list[str] | None = None
    expire_at: _Time | None = None
    info: msgspec.Raw = _ABSENT
    b64info: str | None = None


class _ConnectionBody(_Body):
    channel: msgspec.Raw = _ABSENT
    channels: list[str] | None = None
    subs: dict[str, _GrantBody] | None = None
    meta: msgspec.Raw = _ABSENT
    roles: list[str] | None = None


class _SubscriptionBody(_Body):
    channel: str | None = None
    override: _OverrideBody | None = None


_CONNECTION = msgspec.json.Decoder(_ConnectionBody)
_SUBSCRIPTION = msgspec.json.Decoder(_SubscriptionBody)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _reason(error: Exception) -> str:
    # A validation error of msgspec names a path and two types; every other text might quote what was read.
    return f"claims: {error}" if isinstance(error, msgspec.ValidationError) else "claims are not valid JSON"


def _user(payload: bytes, claim: str) -> str:
    raw = _OBJECT.decode(payload).get(claim)
    return "" if raw is None else msgspec.json.decode(raw, type=str)


def _registered(body: _Body) -> dict[str, Any]:
    return {
        "exp": body.exp,
        "nbf": body.nbf,
        "iat": body.iat,
        "jti": body.jti,
        "iss": body.iss,
        "aud": (body.aud,) if isinstance(body.aud, str) else tuple(body.aud or ()),
        "expire_at": body.expire_at,
    }


def _grant(body: _GrantBody) -> ChannelGrant:
    return ChannelGrant(
        info=_json(body.info, body.b64info),
        data=_json(body.data, body.b64data),
        override=_override(body.override),
    )


def _override(body: _OverrideBody | None) -> Override:
    if body is None:
        return Override()
    flags = {name: getattr(body, name) for name in body.__struct_fields__}
    return Override(**{name: None if flag is None else flag.value for name, flag in flags.items()})


def _json(raw: msgspec.Raw, encoded: str | None = None) -> bytes | None:
    """Return JSON on one line; the base64 form goes first, as it does with Centrifugo."""
    text = _json_from_base64(encoded) if encoded else bytes(raw)
    if not text or text == b"null":
        return None
    if b"\n" in text or b"\r" in text:  # between values only: inside a string they are not JSON
        return msgspec.json.format(text, indent=-1)
    return text


def _json_from_base64(encoded: str) -> bytes:
    return bytes(_raw(binascii.a2b_base64(encoded, strict_mode=True)))


def _raw(text: bytes) -> msgspec.Raw:
    text.decode()
    return msgspec.json.decode(text, type=msgspec.Raw)


def _members(value: msgspec.Struct) -> dict[str, Any]:
    members = {name: _written(getattr(value, name)) for name in value.__struct_fields__}
    return {name: member for name, member in members.items() if member not in (None, (), [], {})}


def _written(value: object) -> object:
    match value:
        case bytes():
            return _raw(value)
        case float() if value.is_integer():  # 1700000000 and not 1.7e9: some readers take integers only
            return int(value)
        case frozenset():
            return sorted(value)
        case Override():
            return {name: {"value": on} for name, on in _flags(value).items()}
        case ChannelGrant():
            return _members(value)
        case Mapping():
            return {name: _written(member) for name, member in value.items()}
        case _:
            return value


def _flags(override: Override) -> dict[str, bool]:
    flags = {name: getattr(override, name) for name in override.__struct_fields__}
    return {name: on for name, on in flags.items() if on is not None}
