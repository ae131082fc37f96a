"""Passwords are kept as argon2id, and whoever does not exist costs what everybody else does."""

import argon2
import pytest

from vagus.auth.passwords import LONGEST, SHORTEST, _decoy, is_outdated, is_password, password_hash

PASSWORD = "correct horse battery"


def test_the_right_password_is_told_from_a_wrong_one() -> None:
    kept = password_hash(PASSWORD)
    assert kept.startswith("$argon2id$")
    assert is_password(kept, PASSWORD)
    assert not is_password(kept, f"{PASSWORD} ")


def test_a_password_typed_on_another_keyboard_is_the_same() -> None:
    assert is_password(password_hash("e\u0301clair au citron"), "\u00e9clair au citron")


@pytest.mark.parametrize("password", ["", "a" * (SHORTEST - 1), "a" * (LONGEST + 1)])
def test_a_password_that_is_too_short_or_too_long_is_refused(password: str) -> None:
    with pytest.raises(ValueError, match="12 to 256 characters"):
        password_hash(password)


def test_nobody_has_a_password_and_finding_that_out_takes_the_same_work() -> None:
    assert not is_password(None, "nobody's password")
    assert argon2.extract_parameters(_decoy()) == argon2.extract_parameters(password_hash(PASSWORD))


def test_a_damaged_hash_lets_nobody_in() -> None:
    assert not is_password("$argon2id$damaged", PASSWORD)


def test_a_hash_with_weaker_values_is_outdated() -> None:
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=1024).hash(PASSWORD)
    assert is_password(weak, PASSWORD)
    assert is_outdated(weak)
    assert not is_outdated(password_hash(PASSWORD))
