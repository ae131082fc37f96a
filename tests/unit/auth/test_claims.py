"""Payloads that were signed and are still refused, and what the accepted ones mean."""

import base64
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.auth.claims import (
    ChannelGrant,
    ConnectionClaims,
    Override,
    SubscriptionClaims,
    connection_claims,
    payload_from,
    subscription_claims,
)
from vagus.auth.errors import InvalidTokenError, TokenError

_json = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))
_raw = _json.filter(lambda value: value is not None).map(msgspec.json.encode) | st.none()
_times = st.none() | st.floats(0, 253_402_300_799)
_flags = st.none() | st.booleans()
_overrides = st.builds(Override, presence=_flags, join_leave=_flags, force_recovery=_flags, force_positioning=_flags)
_grants = st.builds(ChannelGrant, info=_raw, data=_raw, override=_overrides)
_registered = {
    "exp": _times,
    "nbf": _times,
    "iat": _times,
    "expire_at": _times,
    "jti": st.none() | st.text(),
    "iss": st.none() | st.text(),
    "aud": st.lists(st.text(), max_size=2).map(tuple),
}
_connections = st.builds(
    ConnectionClaims,
    user=st.text(),
    roles=st.frozensets(st.sampled_from(["viewer", "operator", "admin"])),
    info=_raw,
    meta=_raw,
    channels=st.lists(st.text(), max_size=3).map(tuple),
    subs=st.dictionaries(st.text(), _grants, max_size=2),
    **_registered,
)
_subscriptions = st.builds(
    SubscriptionClaims, channel=st.text(min_size=1), user=st.text(), info=_raw, override=_overrides, **_registered
)


def test_every_claim_of_a_connection_token_is_read() -> None:
    payload = {
        "sub": "42",
        "exp": 1700,
        "nbf": 1,
        "iat": 2.5,
        "jti": "j",
        "iss": "app",
        "aud": ["hub", "other"],
        "expire_at": 1800,
        "roles": ["viewer", "operator"],
        "info": {"name": "Ada"},
        "meta": [1],
        "channels": ["news"],
        "subs": {"jobs": {"info": 1, "data": {"x": 2}, "override": {"presence": {"value": True}}}},
    }
    claims = connection_claims(msgspec.json.encode(payload))
    assert claims == ConnectionClaims(
        user="42",
        exp=1700,
        nbf=1,
        iat=2.5,
        jti="j",
        iss="app",
        aud=("hub", "other"),
        expire_at=1800,
        roles=frozenset({"viewer", "operator"}),
        info=b'{"name":"Ada"}',
        meta=b"[1]",
        channels=("news",),
        subs={"jobs": ChannelGrant(info=b"1", data=b'{"x":2}', override=Override(presence=True))},
    )


def test_every_claim_of_a_subscription_token_is_read() -> None:
    payload = b'{"sub":"42","channel":"news","info":{"a":1},"aud":"hub","override":{"join_leave":{"value":false}}}'
    assert subscription_claims(payload) == SubscriptionClaims(
        user="42", channel="news", info=b'{"a":1}', aud=("hub",), override=Override(join_leave=False)
    )


@given(_connections)
def test_connection_claims_survive_being_written(claims: ConnectionClaims) -> None:
    assert connection_claims(payload_from(claims)) == claims


@given(_subscriptions)
def test_subscription_claims_survive_being_written(claims: SubscriptionClaims) -> None:
    assert subscription_claims(payload_from(claims)) == claims


@given(
    st.binary()
    | st.dictionaries(st.sampled_from(["sub", "exp", "aud", "subs", "info"]), _json).map(msgspec.json.encode)
)
def test_any_bytes_are_claims_or_are_refused(payload: bytes) -> None:
    for read in (connection_claims, subscription_claims):
        try:
            read(payload)
        except TokenError as error:
            assert isinstance(error, InvalidTokenError)


def test_claims_that_are_null_count_as_absent() -> None:
    names = ["exp", "nbf", "iat", "jti", "iss", "aud", "expire_at", "info", "meta", "channels", "subs", "roles"]
    assert connection_claims(json.dumps(dict.fromkeys(names)).encode()) == ConnectionClaims()


def test_no_user_is_anonymous() -> None:
    assert connection_claims(b"{}").user == ""


def test_the_user_may_stand_in_another_claim() -> None:
    assert connection_claims(b'{"sub":"x","uid":"42"}', "uid").user == "42"
    assert subscription_claims(b'{"sub":"x","uid":"42","channel":"c"}', "uid").user == "42"
    assert connection_claims(b'{"sub":"x"}', "uid").user == ""
    with pytest.raises(InvalidTokenError):
        connection_claims(b'{"uid":42}', "uid")


@pytest.mark.parametrize(
    "payload",
    [
        b'{"sub":42}',
        b'{"sub":null}',
        b'{"exp":"1700"}',
        b'{"exp":true}',
        b'{"exp":-1}',
        b'{"exp":1e400}',
        b'{"exp":1e18}',
        b'{"exp":1700000000000}',
        b'{"exp":99999999999999999999999999}',
        b'{"exp":NaN}',
        b'{"nbf":"soon"}',
        b'{"expire_at":-1}',
        b'{"aud":[1]}',
        b'{"roles":"admin"}',
        b'{"roles":[1]}',
        b'{"channels":"news"}',
        b'{"subs":["news"]}',
        b'{"subs":{"news":{"override":{"presence":true}}}}',
        b'{"info":"\xff"}',
        b'{"other":"\xff"}',
        b'{"info":{"a":1,}}',
        b'{"b64info":"!!!!"}',
        b'{"b64info":"e30"}',
        b'{"b64info":"/w=="}',
        b'{"b64info":"eyJh"}',
        b'{"subs":{"news":{"b64data":"eyJh"}}}',
        b'{"info":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b"[]",
        b"null",
        b"",
        b"{} {}",
        b'\xef\xbb\xbf{"sub":"42"}',
    ],
)
def test_a_claim_of_the_wrong_type_or_out_of_range_is_refused(payload: bytes) -> None:
    with pytest.raises(InvalidTokenError):
        connection_claims(payload)


@pytest.mark.parametrize("channel", [b'"news"', b'""', b"null", b"1"])
def test_a_channel_makes_it_no_connection_token(channel: bytes) -> None:
    with pytest.raises(InvalidTokenError, match="a subscription token"):
        connection_claims(b'{"sub":"42","channel":' + channel + b"}")


@pytest.mark.parametrize("payload", [b'{"sub":"42"}', b'{"channel":""}', b'{"channel":null}', b'{"channel":1}'])
def test_without_a_channel_it_is_no_subscription_token(payload: bytes) -> None:
    with pytest.raises(InvalidTokenError):
        subscription_claims(payload)


def test_a_reason_quotes_no_value() -> None:
    for payload in (b'{"exp":"hunter2"}', b'{"subs":{"hunter2":1}}', b'{"info":hunter2}', b'{"b64info":"hunter2"}'):
        with pytest.raises(InvalidTokenError) as caught:
            connection_claims(payload)
        assert "hunter2" not in caught.value.reason


@pytest.mark.parametrize(
    ("payload", "end"),
    [
        (b"{}", None),
        (b'{"exp":1700}', 1700),
        (b'{"exp":1700.25}', 1700.25),
        (b'{"exp":1700,"expire_at":1800}', 1800),
        (b'{"exp":1700,"expire_at":0}', None),
        (b'{"expire_at":1800}', 1800),
    ],
)
def test_expire_at_goes_before_exp_and_zero_is_never(payload: bytes, end: float | None) -> None:
    assert connection_claims(payload).expires_at == end


def test_base64_values_are_decoded_and_go_first() -> None:
    encoded = base64.b64encode(b'{"a": 1}').decode()
    payload = {"info": 1, "b64info": encoded, "subs": {"c": {"b64info": encoded, "b64data": encoded}}}
    claims = connection_claims(msgspec.json.encode(payload))
    assert claims.info == b'{"a": 1}'
    assert claims.subs["c"] == ChannelGrant(info=b'{"a": 1}', data=b'{"a": 1}')


def test_raw_values_come_out_on_one_line() -> None:
    pretty = b'{\r\n "a": "x\\ny",\n "b": 1.10e5\n}'
    payload = b'{"info":' + pretty + b',"b64info":"","meta":' + pretty + b"}"
    claims = connection_claims(payload)
    assert claims.info == claims.meta == b'{"a":"x\\ny","b":1.10e5}'
    assert connection_claims(b'{"b64info":"' + base64.b64encode(pretty) + b'"}').info == claims.info


def test_what_is_not_json_cannot_be_written() -> None:
    for info in (b"", b"{", b'"\xff"'):
        with pytest.raises(ValueError):
            payload_from(ConnectionClaims(info=info))
