"""Files that are read when they changed: what is remembered of a reading, and what is not."""

import asyncio
import threading

import pytest

from tests.patience import DEADLINE_S
from tests.unit.apps.fusion.sources.folders import Folder
from vagus.apps.fusion.sources import SourceError
from vagus.apps.fusion.sources.files import ChangingFile, Stamp


async def test_a_file_whose_reading_hangs_is_not_read_twice_at_a_time_and_is_read_when_that_is_over(
    folder: Folder,
) -> None:
    file = ChangingFile(folder.write("a", "x"), folder.around.looks)
    began, go = threading.Event(), threading.Event()

    def hang(_: Stamp) -> str:
        began.set()
        assert go.wait(10)
        return "late"

    hanging = asyncio.create_task(file.when_changed(hang))
    async with asyncio.timeout(DEADLINE_S):
        while not began.is_set():  # noqa: ASYNC110 - another thread
            await asyncio.sleep(0)
    hanging.cancel()
    await asyncio.wait([hanging])
    with pytest.raises(SourceError, match="is still being read since the last time"):
        await file.when_changed(lambda _: "never")
    go.set()
    async with asyncio.timeout(DEADLINE_S):
        while file.is_being_read:  # noqa: ASYNC110 - another thread
            await asyncio.sleep(0)
    assert await file.when_changed(lambda _: "read") == "read"


async def test_an_error_of_the_disk_is_not_remembered_since_it_may_be_over_without_a_change(folder: Folder) -> None:
    file = ChangingFile(folder.write("a", "x"), folder.around.looks)

    def refused(_: Stamp) -> str:
        raise PermissionError

    with pytest.raises(SourceError, match="may not be read by the user that the server runs as"):
        await file.when_changed(refused)
    assert await file.when_changed(lambda _: "read") == "read"


async def test_files_asked_about_in_one_tick_are_looked_at_in_one_thread_hop(folder: Folder) -> None:
    paths = [folder.write(f"f{index}", "x" * index) for index in range(50)]
    stamps = asyncio.gather(*(folder.around.looks.stamp(path) for path in paths))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert folder.around.disks.busy <= 1
    assert [stamp.size for stamp in await stamps] == list(range(50))


async def test_a_file_that_is_not_there_among_others_is_its_own_error_alone(folder: Folder) -> None:
    there = folder.write("there", "x")
    looks = folder.around.looks
    found = await asyncio.gather(looks.stamp(there), looks.stamp(folder.path / "gone"), return_exceptions=True)
    assert isinstance(found[0], Stamp)
    assert isinstance(found[1], SourceError)
