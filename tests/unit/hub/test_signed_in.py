"""A page of the server's own connects by the session in its cookie; other pages, and other cookies, are nobody's."""

from collections.abc import Mapping

import pytest

from vagus.auth.sessions import SessionIdentity
from vagus.hub.hub import Hub
from vagus.hub.requests import ConnectRequest, Origin
from vagus.kernel import codes
from vagus.kernel.errors import DisconnectError, RefusedError, StoreError
from vagus.kernel.identity import ANONYMOUS, Identity

SECRET = "k3Vd8_not-a-real-secret_0123456789abcdefghi"
UNKNOWN = "another_not-a-real-secret_0123456789abcdefg"
ADA = SessionIdentity(user="ada", roles=frozenset({"viewer"}), session="ses_1")
OWN = {"origin": "https://hub.example", "host": "hub.example"}
COOKIE = {"cookie": f"vagus_session={SECRET}"}


class OneSession:
    """Knows Ada's session, unless it cannot tell now."""

    def __init__(self, *, is_away: bool = False) -> None:
        self._is_away = is_away

    async def identify(self, secret: str) -> SessionIdentity | None:
        if self._is_away:
            raise StoreError("the disk is full", retryable=True)
        return ADA if secret == SECRET else None


async def identified(
    headers: Mapping[str, str], *, is_away: bool = False, anonymous: bool = False, said: Mapping[str, str] | None = None
) -> Identity:
    async with Hub(allow_anonymous=anonymous) as hub:
        hub.policies.sessions = OneSession(is_away=is_away)
        request = ConnectRequest(client="1", origin=Origin(headers=headers), headers={**headers, **(said or {})})
        return await hub.policies.identify(request)


@pytest.mark.parametrize("headers", [OWN, {"host": "hub.example"}])
async def test_a_page_of_the_servers_own_is_who_its_session_says(headers: dict[str, str]) -> None:
    assert await identified(headers | COOKIE) == ADA


@pytest.mark.parametrize(
    ("headers", "closure"),
    [
        ({"origin": "https://evil.example", "host": "hub.example"} | COOKIE, codes.MALFORMED),
        (OWN | {"sec-fetch-site": "same-site"} | COOKIE, codes.MALFORMED),
        (OWN | {"cookie": f"vagus_session={UNKNOWN}"}, codes.INVALID_TOKEN),
        (OWN, codes.MALFORMED),
    ],
)
async def test_whoever_has_no_session_that_counts_is_turned_away(
    headers: dict[str, str], closure: codes.Closure
) -> None:
    with pytest.raises(DisconnectError) as caught:
        await identified(headers)
    assert caught.value.closure is closure


async def test_a_cookie_that_a_page_says_itself_is_none() -> None:
    with pytest.raises(DisconnectError):
        await identified(OWN, said=COOKIE)


async def test_where_anybody_may_connect_a_session_that_ended_is_anonymous() -> None:
    assert await identified(OWN | {"cookie": f"vagus_session={UNKNOWN}"}, anonymous=True) == ANONYMOUS


async def test_while_sessions_cannot_be_looked_up_the_client_is_told_to_try_again() -> None:
    with pytest.raises(RefusedError) as caught:
        await identified(OWN | COOKIE, is_away=True, anonymous=True)
    assert caught.value.fault is codes.INTERNAL
