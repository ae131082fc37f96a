"""Sessions by their secrets: unguessable, bounded, gone when removed."""

import pytest

from vagus.gateway.sessions import Sessions, TooManySessionsError, name_of_node


def test_a_session_is_found_by_its_secret_until_it_is_removed() -> None:
    sessions: Sessions[str] = Sessions()
    secret = sessions.add("mine")
    assert (sessions.get(secret), len(sessions)) == ("mine", 1)
    assert (sessions.remove(secret), sessions.remove(secret), sessions.get(secret)) == ("mine", None, None)


def test_secrets_are_long_and_fit_into_urls() -> None:
    sessions: Sessions[int] = Sessions()
    secrets = {sessions.add(number) for number in range(100)}
    assert len(secrets) == 100
    assert all(len(secret) == 32 and secret.replace("-", "").replace("_", "").isalnum() for secret in secrets)


def test_a_secret_begins_with_the_name_of_its_home() -> None:
    home = name_of_node("0123456789abcdef0123456789abcdef")
    sessions: Sessions[int] = Sessions(home=home)
    secret = sessions.add(1)
    assert (secret[:12], len(secret), sessions.get(secret)) == ("0123456789ab", 44, 1)


def test_there_is_a_bound() -> None:
    sessions: Sessions[int] = Sessions(2)
    first = sessions.add(1)
    assert not sessions.is_full
    sessions.add(2)
    assert sessions.is_full
    with pytest.raises(TooManySessionsError):
        sessions.add(3)
    sessions.remove(first)
    sessions.add(3)
