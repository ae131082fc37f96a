"""Values in logs: the last line that matches, through rotation, cuts and lines that are being written."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.apps.fusion.sources.folders import Folder, is_recent
from vagus.apps.fusion.sources import Source, SourceError
from vagus.apps.fusion.sources.log_file import LINE_BYTES, PIECE, LogFile, Pattern, lines_backwards

FILES = r"files=(?P<files>\d+)"


def log_source(folder: Folder, **options: object) -> Source:
    fields = [{"name": "files", "unit": "files"}]
    return folder.source(
        **({"kind": "log_file", "name": "sync", "path": "sync.log", "pattern": FILES, "fields": fields} | options)
    )


async def files_of(source: Source) -> object:
    return (await source.collect()).values["files"]


async def test_the_last_line_that_matches_counts(folder: Folder) -> None:
    folder.write("sync.log", "files=1\nfiles=2\nnothing here\r\n")
    source = log_source(folder)
    assert await files_of(source) == 2
    await source.close()


async def test_only_what_is_new_is_read(folder: Folder) -> None:
    folder.write("sync.log", "files=1\n" * 1000)
    source = log_source(folder)
    assert (await source.collect()).bytes == 8000
    folder.append("sync.log", "files=2\n")
    reading = await source.collect()
    assert (reading.values["files"], reading.bytes) == (2, 8)
    await source.close()


async def test_new_lines_that_do_not_match_leave_the_values_and_their_age(folder: Folder) -> None:
    folder.write("sync.log", "files=1\n")
    source = log_source(folder)
    first = await source.collect()
    folder.append("sync.log", "nothing\n")
    assert await source.collect() is first
    await source.close()


async def test_a_line_that_is_being_written_is_not_looked_at_before_its_end(folder: Folder) -> None:
    folder.write("sync.log", "files=1\n")
    source = log_source(folder)
    assert await files_of(source) == 1
    is_recent(folder.append("sync.log", "files=2"))
    assert await files_of(source) == 1
    is_recent(folder.append("sync.log", "34\n"))
    assert await files_of(source) == 234
    await source.close()


async def test_a_last_line_without_an_end_counts_when_nobody_goes_on_writing(folder: Folder) -> None:
    folder.write("sync.log", "files=1\nfiles=2")
    source = log_source(folder)
    assert await files_of(source) == 2
    folder.append("sync.log", "5\n")
    assert await files_of(source) == 25
    await source.close()


async def test_rotation_is_followed_and_the_end_of_the_old_file_is_read_too(folder: Folder) -> None:
    file = folder.write("sync.log", "files=1\n")
    source = log_source(folder)
    await source.collect()
    folder.append("sync.log", "files=2\n")
    file.rename(folder.path / "sync.log.1")
    folder.write("sync.log", "started\n")
    assert await files_of(source) == 2
    folder.append("sync.log", "files=3\n")
    assert await files_of(source) == 3
    await source.close()


async def test_between_the_two_steps_of_a_rotation_the_log_is_not_there(folder: Folder) -> None:
    file = folder.write("sync.log", "files=1\n")
    source = log_source(folder)
    await source.collect()
    file.rename(folder.path / "sync.log.1")
    with pytest.raises(SourceError, match="is not there"):
        await source.collect()
    folder.write("sync.log", "files=2\n")
    assert await files_of(source) == 2
    await source.close()


async def test_a_file_that_was_cut_is_read_from_its_beginning(folder: Folder) -> None:
    folder.write("sync.log", "files=100\nfiles=200\n")
    source = log_source(folder)
    await source.collect()
    folder.write("sync.log", "files=3\n")
    assert await files_of(source) == 3
    await source.close()


async def test_a_file_that_was_cut_and_has_outgrown_its_old_size_is_read_from_its_beginning(folder: Folder) -> None:
    folder.write("sync.log", "files=1\n")
    source = log_source(folder)
    await source.collect()
    folder.write("sync.log", "files=22\nno match here\n")
    assert await files_of(source) == 22
    await source.close()


async def test_a_log_of_a_gigabyte_is_read_from_its_end_and_no_further_than_its_bound(folder: Folder) -> None:
    file = folder.write("sync.log", "files=1\n")
    os.truncate(file, 1 << 30)
    folder.append("sync.log", "\nfiles=2\n" + "x\n" * 100_000)
    source = log_source(folder, max_bytes=1_000_000)
    reading = await source.collect()
    assert (reading.values["files"], reading.bytes) == (2, 1_000_000)
    await source.close()


async def test_a_line_that_is_too_far_back_is_not_found(folder: Folder) -> None:
    folder.write("sync.log", "files=1\n" + "x\n" * 1000)
    source = log_source(folder, max_bytes=1000)
    with pytest.raises(SourceError, match="no line matches in its last 1,000 bytes"):
        await source.collect()
    await source.close()


async def test_a_group_that_took_no_part_is_unknown_and_one_without_a_field_is_text(folder: Folder) -> None:
    folder.write("sync.log", "2026-11-21T12:00:00Z done\n")
    source = log_source(
        folder,
        pattern=r"(?P<at>\S+) (?P<state>done|lost)( files=(?P<files>\d+))?",
        fields=[{"name": "at", "kind": "moment"}],
    )
    assert (await source.collect()).values == {"at": 1_795_262_400_000, "state": "done", "files": None}
    await source.close()


async def test_a_line_that_matches_and_lies_is_said_with_its_field(folder: Folder) -> None:
    folder.write("sync.log", "files=many\n")
    source = log_source(folder, pattern=r"files=(?P<files>\w+)")
    with pytest.raises(SourceError, match=r"the last line that matches: files: must be a number"):
        await source.collect()
    await source.close()


async def test_a_pattern_that_would_take_for_ever_is_stopped_and_said_so(folder: Folder) -> None:
    folder.write("sync.log", "x" * 5000 + "\n")
    source = log_source(folder, pattern=r"(?P<files>(?:x+x+)+\d)$")
    with pytest.raises(SourceError, match="make it simpler"):
        await source.collect()
    folder.append("sync.log", "short\nxx1\n")
    assert isinstance(source, LogFile)
    with pytest.raises(SourceError, match="files: must be a number"):
        await source.collect()
    await source.close()


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"(?P<files>\d+", "is not a regular expression"),
        (r"files=\d+", "needs a named group"),
        (r"(?P<files>(?:a{1000}){1000})", "repeats of more than 10,000 times"),
        (r"(?P<files>(?:(?:a{1,99}){101}){2})", "repeats of more than 10,000 times"),
        (r"(?P<files>a(?R)?b)", "recursion"),
        (r"(?P<files>a)(?&files)", "recursion"),
        (r"(?P<files>(?:(?:\\{1000}){1000}){1000})", "repeats of more than 10,000 times"),
        ("(" * 400 + "(?P<files>b)" + ")" * 400, "is not a regular expression"),
    ],
)
def test_a_pattern_that_costs_too_much_or_says_nothing_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^pattern: .*{reason}"):
        Pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?P<a>\d{4}-\d{2})",
        r"(?P<a>x\{99999\})",
        r"(?P<a>\p{Lu}+)",
        '{"state": "(?P<a>[{}a-z]+)"}',
        r"(?<a>.{1,200}) (?<b>.)",
    ],
)
def test_patterns_as_people_write_them_are_taken(pattern: str) -> None:
    assert Pattern(pattern).groups[0] == "a"


def test_the_library_for_patterns_is_loaded_with_the_first_one() -> None:
    program = "import sys, vagus.apps.fusion.sources.making; sys.exit('regex' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_field_that_no_group_gives_is_refused(folder: Folder) -> None:
    with pytest.raises(ValueError, match=r"^fields: the pattern has no group named bytes"):
        log_source(folder, fields=[{"name": "bytes"}])


@given(
    st.lists(st.integers(0, 60) | st.sampled_from([PIECE - 1, PIECE, LINE_BYTES + 1, 3 * LINE_BYTES]), max_size=12),
    st.booleans(),
)
def test_lines_come_backwards_and_whole_whatever_their_length(lengths: list[int], ends: bool) -> None:
    lines = [bytes([97 + index]) * length for index, length in enumerate(lengths)]
    content = b"\n".join(lines) + (b"\n" if ends else b"")
    descriptor = os.memfd_create("log")
    try:
        os.write(descriptor, content)
        found = list(lines_backwards(descriptor, 0, len(content)))
    finally:
        os.close(descriptor)
    wanted = content.split(b"\n")[::-1]
    short = [line for line in wanted if len(line) <= LINE_BYTES]
    assert [line for line in found if len(line) <= LINE_BYTES] == short
    assert all(line in wanted for line in found)
