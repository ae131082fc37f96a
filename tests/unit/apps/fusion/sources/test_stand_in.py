"""A function speaks for a source while that has nothing to read, and not a moment longer."""

from pathlib import Path

import pytest

from vagus.apps.fusion.sources import SourceError
from vagus.apps.fusion.sources.making import Surroundings, source_of
from vagus.apps.fusion.sources.stand_in import StandIn
from vagus.settings.fusion import JsonFileSource


async def test_it_is_marked_and_gives_way_to_the_file(tmp_path: Path) -> None:
    around = Surroundings(tmp_path)
    source = StandIn(
        source_of(JsonFileSource(name="memos", path="memos.json"), around), lambda at: {"memos": at}, lambda: 7
    )
    made_up = await source.collect()
    assert (made_up.values, made_up.is_demo) == ({"memos": 7}, True)
    file = tmp_path / "memos.json"
    file.write_text("[1, 2]")
    real = await source.collect()
    assert (real.values, real.is_demo) == ({"memos": 2}, False)
    file.write_text("[1, 2")
    with pytest.raises(SourceError, match="cut in mid-write"):
        await source.collect()
    file.unlink()
    assert (await source.collect()).is_demo
    await source.close()
    await around.close()
