"""PostgreSQL as it is in earnest: it restarts, is killed, stands still, refuses; and says nothing it should not."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from tests.faults.proxy import Proxy
from tests.integration.redis.certificates import Certificates
from tests.patience import LEISURE
from vagus.kernel.errors import StoreError
from vagus.store import Store, leases, postgresql, settings
from vagus.store.leases import Lease
from vagus.store.postgresql import postgresql_store
from vagus.store.tables import settings as settings_table

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
    monkeypatch.setattr(postgresql, "SILENCE_S", 3.0 * LEISURE)
    store = postgresql_store(postgres.url(await postgres.new_database()))
    await store.start()
    try:
        with pytest.raises(StoreError, match="does not answer"):
            async with store.begin() as transaction:
                postgres.pause()
                await settings.put(transaction, "k", b"1", by="test", now=0.0)
        with monkeypatch.context() as hurried:
            hurried.setattr(postgresql, "CONNECT_S", 0.5 * LEISURE)
            hurried.setattr(postgresql, "TRIAL_S", 0.5 * LEISURE)
            for _ in range(2):
                with pytest.raises(StoreError, match="does not answer") as caught:
                    await put(store, b"1")
                assert caught.value.retryable
    finally:
        postgres.resume()
    await put(store, b"2")
    assert await value(store) == b"2"
    await store.close()


async def test_connections_that_were_cut_off_in_silence_are_not_waited_for(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "TRIAL_S", 0.3 * LEISURE)
    proxy = Proxy(random.Random(1), ("127.0.0.1", postgres.port))
    await proxy.start()
    url = postgres.url(await postgres.new_database())
    store = postgresql_store(url.replace(f":{postgres.port}/", f":{proxy.port}/"))
    await store.start()
    for _ in range(2):
        await asyncio.gather(*(value(store) for _ in range(5)))  # several connections
        proxy.strand()
        await put(store, b"1")
    await asyncio.gather(*(value(store) for _ in range(5)))
    proxy.strand()
    await store.close()
    await proxy.close()


async def test_a_lease_is_not_waited_for_longer_than_it_would_be_good(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = Lease(store, "pulse", "a", lambda: 0.0)
    assert await lease.hold()
    async with store.begin() as transaction:
        await transaction.execute(select(settings_table).with_for_update())
        with monkeypatch.context() as hurried:
            hurried.setattr(leases, "_ANSWER_S", 0.3 * LEISURE)
            with pytest.raises(StoreError, match="does not answer"):
                await lease.hold()
            with pytest.raises(StoreError, match="does not answer"):
                await lease.give_back()
    assert await lease.hold()


async def test_a_statement_has_a_time_limit(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(postgresql._HURRIED, "statement_timeout", f"{200 * LEISURE}ms")
    store = postgresql_store(postgres.url(await postgres.new_database()))
    await store.open()
    with pytest.raises(StoreError, match="57014"):
        async with store.reading() as transaction:
            await transaction.execute(text("SELECT pg_sleep(60)"))
    assert (await store.schema()).is_due
    await store.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("keeper:pass", "keeper:fail"), "password of store.url is refused"),
        (("/postgres?", "/absent?"), "no database of that name"),
        (("?application_name=x", "?sslmode=wrong"), "cannot be understood"),
        (("?application_name=x", "?sslmode=verify-full"), "so sslrootcert is needed too"),
        (("127.0.0.1:", "127.0.0.1:9"), "cannot be understood"),  # six digits
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


async def test_what_is_wrong_with_its_certificate_is_said(postgres: Postgres, tmp_path: Path) -> None:
    right, wrong = Certificates(tmp_path / "right"), Certificates(tmp_path / "wrong")
    await postgres.speak_tls(right.server, right.server_key)
    try:
        for authority, said in ((wrong.authority, "its certificate is not believed"), ("absent", "the files")):
            store = postgresql_store(postgres.url(sslmode="verify-full", sslrootcert=authority))
            with pytest.raises(StoreError, match=said):
                await store.start()
        store = postgresql_store(postgres.url(sslmode="verify-full", sslrootcert=right.authority))
        await store.open()
        await store.schema()
        await store.close()
    finally:
        await postgres.reset()
    store = postgresql_store(postgres.url(sslmode="require"))
    with pytest.raises(StoreError, match="does it speak TLS"):
        await store.start()


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
        await postgres.reset()
