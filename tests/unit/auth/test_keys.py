"""Service keys: made, kept as a hash, found again, and turned away."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.auth.keys import KeyRing, KeyRow, ServiceKey, key_hash, new_key, service_key

NOW = 1_700_000_000.0


def ring(*rows: KeyRow, at: float = NOW) -> KeyRing:
    return KeyRing.from_rows(rows, now=lambda: at)


def test_a_new_key_has_its_prefix_and_256_random_bits() -> None:
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(key.startswith("vgs_") and len(key) == 4 + 43 for key in keys)


def test_a_key_is_found_by_its_secret_and_by_its_hash() -> None:
    one, two = new_key(), new_key()
    keys = ring(KeyRow(name="one", secret=one), KeyRow(name="two", hash=key_hash(two).upper()))
    assert [key and key.name for key in (keys.verify(one), keys.verify(two))] == ["one", "two"]


def test_what_is_kept_is_not_the_key() -> None:
    secret = new_key()
    row = KeyRow(name="one", secret=secret)
    key = service_key(row)
    assert key.hash == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in repr(key) + repr(row)


@given(st.text() | st.sampled_from([new_key(), "vgs_", key_hash("the secret")]))
def test_any_other_text_is_no_key(shown: str) -> None:
    assert ring(KeyRow(name="one", secret="the secret")).verify(shown) is None


def test_strange_texts_are_no_key() -> None:
    keys = ring(KeyRow(name="one", secret="the secret"))
    for shown in ("", "\ud800", "the secret ", "The secret", "x" * 1_000_000):
        assert keys.verify(shown) is None


def test_an_empty_ring_knows_no_key() -> None:
    assert ring().verify("") is None


def test_a_key_is_over_from_its_end_on() -> None:
    row = KeyRow(name="one", secret="the secret", expires_at=NOW)
    assert ring(row, at=NOW - 0.5).verify("the secret") is not None
    assert ring(row, at=NOW).verify("the secret") is None


def test_a_key_allows_its_scopes_only() -> None:
    key = service_key(KeyRow(name="one", secret="x", scopes=frozenset({"publish", "presence"})))
    assert [scope for scope in ("publish", "presence", "disconnect", "*", "") if key.allows(scope)] == [
        "publish",
        "presence",
    ]


def test_the_star_allows_everything_and_no_scope_nothing() -> None:
    assert service_key(KeyRow(name="one", secret="x", scopes=frozenset({"*"}))).allows("disconnect")
    assert not service_key(KeyRow(name="one", secret="x")).allows("publish")


@pytest.mark.parametrize(
    "row",
    [
        KeyRow(name="one"),
        KeyRow(name="one", secret=""),
        KeyRow(name="one", secret="x", hash=key_hash("x")),
        KeyRow(name="one", hash=""),
        KeyRow(name="one", hash="abc"),
        KeyRow(name="one", hash="z" * 64),
        KeyRow(name="", secret="x"),
    ],
)
def test_a_row_needs_a_name_and_either_secret_or_hash(row: KeyRow) -> None:
    with pytest.raises(ValueError, match="keys"):
        ring(row)


def test_names_and_secrets_are_unique() -> None:
    with pytest.raises(ValueError, match="same name"):
        ring(KeyRow(name="one", secret="x"), KeyRow(name="one", secret="y"))
    with pytest.raises(ValueError, match="same hash"):
        ring(KeyRow(name="one", secret="x"), KeyRow(name="two", hash=key_hash("x")))


def test_a_ring_takes_kept_keys() -> None:
    key = ServiceKey(name="one", hash=key_hash("x"), scopes=frozenset({"*"}))
    assert KeyRing([key], now=lambda: NOW).verify("x") is key
