"""What the stage ``sources`` asks: files, logs and a database that change every second, and an HTTP server.

Each value is the moment at which it was made, in seconds since 1970, so that whoever has it knows how old it is.
"""

import asyncio
import contextlib
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

FILES: Final = 100
PARTS: Final = 5
"""A second changes one file in so many."""
ENDPOINTS: Final = 40
EXPORTERS: Final = 20
LOGS: Final = 20
QUERIES: Final = 20
ALL: Final = FILES + ENDPOINTS + EXPORTERS + LOGS + QUERIES
NEW: Final = "new"
"""How the names of values begin that are made anew every second, or whenever somebody asks."""

DATABASE: Final = "shop.db"
ORDERS: Final = 10_000
ITEMS: Final = [{"id": number, "state": "open", "customer": f"customer {number}"} for number in range(25)]
OTHERS: Final = "".join(
    f'# TYPE http_{number}_total counter\nhttp_{number}_total{{code="200"}} {number}.5\n' for number in range(100)
)


@contextlib.asynccontextmanager
async def moving(folder: Path) -> AsyncIterator[str]:
    """All of it in a folder, and its sources as the configuration of a server. Runs in this event loop."""
    with contextlib.closing(_database(folder / DATABASE)) as database:
        for part in range(PARTS):
            _move(folder, database, part)
        server = await asyncio.get_running_loop().create_server(_Answers, "127.0.0.1", 0)
        task = asyncio.create_task(_keep_moving(folder, database))
        try:
            yield "".join(_sources(server.sockets[0].getsockname()[1]))
        finally:
            task.cancel()
            server.close()


async def _keep_moving(folder: Path, database: sqlite3.Connection) -> None:
    second = 0
    while True:
        await asyncio.sleep(1)
        second += 1
        _move(folder, database, second % PARTS)


def _move(folder: Path, database: sqlite3.Connection, part: int) -> None:
    """A second's changes; files are replaced, so that nobody reads half of one."""
    for number in range(part, FILES, PARTS):
        draft = folder / "draft"
        draft.write_text(_document())
        draft.replace(folder / f"{number}.json")
    for number in range(LOGS):
        with (folder / f"{number}.log").open("a") as log:
            log.write(f"INFO 12 files copied in 0.7 s\nINFO done at {time.time()}\n")
    rows = [(customer, time.time()) for customer in range(QUERIES)]
    database.executemany("INSERT INTO orders VALUES (?, ?)", rows)
    database.commit()


def _document() -> str:
    return json.dumps({"items": ITEMS, "summary": {"open": len(ITEMS), "made": time.time()}})


def _database(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(file)
    database.execute("CREATE TABLE orders (customer INTEGER, made REAL)")
    database.execute("CREATE INDEX by_customer ON orders (customer, made)")
    database.executemany("INSERT INTO orders VALUES (?, 0)", ((number % QUERIES,) for number in range(ORDERS)))
    return database


class _Answers(asyncio.Protocol):
    """Answers each request, of which a client has one at a time on a connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        is_json = b".json" in data.partition(b"\r\n")[0]
        body = (_document() if is_json else f"{OTHERS}made_seconds {time.time()}\n").encode()
        kind = "application/json" if is_json else "text/plain; version=0.0.4"
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


def _sources(port: int) -> Iterator[str]:
    address = f"http://127.0.0.1:{port}"
    for number in range(FILES):
        yield _source("json_file", f"file{number}", path=f"{number}.json", select="$.summary.made")
    for number in range(ENDPOINTS):
        yield _source("http_json", f"{NEW}Http{number}", url=f"{address}/{number}.json", select="$.summary.made")
    for number in range(EXPORTERS):
        yield _source("prometheus", f"{NEW}Metric{number}", url=f"{address}/{number}", metric="made_seconds")
    for number in range(LOGS):
        name = f"{NEW}Log{number}"
        yield _source("log_file", name, path=f"{number}.log", pattern=f"done at (?P<{name}>[0-9.]+)")
    for number in range(QUERIES):
        query = f"SELECT max(made) FROM orders WHERE customer = {number}"
        yield _source("sql", f"{NEW}Sql{number}", url=f"sqlite:///{DATABASE}", query=query)


def _source(kind: str, name: str, **options: str) -> str:
    """A source of one number, as a table in TOML."""
    of_field = {key: value for key, value in options.items() if key in {"select", "metric"}}
    of_source = {key: value for key, value in options.items() if key not in of_field}
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in {"kind": kind, "name": name, **of_source}.items()]
    field = ", ".join(f"{key} = {json.dumps(value)}" for key, value in {"name": name, **of_field}.items())
    return f"[[fusion.sources]]\n{''.join(lines)}fields = [{{ {field} }}]\n\n"
