"""Sources from settings, and the four that come ready with the shape that a snapshot of them has."""

from typing import Any

import msgspec
import pytest

from tests.unit.apps.fusion.sources.folders import Folder
from vagus.apps.fusion.collector import Collector
from vagus.apps.fusion.sources.making import READY, source_of
from vagus.apps.fusion.values import snapshot
from vagus.settings.fusion import SourceSettings

NOON = 1_795_262_400_000


async def default_snapshot(folder: Folder) -> Any:
    collector = Collector(source_of(one, folder.around) for one in READY)
    states = await collector.collect()
    await collector.close()
    return snapshot(states, NOON)


async def test_the_default_files_give_the_default_snapshot(folder: Folder) -> None:
    folder.write("memo_index.json", '{"memos": [{"id": 1}, {"id": 2}]}')
    folder.write("revenue_snapshot.json", '{"mrr": 12500.5, "currency": "EUR"}')
    folder.write("drive_sync.log", "2026-11-21 11:00:00 ERROR sync failed\n2026-11-21 12:00:00 INFO sync OK\nbye\n")
    folder.write("ERIC_recommendations.json", '[{"title": "Call back"}]')
    assert await default_snapshot(folder) == {
        "ok": True,
        "data": {
            "timestamp": "2026-11-21T12:00:00.000Z",
            "memos": 2,
            "revenue": 12500.5,
            "driveSync": "OK",
            "driveSyncLastSync": "2026-11-21T12:00:00.000Z",
            "recommendations": [{"title": "Call back"}],
            "health": {
                "memoIndexAvailable": True,
                "revenueAvailable": True,
                "recommendationsAvailable": True,
                "driveSyncLogAvailable": True,
            },
        },
    }


async def test_without_any_file_the_snapshot_has_the_same_shape(folder: Folder) -> None:
    found = await default_snapshot(folder)
    assert [name for name, value in found["data"].items() if value is None] == [
        "memos", "revenue", "driveSync", "driveSyncLastSync", "recommendations"
    ]  # fmt: skip
    assert not any(found["data"]["health"].values())


async def test_one_broken_file_harms_no_other(folder: Folder) -> None:
    folder.write("memo_index.json", "[1, 2")
    folder.write("revenue_snapshot.json", '{"mrr": 5}')
    found = await default_snapshot(folder)
    assert (found["data"]["memos"], found["data"]["revenue"]) == (None, 5)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"kind": "json_file", "path": "a\0b"}, "path: has a character"),
        (
            {"kind": "json_file", "path": "a", "fields": [{"name": "b", "select": "b"}]},
            r"^fields\[0\]\.select: a path begins with \$",
        ),
        (
            {"kind": "json_file", "path": "a", "fields": [{"name": "b"}, {"name": "b"}]},
            "fields: two have the same name",
        ),
        (
            {"kind": "json_file", "path": "a", "fields": [{"name": "b", "select": "$.b", "look_for": "amount"}]},
            "look_for: is for a number without select",
        ),
        (
            {"kind": "json_file", "path": "a", "fields": [{"name": "b", "kind": "text", "look_for": "amount"}]},
            "look_for: is for a number without select",
        ),
        (
            {"kind": "log_file", "path": "a", "fields": [{"name": "b"}]},
            "fields: without a pattern a field is a text, the status, or a moment",
        ),
        ({"kind": "json_list", "path": "a", "select": "$..b"}, "select: cannot be understood from character 2"),
        ({"kind": "log_file", "path": "a", "pattern": "x"}, "pattern: needs a named group"),
        ({"kind": "log_file", "path": "a", "pattern": "(?P<a_b>x)"}, "pattern: of a group, name: must be letters"),
        (
            {"kind": "http_json", "url": "https://user:secret@host/"},
            "url: a user and a password belong into the header",
        ),
        ({"kind": "http_json", "url": "http:///path"}, "url: must be like"),
        ({"kind": "http_json", "url": "http://host:99999/"}, "url: must be like"),
        ({"kind": "http_json", "url": "http://host/a b"}, "url: has characters"),
        ({"kind": "http_json", "url": "http://host/\r\nX: y"}, "url: "),
        ({"kind": "http_json", "url": "http://host/", "headers": {"A": "b\r\nC: d"}}, "headers: A is no header"),
        ({"kind": "http_json", "url": "http://host/", "headers": {"A b": "c"}}, "headers: A b is no header"),
        ({"kind": "sql", "url": "sqlite://orders.db", "query": "x"}, "url: must be like sqlite:///orders.db"),
        ({"kind": "sql", "url": "sqlite:///", "query": "x"}, "url: must be like sqlite:///orders.db"),
    ],
)
def test_settings_that_make_no_source_are_refused_with_the_option(
    folder: Folder, options: dict[str, object], reason: str
) -> None:
    with pytest.raises(ValueError, match=f"^.*{reason}"):
        folder.source(name="orders", **options)


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "json_file", "path": "/etc/passwd"},
        {"kind": "json_file", "path": "a/../../b"},
        {"kind": "log_file", "path": "../x.log", "pattern": "(?P<a>b)"},
        {"kind": "git_activity", "path": ".."},
        {"kind": "sql", "url": "sqlite:////var/lib/orders.db", "query": "SELECT 1"},
        {"kind": "http_json", "url": "https://host/", "ca_file": "/etc/ssl/key.pem"},
    ],
)
def test_sources_from_the_network_may_be_held_to_the_folder(folder: Folder, options: dict[str, object]) -> None:
    settings = msgspec.convert({"name": "orders", **options}, SourceSettings)
    with pytest.raises(ValueError, match=r"^(path|url|ca_file): must be in"):
        folder.around.fence.check(settings)


async def test_a_log_without_a_pattern_tells_a_status(folder: Folder) -> None:
    folder.write("a.log", "12:00 copied 7 files\n2026-11-21T12:00:00Z backup failed\nbye\n")
    source = folder.source(kind="log_file", name="backup", path="a.log")
    assert (await source.collect()).values == {"backup": "ERROR"}
    await source.close()


async def test_an_amount_is_looked_for_where_that_is_wanted(folder: Folder) -> None:
    folder.write("a.json", '{"orders": [1, 2], "total": "1,200.50 EUR"}')
    fields = [{"name": "turnover", "look_for": "amount"}, {"name": "orders", "look_for": "count"}]
    source = folder.source(kind="json_file", name="shop", path="a.json", fields=fields)
    assert (await source.collect()).values == {"turnover": 1200.5, "orders": 2}


@pytest.mark.parametrize("path", ["a.json", "deep/a.json", "deep/../a.json"])
def test_files_in_the_folder_are_free_to_be_named(folder: Folder, path: str) -> None:
    folder.around.fence.check(msgspec.convert({"kind": "json_file", "name": "a", "path": path}, SourceSettings))
    assert folder.around.path(path) == folder.path / path
