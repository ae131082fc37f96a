"""Values in JSON files: what is picked, what is refused, and when a file is read."""

import os

import msgspec
import pytest

from tests.unit.apps.fusion.sources.folders import Folder, is_recent
from vagus.apps.fusion.sources import SourceError

OPEN = {"name": "open", "select": "$.open"}


async def test_fields_are_picked_by_their_paths(folder: Folder) -> None:
    body = {"open": 5, "state": "ok", "rows": [{"eur": 2}, {"eur": 5}], "at": "2026-11-21T12:00:00Z"}
    folder.write("orders.json", msgspec.json.encode(body))
    source = folder.source(
        kind="json_file",
        name="orders",
        path="orders.json",
        fields=[
            OPEN,
            {"name": "state", "kind": "text", "select": "$.state"},
            {"name": "rows", "select": "$.rows"},
            {"name": "sum", "select": "$.rows[*].eur", "combine": "sum", "unit": "EUR"},
            {"name": "worst", "select": "$.rows[?@.eur > 1].eur", "combine": "max"},
            {"name": "all", "kind": "list", "select": "$.rows[*].eur"},
            {"name": "at", "kind": "moment", "select": "$.at"},
        ],
    )
    assert (await source.collect()).values == {
        "open": 5, "state": "ok", "rows": 2, "sum": 7, "worst": 5, "all": [2, 5], "at": 1_795_262_400_000
    }  # fmt: skip


async def test_without_fields_elements_are_counted_under_the_sources_name(folder: Folder) -> None:
    folder.write("orders.json", '{"items": [1, 2, 3]}')
    assert (await folder.source(kind="json_file", name="orders", path="orders.json").collect()).values == {"orders": 3}


async def test_a_list_is_given_as_it_is(folder: Folder) -> None:
    folder.write("advice.json", '{"x": {"advice": ["a", {"b": 1}]}}')
    source = folder.source(kind="json_list", name="advice", path="advice.json", select="$.x.advice[:1]")
    assert (await source.collect()).values == {"advice": ["a"]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty: is it being written"),
        (b"  \n", "is empty"),
        (b'{"open": 5', "is not JSON, or was cut in mid-write"),
        (b'{"open": 5}}', "is not JSON"),
        (b"\xff\xfe{\x00}", "is not JSON"),
        (b"\x00" * 10, "is not JSON"),
        (b'{"closed": 5}', r"open: there is nothing at \$.open"),
        (b'{"open": "many"}', "open: must be a number, and this text is none"),
        (b'{"open": {"a": 1}}', "open: must be a number, not an object"),
        (b'{"open": 1e999}', "is not JSON.*: Number out of range"),
        (b"[" * 100_000, "."),
        (b'{"open": ' + b"[" * 5000 + b"]" * 5000 + b"}", "."),
    ],
)
async def test_what_is_wrong_with_a_file_is_said_with_its_path(folder: Folder, content: bytes, reason: str) -> None:
    file = folder.write("orders.json", content)
    source = folder.source(kind="json_file", name="orders", path="orders.json", fields=[OPEN | {"combine": "max"}])
    with pytest.raises(SourceError, match=f"^{file}: .*{reason}"):
        await source.collect()


async def test_a_byte_order_mark_is_passed_over(folder: Folder) -> None:
    folder.write("orders.json", b'\xef\xbb\xbf{"open": 5}')
    source = folder.source(kind="json_file", name="orders", path="orders.json", fields=[OPEN])
    assert (await source.collect()).values == {"open": 5}


async def test_a_file_that_did_not_change_is_not_read_again(folder: Folder) -> None:
    file = folder.write("orders.json", '{"open": 5}')
    source = folder.source(kind="json_file", name="orders", path="orders.json", fields=[OPEN])
    first = await source.collect()
    before = file.stat()
    file.write_text('{"open": 6}')
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert await source.collect() is first
    folder.write("orders.json", '{"open": 7}')
    assert (await source.collect()).values == {"open": 7}


async def test_a_file_that_changed_just_now_is_read_again_since_its_time_may_be_too_coarse(folder: Folder) -> None:
    file = folder.write("orders.json", '{"open": 5}')
    source = folder.source(kind="json_file", name="orders", path="orders.json", fields=[OPEN])
    is_recent(file)
    before = file.stat()
    await source.collect()
    file.write_text('{"open": 6}')
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (await source.collect()).values == {"open": 6}


async def test_a_broken_file_is_not_taken_apart_again_until_it_changed(folder: Folder) -> None:
    file = folder.write("orders.json", '{"open"')
    source = folder.source(kind="json_file", name="orders", path="orders.json", fields=[OPEN])
    for _ in range(2):
        with pytest.raises(SourceError, match="cut in mid-write"):
            await source.collect()
    before = file.stat()
    file.write_text('{"opes"')
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(SourceError, match="cut in mid-write"):
        await source.collect()
    folder.write("orders.json", '{"open": 5}')
    assert (await source.collect()).values == {"open": 5}


async def test_a_file_that_is_replaced_by_another_is_read(folder: Folder) -> None:
    file = folder.write("orders.json", '{"open": 5}')
    source = folder.source(kind="json_file", name="orders", path="orders.json", fields=[OPEN])
    await source.collect()
    times = file.stat()
    other = folder.write("orders.json.new", '{"open": 6}')
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.rename(file)
    assert (await source.collect()).values == {"open": 6}


async def test_a_file_that_is_not_there_says_so_until_it_comes(folder: Folder) -> None:
    source = folder.source(kind="json_file", name="orders", path="orders.json", fields=[OPEN])
    with pytest.raises(SourceError, match=r"orders\.json is not there: check its path"):
        await source.collect()
    folder.write("orders.json", '{"open": 5}')
    assert (await source.collect()).values == {"open": 5}


async def test_a_file_larger_than_its_bound_is_refused_unread(folder: Folder) -> None:
    file = folder.write("orders.json", b"")
    os.truncate(file, 1 << 30)
    source = folder.source(kind="json_file", name="orders", path="orders.json", fields=[OPEN])
    with pytest.raises(SourceError, match=r"has 1,073,741,824 bytes, more than the 16,777,216 that are read"):
        await source.collect()


async def test_a_pipe_is_refused_and_not_waited_for(folder: Folder) -> None:
    os.mkfifo(folder.path / "orders.json")
    source = folder.source(kind="json_file", name="orders", path="orders.json", fields=[OPEN])
    with pytest.raises(SourceError, match="is not a file but a folder, a pipe or a device"):
        await source.collect()


async def test_a_folder_is_refused(folder: Folder) -> None:
    (folder.path / "orders.json").mkdir()
    source = folder.source(kind="json_file", name="orders", path="orders.json", fields=[OPEN])
    with pytest.raises(SourceError, match="is not a file but a folder"):
        await source.collect()


async def test_paths_that_are_absolute_lead_anywhere(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = Folder(tmp_path_factory.mktemp("elsewhere"), folder.around).write("orders.json", "[1, 2]")
    assert (await folder.source(kind="json_file", name="orders", path=str(elsewhere)).collect()).values == {"orders": 2}


async def test_a_list_that_is_too_large_to_be_shown_says_what_to_do(folder: Folder) -> None:
    folder.write("advice.json", msgspec.json.encode(["x" * 1000] * 2000))
    with pytest.raises(SourceError, match=r"select less of it, such as \$\.items\[:50\]"):
        await folder.source(kind="json_list", name="advice", path="advice.json").collect()
    short = folder.source(kind="json_list", name="advice", path="advice.json", select="$[:50]")
    assert (await short.collect()).values == {"advice": ["x" * 1000] * 50}
