"""The book of sources: what is added is kept, seen by every node, and never told in secret."""

from collections.abc import AsyncIterator, MutableMapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from vagus.apps.fusion.book import PREFIX, Book, ChangedSourceError, Entry, FixedSourceError, Trial, UnknownSourceError
from vagus.apps.fusion.collector import Collector
from vagus.apps.fusion.sources import SourceError
from vagus.apps.fusion.sources.making import READY, Surroundings, source_of
from vagus.kernel.errors import ConflictError, StoreError
from vagus.settings.fusion import JsonFileSource
from vagus.store import Store, settings

ORDERS = {"kind": "json_file", "name": "orders", "path": "orders.json"}
SECRET = {"kind": "http_json", "name": "queue", "url": "http://127.0.0.1:9/?key=sesame", "headers": {"X-Key": "open"}}


@pytest.fixture
async def around(tmp_path: Path) -> AsyncIterator[Surroundings]:
    around = Surroundings(tmp_path)
    yield around
    await around.close()


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.fixture
def book(collector: Collector, around: Surroundings, store: Store) -> Book:
    parts = JsonFileSource(name="parts", path="parts.json")
    return Book(collector, around, store, ready=READY, configured=[parts])


def names(collector: Collector) -> list[str]:
    return [state.name for state in collector.states()]


async def test_sources_come_in_the_order_ready_configured_added(book: Book, collector: Collector) -> None:
    await book.add(ORDERS, by="user:ada")
    entries = await book.entries()
    assert [entry.origin for entry in entries] == [*["ready"] * 4, "configuration", "added"]
    assert [entry.name for entry in entries] == names(collector)


async def test_what_comes_ready_says_what_it_reads_and_its_copy_reads_the_same(
    book: Book, around: Surroundings
) -> None:
    (around.folder / "memo_index.json").write_text('{"memos": [1, 2, 3]}')
    (around.folder / "revenue_snapshot.json").write_text('{"summary": {"mrr": "48,200.50 EUR"}}')
    (around.folder / "drive_sync.log").write_text("2026-11-21T18:00:00Z sync completed\n")
    (around.folder / "ERIC_recommendations.json").write_text('{"recommendations": ["call back"]}')
    ready = [entry for entry in await book.entries() if entry.origin == "ready"]
    found = [(await book.test({**(entry.settings or {}), "kind": entry.kind})).values for entry in ready]
    assert found == [
        {"memos": 3},
        {"revenue": 48200.5},
        {"driveSync": "OK", "driveSyncLastSync": 1_795_284_000_000},
        {"recommendations": ["call back"]},
    ]


async def test_a_source_of_the_application_has_no_settings(around: Surroundings, store: Store) -> None:
    of_application = source_of(JsonFileSource(name="parts", path="parts.json"), around)
    book = Book(Collector(), around, store, given=[of_application])
    assert await book.entries() == [Entry("parts", "application")]
    with pytest.raises(FixedSourceError):
        await book.remove("parts", by="user:ada")


async def test_what_one_node_adds_changes_and_removes_another_takes_over(
    book: Book, around: Surroundings, store: Store
) -> None:
    elsewhere = Collector()
    other = Book(elsewhere, around, store)
    await book.add(ORDERS, by="user:ada")
    (there,) = await other.entries()
    assert (there.name, there.settings and there.settings["path"]) == ("orders", "orders.json")
    await other.change("orders", {**ORDERS, "path": "later.json"}, by="user:bob")
    assert ((await book.entries())[-1].settings or {})["path"] == "later.json"
    await book.remove("orders", by="user:ada")
    assert await other.entries() == []
    assert names(elsewhere) == []


async def test_what_another_node_has_removed_is_unknown(book: Book, around: Surroundings, store: Store) -> None:
    other = Book(Collector(), around, store)
    await book.add(ORDERS, by="user:ada")
    await other.remove("orders", by="user:bob")
    with pytest.raises(UnknownSourceError):
        await book.change("orders", ORDERS, by="user:ada")


async def test_a_source_that_was_removed_and_added_again_is_another_one(book: Book) -> None:
    seen = (await book.add(ORDERS, by="user:ada")).version
    await book.remove("orders", by="user:bob", seen=seen)
    await book.add({**ORDERS, "path": "later.json"}, by="user:bob")
    with pytest.raises(ChangedSourceError, match="by user:bob"):
        await book.change("orders", ORDERS, by="user:ada", seen=seen)


async def test_a_change_is_told_where_it_is_taken_over_and_nothing_else_is(
    around: Surroundings, store: Store, book: Book
) -> None:
    told: list[str] = []
    other = Book(Collector(), around, store, on_change=lambda: told.append("changed"))
    await other.load()
    await book.add(ORDERS, by="user:ada")
    assert told == []
    await other.load()
    await other.load()
    assert told == ["changed"]


@pytest.mark.parametrize("name", ["memoIndex", "parts"])
async def test_sources_that_were_not_added_are_changed_elsewhere(book: Book, name: str) -> None:
    with pytest.raises(FixedSourceError):
        await book.remove(name, by="user:ada")
    with pytest.raises(FixedSourceError):
        await book.change(name, ORDERS, by="user:ada")


@pytest.mark.parametrize("name", ["memoIndex", "memos", "parts", "orders"])
async def test_a_name_or_a_value_is_there_once(book: Book, name: str) -> None:
    await book.add(ORDERS, by="user:ada")
    with pytest.raises(ConflictError, match=name):
        await book.add({**ORDERS, "name": name}, by="user:ada")


async def test_a_change_that_takes_anothers_value_changes_nothing(book: Book, collector: Collector) -> None:
    await book.add(ORDERS, by="user:ada")
    with pytest.raises(ConflictError, match="memos is a value of the source memoIndex"):
        await book.change("orders", {**ORDERS, "fields": [{"name": "memos"}]}, by="user:ada")
    assert [field.name for field in collector.states()[-1].terms.fields] == ["orders"]


async def test_what_is_added_stands_in_the_same_order_after_a_restart(
    book: Book, collector: Collector, around: Surroundings, store: Store
) -> None:
    for name in ("zebra", "apple"):
        await book.add({**ORDERS, "name": name}, by="user:ada")
    again = Collector()
    await Book(again, around, store).load()
    assert names(collector)[-2:] == names(again) == ["apple", "zebra"]
    assert [entry.name for entry in await book.entries()][-2:] == names(again)


async def test_what_is_secret_is_hidden_and_kept_by_who_leaves_it_out(book: Book, store: Store) -> None:
    added = await book.add(SECRET, by="user:ada")
    assert added.hidden == ("headers", "url")
    changed = await book.change("queue", {"kind": "http_json", "timeout_s": 1}, by="user:ada")
    assert changed.hidden == added.hidden
    assert "sesame" not in str(await book.entries())
    async with store.reading() as transaction:
        kept = await settings.get(transaction, f"{PREFIX}queue")
    assert kept is not None and b"sesame" in kept.value and b"open" in kept.value


async def test_an_address_that_tells_nothing_in_secret_is_shown(book: Book) -> None:
    bare = {**SECRET, "url": "http://127.0.0.1:1/queue"}
    entry = await book.add(bare, by="user:ada")
    assert (entry.hidden, (entry.settings or {})["url"]) == (("headers",), bare["url"])


async def test_kept_headers_go_to_their_own_host_alone(book: Book) -> None:
    await book.add(SECRET, by="user:ada")
    elsewhere = {"kind": "http_json", "name": "queue", "url": "http://elsewhere.example:1/"}
    for asked in (book.test(elsewhere), book.change("queue", elsewhere, by="user:eve")):
        with pytest.raises(ValueError, match="headers: were given for another host"):
            await asked
    assert (await book.change("queue", {**elsewhere, "headers": {}}, by="user:ada")).hidden == ()


async def test_a_source_of_another_kind_does_not_inherit_secrets(book: Book) -> None:
    await book.add(SECRET, by="user:ada")
    with pytest.raises(ValueError, match="url"):
        await book.change("queue", {"kind": "prometheus", "fields": [{"name": "x", "metric": "x"}]}, by="user:ada")


async def test_a_source_that_the_store_holds_and_nobody_understands_is_left_out(
    book: Book, collector: Collector, store: Store, logs: list[MutableMapping[str, Any]]
) -> None:
    async with store.begin() as transaction:
        for name, value in (
            ("a", b'{"kind": "telepathy"}'),
            ("b", b'{"kind": "json_file", "name": "memos", "path": "x"}'),
        ):
            await settings.put(transaction, f"{PREFIX}{name}", value, by="user:ada", now=0)
    await book.load()
    assert names(collector)[-1] == "parts"
    assert [line["source"] for line in logs if line["event"] == "fusion_source_left_out"] == ["a", "memos"]


async def kept_before(store: Store, **table: object) -> None:
    """Keep a source as an earlier version might have, which refused less."""
    async with store.begin() as transaction:
        value = msgspec.json.encode(table)
        await settings.put(transaction, f"{PREFIX}{table['name']}", value, by="user:ada", now=0)


@pytest.mark.parametrize(
    ("table", "fields", "reason"),
    [
        ({"kind": "log_file", "path": "token_secret", "pattern": "(?P<all>.+)"}, ["all"], "the server's own"),
        ({"kind": "json_file", "path": "/etc/hosts", "fields": [{"name": "hosts"}]}, ["hosts"], "must be in"),
        ({"kind": "log_file", "path": "a.log", "pattern": "("}, ["peek"], "is not a regular expression"),
    ],
)
async def test_a_kept_source_that_is_refused_by_now_says_so_and_can_be_removed(
    collector: Collector, store: Store, tmp_path: Path, table: dict[str, object], fields: list[str], reason: str
) -> None:
    (tmp_path / "token_secret").write_text("sesame\n")
    await kept_before(store, name="peek", **table)
    around = Surroundings(tmp_path, [tmp_path / "token_secret"])
    book = Book(collector, around, store)
    assert [entry.name for entry in await book.entries()] == ["peek"]
    (state,) = await collector.collect()
    assert ([field.name for field in state.terms.fields], state.values) == (fields, {})
    assert reason in state.error and state.error.endswith("change it or remove it")
    assert not state.is_available
    await book.remove("peek", by="user:ada")
    assert (names(collector), await book.entries()) == ([], [])
    await around.close()


async def test_a_kept_source_that_is_refused_by_now_is_collected_once_it_is_changed(
    book: Book, collector: Collector, store: Store, around: Surroundings
) -> None:
    (around.folder / "orders.json").write_text("[1, 2]")
    await kept_before(store, kind="json_file", name="peek", path="../orders.json")
    await book.change("peek", {"kind": "json_file", "path": "orders.json"}, by="user:ada")
    assert (await collector.collect())[-1].values == {"peek": 2}


async def test_what_is_left_out_is_listed_and_collected_once_its_value_is_free(
    book: Book, collector: Collector, store: Store, logs: list[MutableMapping[str, Any]]
) -> None:
    await book.add({**ORDERS, "fields": [{"name": "open"}]}, by="user:ada")
    await kept_before(store, kind="json_file", name="peek", path="a.json", fields=[{"name": "open"}])
    for _ in range(2):
        assert [entry.name for entry in await book.entries()][-2:] == ["orders", "peek"]
    assert names(collector)[-1] == "orders"
    assert [line["source"] for line in logs if line["event"] == "fusion_source_left_out"] == ["peek"]
    await book.remove("orders", by="user:ada")
    assert names(collector)[-1] == "peek"
    await book.remove("peek", by="user:ada")
    assert names(collector)[-1] == "parts"


async def test_a_kept_source_whose_name_is_another_ones_by_now_leaves_that_alone(
    book: Book, collector: Collector, store: Store
) -> None:
    await kept_before(store, kind="json_file", name="parts", path="other.json")
    entries = await book.entries()
    assert [(entry.name, entry.origin) for entry in entries][-1] == ("parts", "configuration")
    assert names(collector) == [entry.name for entry in entries]


async def test_a_test_keeps_nothing(book: Book, around: Surroundings) -> None:
    (around.folder / "orders.json").write_text("[1, 2]")
    assert await book.test(ORDERS) == Trial({"orders": 2}, [])
    with pytest.raises(SourceError, match="is not there"):
        await book.test({**ORDERS, "path": "nothing.json"})
    with pytest.raises(ConflictError, match="memos is a value of the source memoIndex"):
        await book.test({**ORDERS, "fields": [{"name": "memos"}]})
    assert "orders" not in [entry.name for entry in await book.entries()]


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        ({"select": "$.a[*].b"}, 2, "x: 2 values matched $.a[*].b; without combine they are counted"),
        ({"select": "$.a[?@.b > 2]"}, 1, "x: 1 value matched $.a[?@.b > 2]; "),
        ({"select": "$.a[*].b", "combine": "sum"}, 5, ""),
        ({"select": "$.a[*].b", "combine": "count"}, 2, ""),
        ({"select": "$.a[0].b"}, 2, ""),
        ({"select": "$.a[*].b", "kind": "list"}, [2, 3], ""),
        ({}, 2, ""),
    ],
    ids=str,
)
async def test_a_test_says_where_values_were_counted_unasked(
    book: Book, around: Surroundings, field: dict[str, str], value: object, hint: str
) -> None:
    (around.folder / "orders.json").write_text('{"a": [{"b": 2}, {"b": 3}]}')
    values, hints = await book.test({**ORDERS, "fields": [{"name": "x", **field}]})
    assert values == {"x": value}
    assert [each[: len(hint)] for each in hints] == ([hint] if hint else [])


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.json", "a/../../x.json", "x\0.json"])
async def test_files_outside_the_folder_are_for_the_configuration(book: Book, path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        await book.add({**ORDERS, "path": path}, by="user:ada")


async def test_while_the_store_is_away_who_looks_is_shown_what_was_so_last(
    book: Book, around: Surroundings, store: Store
) -> None:
    await book.add(ORDERS, by="user:ada")
    assert (await book.shown())[1] is True
    other = Book(Collector(), around, store)
    await store.close()
    entries, is_current = await book.shown()
    assert (entries[-1].name, is_current) == ("orders", False)
    with pytest.raises(StoreError):
        await book.entries()
    with pytest.raises(StoreError):
        await other.shown()


async def test_without_a_store_there_are_the_others(around: Surroundings) -> None:
    book = Book(Collector(), around, None, ready=READY)
    assert len(await book.entries()) == 4
    assert (await book.shown())[1] is True


def test_a_source_of_the_configuration_that_is_wrong_is_named_by_its_place(around: Surroundings, store: Store) -> None:
    fine, wrong = JsonFileSource(name="a", path="a.json"), JsonFileSource(name="timestamp", path="b.json")
    with pytest.raises(ValueError, match=r"^sources\[1\]\."):
        Book(Collector(), around, store, configured=[fine, wrong])
