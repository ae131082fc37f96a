"""Values of queries, asked of a real SQLite; PostgreSQL is in the integration tests."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from tests.unit.apps.fusion.sources.folders import Folder
from vagus.apps.fusion.sources import Source, SourceError

FIELDS = [{"name": "open"}, {"name": "state", "kind": "text"}]


@pytest.fixture
def orders(folder: Folder) -> Path:
    file = folder.path / "orders.db"
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.executescript(
            "CREATE TABLE orders (state TEXT, eur REAL); INSERT INTO orders VALUES ('open', 2), ('done', 5)"
        )
    return file


def query(folder: Folder, text: str, **options: object) -> Source:
    return folder.source(kind="sql", name="orders", url="sqlite:///orders.db", query=text, **options)


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize(
    ("text", "fields", "values"),
    [
        ("SELECT count(*) FROM orders", [], {"orders": 2}),
        ("SELECT sum(eur) AS eur FROM orders", [{"name": "revenue", "unit": "EUR"}], {"revenue": 7}),
        ("SELECT 3 AS open, 'ok' AS state, 1 AS more", FIELDS, {"open": 3, "state": "ok", "more": 1}),
        ("SELECT state, eur FROM orders", [{"name": "open"}, {"name": "done"}], {"open": 2, "done": 5}),
        ("SELECT 'a:b' AS state, '12:30' AS open -- :x", FIELDS, {"state": "a:b", "open": "12:30"}),
        ("SELECT avg(eur) FROM orders WHERE state = 'lost'", [], {"orders": None}),
        (
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 9) SELECT max(x) FROM n",
            [],
            {"orders": 9},
        ),
    ],
)
async def test_a_row_of_columns_or_rows_of_names_are_values(
    folder: Folder, text: str, fields: list[dict[str, str]], values: dict[str, object]
) -> None:
    assert (await query(folder, text, fields=fields).collect()).values == values


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT 1 WHERE 0", "the query gives no row"),
        ("SELECT 1, 2, 3 FROM orders", "the query gives 2 rows of 3 columns"),
        ("SELEC 1", "syntax error"),
        ("SELECT x FROM orders", "no such column: x"),
        ("SELECT 1; SELECT 2", "one statement"),
        ("DELETE FROM orders", "does more than read"),
        ("DROP TABLE orders", "does more than read"),
        ("PRAGMA journal_mode = DELETE", "does more than read"),
        ("ATTACH 'other.db' AS other", "does more than read"),
        ("SELECT load_extension('x')", "not authorized|does more than read"),
        ("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n", "more than 1,000 rows"),
        ("SELECT zeroblob(500000000)", "a value, or a row that is read, has more than 16,777,216 bytes"),
        ("SELECT hex(zeroblob(4000000)) AS x FROM orders AS a, orders AS b", "gives more than 16,777,216 bytes"),
    ],
)
async def test_a_query_that_gives_no_values_or_does_more_than_read_says_so(
    folder: Folder, text: str, reason: str
) -> None:
    with pytest.raises(SourceError, match=reason):
        await query(folder, text).collect()


@pytest.mark.usefixtures("orders")
async def test_a_query_that_does_not_end_is_interrupted(folder: Folder) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    with pytest.raises(SourceError, match="the query took too long"):
        await query(folder, endless, timeout_s=0.05).collect()


async def test_a_database_that_is_not_there_is_not_made(folder: Folder) -> None:
    with pytest.raises(SourceError, match=r"orders\.db: there is no database"):
        await query(folder, "SELECT 1").collect()
    assert not (folder.path / "orders.db").exists()


async def test_a_file_that_is_no_database_says_so(folder: Folder) -> None:
    folder.write("orders.db", "x" * 5000)
    with pytest.raises(SourceError, match="file is not a database"):
        await query(folder, "SELECT count(*) FROM orders").collect()
