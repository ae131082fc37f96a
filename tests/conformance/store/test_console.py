"""The console's door keeps its promises over every database: links, passwords, tokens, and the sessions they open."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.integration.native.tokens import EXPIRED, FORGED, token, verifier
from vagus.apps.console import keeping, links, sessions, signing, tables, users
from vagus.apps.console.keeping import KeptSessions, Opened
from vagus.apps.console.signing import RefusedSignInError, SigningIn, Visitor
from vagus.apps.console.values import SignIn
from vagus.auth.passwords import password_hash
from vagus.auth.sessions import Terms, new_secret
from vagus.hub import Hub
from vagus.kernel.errors import ConflictError, StoreError
from vagus.store import Store, keys
from vagus.store.postgresql import postgresql_store
from vagus.store.sqlite import sqlite_store
from vagus.store.tables import METADATA
from vagus.testing import FakeClock

if TYPE_CHECKING:
    from tests.integration.store.postgres import Postgres

NOW = float(int(time.time()))  # tokens go by the machine's clock
IDLE_S, LASTING_S = 3_600.0, 86_400.0
PASSWORD = "correct horse battery"
ADMIN, VIEWER = frozenset({"admin"}), frozenset({"viewer"})
HERE = Visitor("192.0.2.1", "a browser")


@pytest.fixture(params=["sqlite", "postgresql"])
async def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Makes stores of one database that nobody has used yet."""
    if request.param == "sqlite":
        return lambda: sqlite_store(tmp_path / "vagus.db")
    server: Postgres = request.getfixturevalue("postgres")
    url = server.url(await server.new_database())
    return lambda: postgresql_store(url)


@pytest.fixture
async def store(new_store: Callable[[], Store]) -> AsyncIterator[Store]:
    made = new_store()
    await made.start()
    yield made
    await made.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
async def hub(clock: FakeClock) -> AsyncIterator[Hub]:
    async with Hub(clock=clock, verifier=verifier()) as hub:
        yield hub


@pytest.fixture
def kept(hub: Hub, store: Store, monkeypatch: pytest.MonkeyPatch) -> KeptSessions:
    """Sessions that are looked up each time, unless a test lets them be remembered."""
    monkeypatch.setattr(keeping, "FRESH_S", 0.0)
    return node(hub, store)


@pytest.fixture
def door(hub: Hub, kept: KeptSessions) -> SigningIn:
    return SigningIn(hub, kept)


def node(hub: Hub, store: Store) -> KeptSessions:
    return KeptSessions(hub, store, Terms(idle_s=IDLE_S, lasting_s=LASTING_S, most=3))


async def link(store: Store, *, user: str = "ada", roles: frozenset[str] = ADMIN, ttl_s: float = 900.0) -> str:
    async with store.begin() as transaction:
        return await links.make(transaction, user=user, roles=roles, now=NOW, ttl_s=ttl_s)


async def add_user(store: Store, name: str = "ada", roles: frozenset[str] = VIEWER) -> None:
    async with store.begin() as transaction:
        await users.add(transaction, name, hash=password_hash(PASSWORD), roles=roles, now=NOW)


async def signed_in(door: SigningIn, store: Store, user: str = "ada") -> Opened:
    return await door.sign_in(SignIn(code=await link(store, user=user)), HERE)


async def refusal(door: SigningIn, shown: SignIn, visitor: Visitor = HERE) -> RefusedSignInError:
    with pytest.raises(RefusedSignInError) as caught:
        await door.sign_in(shown, visitor)
    return caught.value


async def test_what_migrations_make_is_what_the_tables_say(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    def differences(connection: Any) -> list[Any]:
        ours = {"include_name": lambda name, kind, _: kind != "table" or name in METADATA.tables}
        return list(compare_metadata(MigrationContext.configure(connection, opts=ours), METADATA))

    assert tables.sessions.name in METADATA.tables
    async with store.begin() as transaction:
        assert await transaction.run_sync(differences) == []


# --- Links ---


async def test_a_link_signs_in_whom_it_names(door: SigningIn, kept: KeptSessions, store: Store) -> None:
    opened = await signed_in(door, store)
    identity = await kept.identify(opened.secret)
    assert identity is not None
    assert (identity.user, identity.roles, identity.expires_at) == ("ada", ADMIN, NOW + LASTING_S)
    assert (opened.session.method, opened.session.address, opened.session.agent) == ("link", "192.0.2.1", "a browser")


async def test_a_link_is_good_for_one_use(door: SigningIn, store: Store) -> None:
    code = await link(store)
    await door.sign_in(SignIn(code=code), HERE)
    assert (await refusal(door, SignIn(code=code))).kind == "wrong"


async def test_of_many_who_use_a_link_at_once_one_comes_in(door: SigningIn, kept: KeptSessions, store: Store) -> None:
    code = await link(store)
    tries = [door.sign_in(SignIn(code=code), Visitor(f"192.0.2.{number}")) for number in range(12)]
    found = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, Opened) for each in found) == 1
    assert sum(isinstance(each, RefusedSignInError) for each in found) == 11
    assert len(await kept.listed()) == 1


async def test_a_link_ends_with_its_time(door: SigningIn, store: Store, clock: FakeClock) -> None:
    code = await link(store, ttl_s=60.0)
    clock.advance(NOW + 60.0 - clock())
    assert "vagus link" in (await refusal(door, SignIn(code=code))).detail


async def test_a_link_that_nobody_made_opens_nothing(door: SigningIn) -> None:
    assert (await refusal(door, SignIn(code=new_secret()))).kind == "wrong"


# --- Passwords ---


async def test_a_password_signs_in_its_user_with_the_users_roles(
    door: SigningIn, kept: KeptSessions, store: Store
) -> None:
    await add_user(store)
    opened = await door.sign_in(SignIn(user="ada", password=PASSWORD), HERE)
    identity = await kept.identify(opened.secret)
    assert identity is not None
    assert (identity.user, identity.roles) == ("ada", VIEWER)


async def test_a_user_may_sign_in_at_two_places_at_once(door: SigningIn, kept: KeptSessions, store: Store) -> None:
    await add_user(store)
    shown = SignIn(user="ada", password=PASSWORD)
    await asyncio.gather(*(door.sign_in(shown, Visitor(f"192.0.2.{number}")) for number in range(3)))
    assert len(await kept.listed()) == 3


async def test_it_is_known_when_a_user_signed_in_last_by_whatever_way(
    door: SigningIn, kept: KeptSessions, store: Store, clock: FakeClock
) -> None:
    async def signed_in_at() -> dict[str, float | None]:
        async with store.reading() as transaction:
            return {user.name: user.signed_in_at for user in await users.every(transaction)}

    for name in ("ada", "bob"):
        await add_user(store, name)
    await refusal(door, SignIn(user="ada", password="wrong horse battery"))
    assert await signed_in_at() == {"ada": None, "bob": None}
    ways = (SignIn(user="ada", password=PASSWORD), SignIn(code=await link(store)), SignIn(token=token("ada")))
    for number, shown in enumerate(ways, 1):
        clock.advance(NOW + number - clock())
        await door.sign_in(shown, HERE)
        assert await signed_in_at() == {"ada": NOW + number, "bob": None}
    await kept.end([session.id for session in await kept.listed()])
    assert (await signed_in_at())["ada"] == NOW + 3, "it outlives the sessions"


async def test_users_and_keys_of_an_older_database_are_kept(new_store: Callable[[], Store]) -> None:
    store = new_store()
    await store.start()
    await add_user(store)
    async with store.begin() as transaction:
        await keys.add(transaction, name="billing", hash="a" * 64, scopes=VIEWER, now=NOW)
        for statement in (  # what schema 0004 brought
            "ALTER TABLE vagus_keys DROP COLUMN used_at",
            "ALTER TABLE vagus_console_users DROP COLUMN signed_in_at",
            "UPDATE vagus_schema SET version_num = '0003'",
        ):
            await transaction.execute(text(statement))
    await store.close()
    store = new_store()
    steps = await store.start()
    assert steps[0].revision == "0004"
    async with store.reading() as transaction:
        (user,), (key,) = await users.every(transaction), await keys.every(transaction)
    assert (user.name, user.signed_in_at, key.name, key.used_at) == ("ada", None, "billing", None)
    await store.close()


async def test_a_wrong_password_and_an_unknown_user_are_refused_alike(door: SigningIn, store: Store) -> None:
    await add_user(store)
    refusals = [
        await refusal(door, SignIn(user=user, password=password))
        for user, password in (("ada", "wrong horse battery"), ("eve", PASSWORD), ("ADA", PASSWORD))
    ]
    assert {(each.kind, each.detail) for each in refusals} == {("wrong", "User or password is wrong.")}


async def test_guessing_at_one_user_is_slowed_down_wherever_it_comes_from(door: SigningIn, store: Store) -> None:
    await add_user(store)
    for number in range(5):
        await refusal(door, SignIn(user="ada", password="wrong horse battery"), Visitor(f"192.0.2.{number}"))
    refused = await refusal(door, SignIn(user="ada", password=PASSWORD), Visitor("192.0.2.9"))
    assert (refused.kind, refused.wait_s) == ("too often", 20)


@pytest.mark.parametrize("address", ["192.0.2.{}", "2001:db8::{}"])
async def test_guessing_from_one_address_or_network_is_slowed_down(door: SigningIn, address: str) -> None:
    visitors = [Visitor(address.format(number if ":" in address else 1)) for number in range(21)]
    refusals = [(await refusal(door, SignIn(code=new_secret()), each)).kind for each in visitors]
    assert refusals == ["wrong"] * 20 + ["too often"]


async def test_a_flood_of_passwords_is_turned_away_before_it_costs_anything(
    door: SigningIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing, "WAITING", 0)
    tries = [
        refusal(door, SignIn(user=f"user{number}", password=PASSWORD), Visitor(f"192.0.2.{number}"))
        for number in range(6)
    ]
    kinds = [each.kind for each in await asyncio.gather(*tries)]
    assert (kinds.count("wrong"), kinds.count("later")) == (2, 4)


async def test_a_user_is_entered_once_and_with_roles_that_people_have(store: Store) -> None:
    await add_user(store)
    with pytest.raises(ConflictError, match="there is a user ada already"):
        await add_user(store)
    for name, roles in (("eve", frozenset[str]()), ("eve", frozenset({"service"})), (" eve", VIEWER), ("", VIEWER)):
        with pytest.raises(ValueError, match="a user"):
            await add_user(store, name, roles)


# --- Tokens ---


async def test_a_token_signs_in_its_user_for_no_longer_than_it_lasts(door: SigningIn, hub: Hub) -> None:
    shown = token("ada", roles=VIEWER, lasts_s=600)
    opened = await door.sign_in(SignIn(token=shown), HERE)
    assert (opened.session.user, opened.session.roles) == ("ada", VIEWER)
    assert opened.session.expires_at == (await hub.policies.identity_from(shown)).expires_at


@pytest.mark.parametrize(("shown", "why"), [(FORGED, "not valid"), (EXPIRED, "expired"), ("x", "not valid")])
async def test_a_token_that_is_not_believed_opens_nothing(door: SigningIn, shown: str, why: str) -> None:
    refused = await refusal(door, SignIn(token=shown))
    assert refused.kind == "wrong"
    assert why in refused.detail


# --- Sessions ---


async def test_a_secret_that_nobody_was_given_is_nobodys(door: SigningIn, kept: KeptSessions, store: Store) -> None:
    await signed_in(door, store)
    assert await kept.identify(new_secret()) is None


async def test_the_store_has_no_secret(door: SigningIn, store: Store) -> None:
    code = await link(store)
    await add_user(store, "bob")
    opened = await door.sign_in(SignIn(code=code), HERE)
    unused = await link(store)
    async with store.reading() as transaction:
        rows = [tuple(row) for table in METADATA.tables.values() for row in await transaction.execute(table.select())]
    assert len(rows) >= 3
    assert not [each for each in (code, unused, opened.secret, PASSWORD) if each in str(rows)]


async def test_a_session_ends_when_nobody_uses_it(
    door: SigningIn, kept: KeptSessions, store: Store, clock: FakeClock
) -> None:
    opened = await signed_in(door, store)
    clock.advance(NOW + IDLE_S - 1 - clock())
    assert await kept.identify(opened.secret) is not None
    clock.advance(NOW + IDLE_S - clock())
    assert await kept.identify(opened.secret) is None
    assert await kept.listed() == []


async def test_a_session_that_is_used_goes_on_until_its_time_is_over(
    door: SigningIn, kept: KeptSessions, store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "TOUCH_S", 0.0)
    opened = await signed_in(door, store)
    for step in range(1, int(LASTING_S / IDLE_S) * 2):
        clock.advance(NOW + step * IDLE_S / 2 - clock())
        assert await kept.identify(opened.secret) is not None
        await kept.look()
    clock.advance(NOW + LASTING_S - clock())
    assert await kept.identify(opened.secret) is None


async def test_one_session_too_many_ends_the_one_that_was_unused_for_longest(
    door: SigningIn, kept: KeptSessions, store: Store, clock: FakeClock
) -> None:
    opened = []
    for number in range(4):
        clock.advance(NOW + number - clock())
        opened.append(await signed_in(door, store))
    bobs = await signed_in(door, store, "bob")
    assert [await kept.identify(each.secret) is not None for each in (*opened, bobs)] == [False, True, True, True, True]


async def test_signing_in_again_ends_the_session_that_the_browser_had(
    door: SigningIn, kept: KeptSessions, store: Store
) -> None:
    before = await signed_in(door, store)
    await door.sign_in(SignIn(code=await link(store)), Visitor("192.0.2.1", session=before.session.id))
    assert await kept.identify(before.secret) is None
    assert len(await kept.listed()) == 1


async def test_a_session_can_be_ended_by_its_owner_and_not_by_somebody_else(
    door: SigningIn, kept: KeptSessions, store: Store
) -> None:
    opened = await signed_in(door, store)
    assert not await kept.end([opened.session.id], user="eve")
    assert await kept.identify(opened.secret) is not None
    assert await kept.end([opened.session.id], user="ada")
    assert await kept.identify(opened.secret) is None


async def test_what_was_looked_up_is_believed_without_the_store_until_this_node_ends_it(
    door: SigningIn, kept: KeptSessions, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "FRESH_S", 3600.0)
    opened = await signed_in(door, store)
    await kept.identify(opened.secret)
    async with store.begin() as transaction:
        await sessions.end_of(transaction, "ada")
    assert await kept.identify(opened.secret) is not None
    await kept.forget([opened.session.id])
    assert await kept.identify(opened.secret) is None


async def test_another_node_knows_the_session_and_that_it_ended(
    door: SigningIn, kept: KeptSessions, hub: Hub, store: Store, new_store: Callable[[], Store]
) -> None:
    elsewhere = new_store()
    await elsewhere.start()
    other = node(hub, elsewhere)
    opened = await signed_in(door, store)
    assert await other.identify(opened.secret) is not None
    await kept.end([opened.session.id])
    assert await other.identify(opened.secret) is None
    await elsewhere.close()


async def test_without_its_store_nobody_is_taken_for_a_stranger(
    door: SigningIn, kept: KeptSessions, store: Store
) -> None:
    opened = await signed_in(door, store)
    await store.close()
    with pytest.raises(StoreError):
        await kept.identify(opened.secret)


async def test_forged_secrets_do_not_pile_up_in_memory(kept: KeptSessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "REMEMBERED", 5)
    for _ in range(12):
        await kept.identify(new_secret())
    assert len(kept._known) <= 5
