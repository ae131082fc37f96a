"""A hub whose tokens these tests can mint, keys with and without scopes, and what is logged."""

import time

import pytest

from tests.integration.native.tokens import verifier
from tests.timeless import logs
from vagus.auth.keys import KeyRing, KeyRow
from vagus.hub import Hub

__all__ = ["logs"]


@pytest.fixture
def hub() -> Hub:
    return Hub(verifier=verifier())


@pytest.fixture
def keys() -> KeyRing:
    rows = [
        KeyRow(name="billing", secret="admin-key", scopes=frozenset({"admin"})),
        KeyRow(name="publisher", secret="publish-key", scopes=frozenset({"publish"})),
        KeyRow(name="old", secret="old-key", scopes=frozenset("*"), expires_at=1.0),
    ]
    return KeyRing.from_rows(rows, now=time.time)
