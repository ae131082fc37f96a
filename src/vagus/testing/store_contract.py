"""What every store must do, as tests: one suite for all databases.

::

    class TestMyStore(StoreContract):
        async def new_store(self) -> Store:
            return MyStore(...)

The methods are coroutines that a test runner for asyncio collects (pytest with pytest-asyncio in auto mode, for
instance) and that assert plainly; ``pytest.register_assert_rewrite("vagus.testing.store_contract")`` before the import
makes their failures speak. The contract in words is in ``vagus.store``.

``new_store`` gives a store that was not started, in an empty database; ``another`` one more in the same database, as
another node has it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from vagus.kernel.errors import ConflictError, StoreError
from vagus.store import Store, keys, settings
from vagus.store.leases import TERM_S, Lease
from vagus.store.schema import HEAD, VERSION_TABLE
from vagus.store.tables import METADATA

PATIENCE_S: Final = 15.0
NOW: Final = 1_700_000_000.125
SCOPES: Final = frozenset({"publish", "presence"})


class StoreContract:
    """Inherit, and say how a store is made."""

    async def new_store(self) -> Store:
        raise NotImplementedError

    async def another(self, store: Store) -> Store:
        raise NotImplementedError

    @asynccontextmanager
    async def started(self) -> AsyncIterator[Store]:
        store = await self.new_store()
        await store.start()
        try:
            yield store
        finally:
            await store.close()

    @asynccontextmanager
    async def two(self) -> AsyncIterator[tuple[Store, Store]]:
        async with self.started() as one:
            other = await self.another(one)
            await other.start()
            try:
                yield one, other
            finally:
                await other.close()

    async def value(self, store: Store, key: str = "k") -> bytes | None:
        async with store.reading() as transaction:
            found = await settings.get(transaction, key)
        return None if found is None else found.value

    async def set(self, store: Store, value: bytes, key: str = "k") -> None:
        async with store.begin() as transaction:
            await settings.put(transaction, key, value, by="test", now=NOW)

    # --- Schema ---

    async def test_a_new_database_gets_the_whole_schema(self) -> None:
        async with self.started() as store:
            schema = await store.schema()
            assert (schema.present, schema.is_due) == (HEAD, False)
            assert await store.migrate() == ()

    async def test_an_open_store_is_migrated_when_it_is_told_to(self) -> None:
        store = await self.new_store()
        await store.open()
        try:
            assert (await store.schema()).is_due
            steps = await store.migrate()
            assert [step.revision for step in steps][-1] == HEAD
            assert all(step.text for step in steps)
            assert not (await store.schema()).is_due
        finally:
            await store.close()

    async def test_what_migrations_make_is_what_the_tables_say(self) -> None:
        from alembic.autogenerate import compare_metadata
        from alembic.runtime.migration import MigrationContext

        def differences(connection: Any) -> list[Any]:
            ours = {"include_name": lambda name, kind, _: kind != "table" or name in METADATA.tables}
            return list(compare_metadata(MigrationContext.configure(connection, opts=ours), METADATA))

        async with self.started() as store, store.begin() as transaction:
            assert await transaction.run_sync(differences) == []

    async def test_of_many_that_start_together_one_migrates(self) -> None:
        first = await self.new_store()
        stores = [first, *[await self.another(first) for _ in range(3)]]
        try:
            await asyncio.gather(*(store.start() for store in stores))
            for store in stores:
                assert not (await store.schema()).is_due
            await self.set(first, b"1")
            assert await self.value(stores[-1]) == b"1"
        finally:
            for store in stores:
                await store.close()

    async def test_a_newer_database_is_refused(self) -> None:
        async with self.started() as store:
            async with store.begin() as transaction:
                await transaction.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
            other = await self.another(store)
            try:
                await other.start()
            except StoreError as error:
                assert "9999" in str(error)
                assert not error.retryable
            else:
                raise AssertionError("it was taken")

    async def test_starting_again_finds_what_was_there(self) -> None:
        store = await self.new_store()
        for value in (b"1", b"2"):
            await store.start()
            await self.set(store, value)
            await store.close()
        await store.start()
        assert await self.value(store) == b"2"
        await store.close()

    # --- Transactions ---

    async def test_what_was_written_is_seen_by_others(self) -> None:
        async with self.two() as (one, other):
            await self.set(one, b'{"a": 1}')
            assert await self.value(other) == b'{"a": 1}'

    async def test_a_transaction_that_raises_leaves_nothing(self) -> None:
        async with self.started() as store:
            try:
                async with store.begin() as transaction:
                    await settings.put(transaction, "k", b"1", by="test", now=NOW)
                    raise ValueError("mine")
            except ValueError as error:
                assert str(error) == "mine"
            assert await self.value(store) is None
            await self.set(store, b"2")

    async def test_a_transaction_that_is_cancelled_leaves_nothing(self) -> None:
        wrote = asyncio.Event()

        async def write() -> None:
            async with store.begin() as transaction:
                await settings.put(transaction, "k", b"1", by="test", now=NOW)
                wrote.set()
                await asyncio.Event().wait()

        async with self.started() as store:
            task = asyncio.create_task(write())
            await asyncio.wait_for(wrote.wait(), PATIENCE_S)
            task.cancel()
            await asyncio.wait({task})
            assert await self.value(store) is None
            await self.set(store, b"2")
            assert await self.value(store) == b"2"

    async def test_cancelling_at_any_moment_harms_no_later_transaction(self) -> None:
        async with self.started() as store:
            for moment in range(120):
                task = asyncio.create_task(self.set(store, b"1", f"k{moment}"))
                for _ in range(moment % 40):
                    await asyncio.sleep(0.0001 if moment % 3 else 0)
                task.cancel()
                await asyncio.wait({task})
                await self.set(store, b"2")
            assert await self.value(store) == b"2"

    async def test_a_reader_sees_one_state_and_delays_no_writer(self) -> None:
        async with self.two() as (one, other):
            await self.set(one, b"1")
            async with other.reading() as reading:
                before = await settings.get(reading, "k")
                async with asyncio.timeout(PATIENCE_S):
                    await self.set(one, b"2")
                assert await settings.get(reading, "k") == before
            assert await self.value(other) == b"2"

    async def test_a_reader_cannot_write(self) -> None:
        async with self.started() as store:
            try:
                async with store.reading() as transaction:
                    await settings.put(transaction, "k", b"1", by="test", now=NOW)
            except StoreError:
                pass
            else:
                raise AssertionError("it wrote")
            assert await self.value(store) is None

    async def test_many_writers_lose_nothing(self) -> None:
        async def count(store: Store) -> None:
            for _ in range(10):
                await self.set(store, b"1")

        async with self.two() as (one, other):
            await asyncio.gather(*(count(store) for store in (one, other) for _ in range(4)))
            async with one.reading() as transaction:
                found = await settings.get(transaction, "k")
            assert found is not None
            assert found.version == 80

    async def test_transactions_with_one_name_take_turns(self) -> None:
        inside: set[object] = set()

        async def alone(store: Store) -> None:
            for _ in range(5):
                async with store.begin(alone="chain") as transaction:
                    assert not inside
                    inside.add(transaction)
                    await settings.every(transaction)
                    inside.clear()

        async with self.two() as (one, other):
            await asyncio.gather(*(alone(store) for store in (one, other) for _ in range(3)))

    # --- Errors ---

    async def test_a_conflict_says_nothing_of_the_values(self) -> None:
        async with self.started() as store:
            row = {"key": "k", "value": "secret", "version": 1, "changed_at": 1.0, "changed_by": "me"}
            insert = text("INSERT INTO vagus_settings VALUES (:key, :value, :version, :changed_at, :changed_by)")
            async with store.begin() as transaction:
                await transaction.execute(insert, row)
            try:
                async with store.begin() as transaction:
                    await transaction.execute(insert, row)
            except ConflictError as error:
                assert "secret" not in str(error)
                assert "INSERT" not in str(error)
            else:
                raise AssertionError("it was taken")

    async def test_a_wrong_statement_is_an_error_that_time_does_not_mend(self) -> None:
        async with self.started() as store:
            try:
                async with store.begin() as transaction:
                    await transaction.execute(text("SELECT secret FROM nowhere"))
            except StoreError as error:
                assert not error.retryable
                assert "secret" not in str(error)
            else:
                raise AssertionError("it was taken")
            await self.set(store, b"1")

    async def test_a_statement_that_cannot_be_made_is_none_of_the_stores_errors(self) -> None:
        async with self.started() as store:
            try:
                async with store.begin() as transaction:
                    await transaction.execute(text("SELECT :missing"), {})
            except SQLAlchemyError:
                pass
            else:
                raise AssertionError("it was taken")
            await self.set(store, b"1")

    async def test_a_closed_store_says_so(self) -> None:
        store = await self.new_store()
        await store.start()
        await store.close()
        await store.close()
        try:
            await store.check()
        except StoreError as error:
            assert "closed" in str(error)
        else:
            raise AssertionError("it answered")

    async def test_a_store_that_is_well_says_so(self) -> None:
        async with self.started() as store:
            await asyncio.gather(*(store.check() for _ in range(5)))

    # --- Settings ---

    async def test_a_setting_is_kept_byte_for_byte_with_who_changed_it(self) -> None:
        value = '{ "b":1.10, "a":"\\u0000 ä \U0001f600"}'.encode()
        async with self.started() as store:
            async with store.begin() as transaction:
                kept = await settings.put(transaction, "pace", value, by="user:ada", now=NOW)
            async with store.reading() as transaction:
                found = await settings.get(transaction, "pace")
            assert found == kept == settings.Setting("pace", value, 1, NOW, "user:ada")

    async def test_a_setting_counts_its_changes(self) -> None:
        async with self.started() as store, store.begin() as transaction:
            for version in (0, 1, 2):
                kept = await settings.put(transaction, "k", b"1", by="me", now=NOW, version=version)
                assert kept.version == version + 1

    async def test_a_setting_that_changed_meanwhile_is_a_conflict(self) -> None:
        async with self.started() as store:
            await self.set(store, b"1")
            for version in (0, 2, 7):
                try:
                    async with store.begin() as transaction:
                        await settings.put(transaction, "k", b"2", by="me", now=NOW, version=version)
                except ConflictError:
                    continue
                raise AssertionError(f"version {version} was taken")
            assert await self.value(store) == b"1"

    async def test_a_setting_that_never_was_has_no_later_version(self) -> None:
        async with self.started() as store:
            try:
                async with store.begin() as transaction:
                    await settings.put(transaction, "k", b"2", by="me", now=NOW, version=3)
            except ConflictError:
                pass
            assert await self.value(store) is None

    async def test_settings_are_listed_by_prefix(self) -> None:
        async with self.started() as store:
            for key in ("a_b", "a_c", "axb", "b"):
                await self.set(store, b"1", key)
            async with store.reading() as transaction:
                assert [row.key for row in await settings.every(transaction, "a_")] == ["a_b", "a_c"]
                assert len(await settings.every(transaction)) == 4

    # --- Keys ---

    async def add(self, store: Store, name: str, digit: str, expires_at: float | None = None) -> keys.StoredKey:
        async with store.begin() as transaction:
            return await keys.add(
                transaction, name=name, hash=digit * 64, scopes=SCOPES, now=NOW, expires_at=expires_at
            )

    async def test_a_key_is_kept_as_it_was_made(self) -> None:
        async with self.started() as store:
            made = [await self.add(store, "billing", "a"), await self.add(store, "ähm", "b", NOW + 60)]
            async with store.reading() as transaction:
                found = await keys.every(transaction)
            assert sorted(found, key=lambda key: key.hash) == made
            assert [key.is_valid(NOW + 60) for key in made] == [True, False]

    async def test_a_revoked_key_stays_known_and_its_name_is_free(self) -> None:
        async with self.started() as store:
            key = await self.add(store, "billing", "a")
            async with store.begin() as transaction:
                revoked = await keys.revoke(transaction, key.id, now=NOW + 1)
                assert revoked is not None
                assert revoked.revoked_at == NOW + 1
                assert await keys.revoke(transaction, key.id, now=NOW + 2) is None
            again = await self.add(store, "billing", "b")
            async with store.reading() as transaction:
                assert [row.id for row in await keys.every(transaction)] == [again.id]
                assert {row.id for row in await keys.every(transaction, revoked=True)} == {key.id, again.id}

    async def test_a_key_is_revoked_by_its_name_too(self) -> None:
        async with self.started() as store:
            key = await self.add(store, "billing", "a")
            async with store.begin() as transaction:
                assert await keys.revoke(transaction, "nobody", now=NOW) is None
                revoked = await keys.revoke(transaction, "billing", now=NOW)
            assert revoked is not None
            assert revoked.id == key.id

    async def test_the_last_use_of_a_key_is_kept_whoever_notes_it_and_changes_nothing_else(self) -> None:
        async def used() -> list[float | None]:
            async with one.reading() as transaction:
                return [key.used_at for key in sorted(await keys.every(transaction), key=lambda key: key.hash)]

        async with self.two() as (one, other):
            for digit in "abc":
                await self.add(one, digit, digit)
            assert await used() == [None, None, None]
            async with one.reading() as transaction:
                before = await keys.change(transaction)
            for store, times in ((one, {"a": NOW + 9, "b": NOW + 1}), (other, {"b": NOW + 2, "a": NOW}), (one, {})):
                async with store.begin() as transaction:
                    await keys.note_use(transaction, {digit * 64: at for digit, at in times.items()})
            assert await used() == [NOW + 9, NOW + 2, None]
            async with one.reading() as transaction:
                assert await keys.change(transaction) == before

    async def test_nodes_that_note_the_use_of_many_keys_at_once_lose_none(self) -> None:
        async def note(store: Store, digits: str) -> None:
            for turn in range(5):
                async with store.begin() as transaction:
                    await keys.note_use(transaction, {digit * 64: NOW + turn for digit in digits})

        async with self.two() as (one, other):
            for digit in "0123456789abcdef":
                await self.add(one, digit, digit)
            await asyncio.gather(note(one, "0123456789abcdef"), note(other, "fedcba9876543210"))
            async with one.reading() as transaction:
                assert {key.used_at for key in await keys.every(transaction)} == {NOW + 4}

    async def test_every_change_of_the_keys_is_seen(self) -> None:
        async with self.two() as (one, other):
            seen = []
            for name in ("a", "b"):
                await self.add(one, name, name)
                async with other.reading() as transaction:
                    seen.append(await keys.change(transaction))
            async with one.begin() as transaction:
                await keys.revoke(transaction, "a", now=NOW)
            async with other.reading() as transaction:
                seen.append(await keys.change(transaction))
            assert len(set(seen)) == 3

    async def test_names_and_keys_are_taken_once(self) -> None:
        async with self.started() as store:
            await self.add(store, "billing", "a")
            for name, digit in (("billing", "b"), ("other", "a")):
                try:
                    await self.add(store, name, digit)
                except ConflictError:
                    continue
                raise AssertionError(f"{name} was taken")

    # --- Leases ---

    async def test_of_many_that_want_a_lease_one_has_it(self) -> None:
        async with self.two() as (one, other):
            leases = [Lease(store, "pulse", str(n), lambda: 0.0) for n, store in enumerate([one, other] * 3)]
            held = await asyncio.gather(*(lease.hold() for lease in leases))
            assert sum(held) == sum(lease.is_held for lease in leases) == 1

    async def test_a_lease_that_is_renewed_stays_where_it_is(self) -> None:
        async with self.started() as store:
            now = 0.0
            one, other = (Lease(store, "pulse", name, lambda: now) for name in "ab")
            for _ in range(5):
                assert (await one.hold(), await other.hold()) == (True, False)
                now += TERM_S / 2

    async def test_a_lease_that_is_not_renewed_passes_on_after_its_holder_gave_up(self) -> None:
        async with self.started() as store:
            now = 0.0
            one, other = (Lease(store, "pulse", name, lambda: now) for name in "ab")
            assert (await one.hold(), await other.hold()) == (True, False)
            now += TERM_S - 0.5
            assert (one.is_held, await other.hold()) == (False, False)
            now += 1.0
            assert (await other.hold(), await one.hold(), one.is_held) == (True, False, False)

    async def test_a_lease_that_is_given_back_is_free_at_once(self) -> None:
        async with self.started() as store:
            one, other = (Lease(store, "pulse", name, lambda: 0.0) for name in "ab")
            await one.hold()
            await one.give_back()
            assert (one.is_held, await other.hold()) == (False, True)
