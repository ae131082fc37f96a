"""PostgreSQL as it is in earnest: it restarts, is killed, stands still, refuses; and says nothing it should not."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from tests.patience import LEISURE
from vagus.kernel.errors import StoreError
from vagus.store import Store, postgresql, settings
from vagus.store.postgresql import postgresql_store

from .postgres import PASSWORD, Postgres


@pytest.fixture(autouse=True)
def always_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of ``check`` holds for no time."""
    monkeypatch.setattr("vagus.store.engine.CHECK_S", 0.0)


@pytest.fixture
async def store(postgres: Postgres) -> AsyncIterator[Store]:
    made = postgresql_store(postgres.url(await postgres.new_database()))
    await made.start()
    yield made
    await made.close()


async def put(store: Store, value: bytes) -> None:
    async with store.begin() as transaction:
        await settings.put(transaction, "k", value, by="test", now=0.0)


async def value(store: Store) -> bytes | None:
    async with store.reading() as transaction:
        found = await settings.get(transaction, "k")
    return None if found is None else found.value


async def test_a_restart_between_two_transactions_is_not_noticed(store: Store, postgres: Postgres) -> None:
    await asyncio.gather(*(value(store) for _ in range(5)))  # several connections
    postgres.stop()
    postgres.start()
    await asyncio.gather(*(value(store) for _ in range(5)))
    await put(store, b"1")


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_a_server_that_goes_away_is_said_and_found_again(store: Store, postgres: Postgres, how: str) -> None:
    await put(store, b"1")
    with pytest.raises(StoreError) as caught:
        async with store.begin() as transaction:
            await settings.put(transaction, "k", b"2", by="test", now=0.0)
            getattr(postgres, how)()
            await settings.put(transaction, "k", b"3", by="test", now=0.0)
    try:
        assert caught.value.retryable
        with pytest.raises(StoreError, match="cannot be reached"):
            await store.check()
    finally:
        postgres.start()
    assert await value(store) == b"1"
    await put(store, b"4")
    await store.check()


async def test_a_server_that_stands_still_is_not_waited_for(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "SILENCE_S", 0.5 * LEISURE)
    monkeypatch.setattr(postgresql, "CONNECT_S", 0.5 * LEISURE)
    store = postgresql_store(postgres.url(await postgres.new_database()))
    await store.start()
    postgres.pause()
    try:
        for _ in range(2):
            with pytest.raises(StoreError, match="does not answer") as caught:
                await put(store, b"1")
            assert caught.value.retryable
    finally:
        postgres.resume()
    await put(store, b"2")
    assert await value(store) == b"2"
    await store.close()


async def test_a_statement_has_a_time_limit(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(postgresql._HURRIED, "statement_timeout", f"{200 * LEISURE}ms")
    store = postgresql_store(postgres.url(await postgres.new_database()))
    await store.start()
    with pytest.raises(StoreError, match="57014"):
        async with store.reading() as transaction:
            await transaction.execute(text("SELECT pg_sleep(60)"))
    await store.check()
    await store.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("keeper:pass", "keeper:fail"), "password of store.url is refused"),
        (("/postgres?", "/absent?"), "no database of that name"),
        (("?application_name=x", "?sslmode=wrong"), "cannot be understood"),
    ],
)
async def test_a_wrong_address_is_said_without_its_password(
    postgres: Postgres, change: tuple[str, str], said: str
) -> None:
    store = postgresql_store(postgres.url(application_name="x").replace(*change))
    with pytest.raises(StoreError, match=said) as caught:
        await store.start()
    assert not caught.value.retryable
    for secret in (PASSWORD, "pass%20", "fail%20", "127.0.0.1"):
        assert secret not in str(caught.value)


async def test_where_no_server_is_one_may_come() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        store = postgresql_store(f"postgresql://u:secret@127.0.0.1:{taken.getsockname()[1]}/d")
        with pytest.raises(StoreError, match="cannot be reached") as caught:
            await store.start()
    assert caught.value.retryable
    assert "secret" not in str(caught.value)


async def test_a_standby_is_said_to_be_read_only(store: Store, postgres: Postgres) -> None:
    await postgres.execute("ALTER SYSTEM SET default_transaction_read_only = on")
    await postgres.execute("SELECT pg_reload_conf()")
    try:
        postgres.stop()
        postgres.start()
        with pytest.raises(StoreError, match="read-only"):
            await store.check()
    finally:
        await postgres.execute("ALTER SYSTEM RESET ALL")
        await postgres.execute("SELECT pg_reload_conf()")
