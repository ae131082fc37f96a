"""A folder of sources, and what the sources in it share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.apps.fusion.sources.folders import Folder
from vagus.apps.fusion.sources.making import Surroundings


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Folder]:
    around = Surroundings(tmp_path)
    yield Folder(tmp_path, around)
    await around.close()
