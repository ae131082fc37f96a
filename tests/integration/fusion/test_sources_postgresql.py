"""Values of queries, asked of a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from tests.integration.store.postgres import PASSWORD, USER, Postgres, postgres
from tests.patience import DEADLINE_S
from vagus.apps.fusion.collector import tried
from vagus.apps.fusion.sources import Source, SourceError
from vagus.apps.fusion.sources.making import Surroundings, source_of
from vagus.settings.fusion import SourceSettings

__all__ = ["postgres"]

STATES = [{"name": "open"}, {"name": "done"}]


@pytest.fixture
async def around(tmp_path: Path) -> AsyncIterator[Surroundings]:
    around = Surroundings(tmp_path)
    yield around
    await around.close()


def query(around: Surroundings, url: str, text: str, **options: object) -> Source:
    table = {"kind": "sql", "name": "orders", "url": url, "query": text, **options}
    return source_of(msgspec.convert(table, SourceSettings), around)


@pytest.mark.parametrize(
    ("text", "fields", "values"),
    [
        ("SELECT 5", [], {"orders": 5}),
        ("SELECT sum(x) FROM generate_series(1, 100000) x", [], {"orders": 5_000_050_000}),
        ("SELECT 'open', 2.5::numeric UNION SELECT 'done', 5 -- :x $y", STATES, {"open": 2.5, "done": 5}),
        ("SELECT now() AS at", [{"name": "at", "kind": "moment"}], None),
        ("SELECT true AS up", [{"name": "up", "kind": "flag"}], {"up": True}),
    ],
)
async def test_a_row_of_columns_or_rows_of_names_are_values(
    around: Surroundings, postgres: Postgres, text: str, fields: list[object], values: dict[str, object] | None
) -> None:
    source = query(around, postgres.url(), text, fields=fields)
    for _ in range(2):
        found = await tried(source)
        assert found == values or (values is None and found["at"])
    await source.close()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("CREATE TABLE x (y int)", "the query does more than read"),
        ("SELECT nextval('nothing')", "does not exist"),
        ("SELEC 1", "syntax error"),
        ("SELECT 1; SELECT 2", "cannot insert multiple commands"),
        ("SELECT x FROM generate_series(1, 2000) x", "more than 1,000 rows"),
        ("SELECT repeat('x', 100000) FROM generate_series(1, 200)", "more than 16,777,216 bytes"),
    ],
)
async def test_a_query_that_gives_no_values_or_does_more_than_read_says_so(
    around: Surroundings, postgres: Postgres, text: str, reason: str
) -> None:
    source = query(around, postgres.url(), text)
    with pytest.raises(SourceError, match=reason):
        await tried(source)
    await source.close()


async def test_a_query_that_takes_too_long_is_ended_and_the_next_one_is_asked_anew(
    around: Surroundings, postgres: Postgres
) -> None:
    source = query(around, postgres.url(), "SELECT pg_sleep(60)", timeout_s=0.3)
    for _ in range(2):
        with pytest.raises(SourceError, match=r"did not answer within 0\.3 s|took too long"):
            await tried(source)
    await source.close()
    watching = query(
        around, postgres.url(), "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"
    )
    async with asyncio.timeout(DEADLINE_S):
        while (await tried(watching))["orders"]:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
    await watching.close()


async def test_a_password_is_in_no_reason(around: Surroundings, postgres: Postgres) -> None:
    for url in (
        postgres.url().replace("pass%20word", "secret"),
        "postgresql://u:secret@127.0.0.1:1/x",
        "postgresql://u:secret@[x/",
    ):
        with pytest.raises(SourceError, match=r"^PostgreSQL: ") as caught:
            await tried(query(around, url, "SELECT 1"))
        assert "secret" not in str(caught.value)


async def test_a_source_from_the_network_is_not_given_the_password_of_the_servers_user(
    around: Surroundings, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    url = f"postgresql://{USER}@127.0.0.1:{postgres.port}/postgres"
    settings = msgspec.convert({"kind": "sql", "name": "orders", "url": url, "query": "SELECT 5"}, SourceSettings)
    configured, fenced = source_of(settings, around), source_of(settings, around, around.fence)
    assert await tried(configured) == {"orders": 5}
    with pytest.raises(SourceError, match="28P01"):
        await tried(fenced)
    await configured.close()
