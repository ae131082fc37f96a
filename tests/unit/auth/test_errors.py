"""The tree of refusals is a public interface."""

import pytest

from vagus.auth.errors import ExpiredTokenError, InvalidTokenError, KeysUnavailableError, TokenError


@pytest.mark.parametrize("kind", [InvalidTokenError, ExpiredTokenError, KeysUnavailableError])
def test_a_refusal_is_a_token_error_with_its_reason(kind: type[TokenError]) -> None:
    error = kind("because")
    assert isinstance(error, TokenError)
    assert error.reason == str(error) == "because"


def test_an_expired_token_is_not_an_invalid_one() -> None:
    assert not issubclass(ExpiredTokenError, InvalidTokenError)
    assert not issubclass(InvalidTokenError, ExpiredTokenError)
