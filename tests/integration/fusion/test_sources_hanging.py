"""Sources that hang for good: a real pipe that nobody writes to, read by a function in a thread."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.patience import DEADLINE_S
from vagus.apps.fusion.collector import Collector
from vagus.apps.fusion.sources import Source
from vagus.apps.fusion.sources.function import FunctionSource
from vagus.apps.fusion.sources.making import Surroundings, source_of
from vagus.apps.fusion.threads import LIMIT, PER_GROUP
from vagus.apps.fusion.values import Field, Terms
from vagus.settings.fusion import JsonFileSource


@pytest.fixture
async def around(tmp_path: Path) -> AsyncIterator[Surroundings]:
    around = Surroundings(tmp_path)
    yield around
    await around.close()


class Pipe:
    """A pipe whose readers hang until it is written to."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._path = path
        self.readers = 0

    def read(self) -> int:
        self.readers += 1
        return int(self._path.read_text())

    def write(self, text: str) -> None:
        """Give what is written to whoever reads now."""
        descriptor = os.open(self._path, os.O_RDWR)
        os.write(descriptor, text.encode())
        os.close(descriptor)

    def let_go(self) -> None:
        """Let everybody go who waits now."""
        self.write("")


def function(name: str, work: Callable[[], object], timeout_s: float = 0.2) -> Source:
    return FunctionSource(Terms(name, (Field(name),), timeout_s), work)


def file(name: str, around: Surroundings) -> Source:
    (around.folder / f"{name}.json").write_text("[1, 2]")
    return source_of(JsonFileSource(name=name, path=f"{name}.json"), around)


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Pipe]:
    pipe = Pipe(tmp_path / "pipe")
    yield pipe
    pipe.let_go()


async def test_a_function_that_hangs_is_called_once_and_delays_nobody(around: Surroundings, pipe: Pipe) -> None:
    collector = Collector([function("stuck", pipe.read), file("orders", around), function("well", lambda: 5)])
    first = await collector.collect()
    assert first[0].error == "did not answer within 0.2 s"
    states = first
    async with asyncio.timeout(DEADLINE_S):
        while states[0].error == first[0].error:
            states = await collector.collect()
            await asyncio.sleep(0)
    assert states[0].error == "the function has not returned since it was called last"
    assert pipe.readers == 1
    assert [state.values for state in states[1:]] == [{"orders": 2}, {"well": 5}]


async def test_a_function_that_comes_back_is_called_again(pipe: Pipe) -> None:
    collector = Collector([function("stuck", lambda: 8 if pipe.readers else pipe.read())])
    assert not (await collector.collect())[0].is_available
    async with asyncio.timeout(DEADLINE_S):
        while not (await collector.collect())[0].is_available:
            pipe.let_go()
            await asyncio.sleep(0)
    assert collector.states()[0].values == {"stuck": 8}


async def test_files_are_read_while_more_functions_hang_than_there_are_threads_for_disks(
    around: Surroundings, pipe: Pipe
) -> None:
    hanging = [function(f"stuck{index}", pipe.read) for index in range(LIMIT + 8)]
    collector = Collector([*hanging, file("orders", around)])
    assert (await collector.collect())[-1].values == {"orders": 2}


async def test_a_disk_that_hangs_holds_up_its_own_folder_alone(around: Surroundings, pipe: Pipe) -> None:
    folder = str(around.folder)
    held = [asyncio.create_task(around.disks.run(folder, pipe.read)) for _ in range(PER_GROUP)]
    elsewhere = around.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "well.json").write_text("[1]")
    collector = Collector([
        source_of(JsonFileSource(name="stuck", path="memo.json", timeout_s=0.2), around),
        source_of(JsonFileSource(name="well", path="elsewhere/well.json"), around),
    ])  # fmt: skip
    (around.folder / "memo.json").write_text("[1]")
    states = await collector.collect()
    assert states[0].error == "did not answer within 0.2 s"
    assert states[1].values == {"well": 1}
    pipe.let_go()
    await asyncio.wait(held)
