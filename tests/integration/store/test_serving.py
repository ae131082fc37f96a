"""A server with its store: keys that come and go while it runs, health, copies, and who may not take its database."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it has annotations, but no py.typed
import pytest

from tests.integration.redis.servers import RedisServer
from tests.integration.test_cli import Running, Server, run
from tests.patience import DEADLINE_S
from vagus.kernel.errors import StoreError
from vagus.store.backups import verify

from .postgres import PASSWORD, Postgres

Serve = Callable[..., Server]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(**environment: str) -> Server:
            server = Server(tmp_path, **environment)
            stack.callback(server.end)
            return server

        yield start


def status(server: Server, key: str) -> int:
    """How the server answers to a request with this key."""
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    request = urllib.request.Request(f"{server.url}/api/info", data=b"{}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def wait_for(server: Server, key: str, wanted: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while status(server, key) != wanted:
        assert time.monotonic() < deadline, f"the answer is never {wanted}"
        time.sleep(0.05)


def health(server: Server) -> Any:
    try:
        with urllib.request.urlopen(f"{server.url}/health", timeout=DEADLINE_S) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return json.load(error)


def new_key(folder: Path, name: str, **environment: str) -> str:
    made = run(folder, "key", "new", "--name", name, "--save", "--json", **environment)
    assert made.code == 0, made.err
    key: str = json.loads(made.out)["key"]
    return key


@pytest.mark.timeout(60)
def test_keys_come_and_go_without_a_restart(serve: Serve, tmp_path: Path) -> None:
    early = new_key(tmp_path, "early")
    server = serve()
    assert status(server, early) == 200
    late = new_key(tmp_path, "late")
    wait_for(server, late, 200)
    assert run(tmp_path, "key", "revoke", "late").code == 0
    wait_for(server, late, 401)
    assert status(server, early) == 200
    assert status(server, (tmp_path / "vagus-data" / "api_key").read_text().strip()) == 200
    assert late not in server.log() + server.said
    for file in (tmp_path / "vagus-data").glob("vagus.db*"):
        assert late.encode() not in file.read_bytes()
        assert file.stat().st_mode & 0o777 == 0o600


def last_use(folder: Path, **environment: str) -> float | None:
    """When the only key was used last."""
    (row,) = json.loads(run(folder, "key", "list", "--json", **environment).out)
    used: float | None = row["used_at"]
    return used


def wait_for_use(folder: Path, **environment: str) -> float:
    deadline = time.monotonic() + DEADLINE_S
    while (used := last_use(folder, **environment)) is None:
        assert time.monotonic() < deadline, "its use is never written"
    return used


@pytest.mark.timeout(60)
def test_it_is_seen_when_a_key_was_used_last(serve: Serve, tmp_path: Path) -> None:
    begun = time.time()
    key = new_key(tmp_path, "billing")
    server = serve()
    status(server, "vgs_nobodys")
    assert last_use(tmp_path) is None
    assert status(server, key) == 200
    first = wait_for_use(tmp_path)
    assert begun < first < time.time()
    assert status(server, key) == 200
    assert server.stop() == 0
    last = last_use(tmp_path)  # what was not written yet is written at the end
    assert last is not None
    assert last > first


@pytest.mark.timeout(60)
def test_a_copy_is_taken_while_it_serves_and_put_back_when_it_does_not(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    key = new_key(tmp_path, "kept")
    assert run(tmp_path, "export", "copy.db").code == 0
    assert verify(tmp_path / "copy.db").present
    refused = run(tmp_path, "import", "copy.db")
    assert refused.code == 1
    assert "stop it first" in refused.err
    run(tmp_path, "key", "revoke", "kept")
    wait_for(server, key, 401)
    assert server.stop() == 0
    assert run(tmp_path, "import", "copy.db").code == 0
    assert status(serve(), key) == 200
    assert len(list((tmp_path / "vagus-data").glob("vagus.db.before-*"))) == 1


@pytest.mark.timeout(60)
def test_health_says_that_the_store_is_away_and_known_keys_go_on(
    serve: Serve, tmp_path: Path, postgres: Postgres
) -> None:
    import asyncio

    url = postgres.url(asyncio.run(postgres.new_database()))
    key = new_key(tmp_path, "kept", VAGUS_STORE__URL=url)
    server = serve(VAGUS_STORE__URL=url)
    assert health(server)["checks"]["store"] == "ok"
    postgres.stop()
    try:
        deadline = time.monotonic() + DEADLINE_S
        while health(server)["checks"]["store"] == "ok":  # an answer holds for a moment
            assert time.monotonic() < deadline
        assert health(server)["status"] == "unavailable"
        assert status(server, key) == 200
    finally:
        back = time.time()
        postgres.start()
    deadline = time.monotonic() + DEADLINE_S
    while health(server)["status"] != "ok":
        assert time.monotonic() < deadline
    assert wait_for_use(tmp_path, VAGUS_STORE__URL=url) < back, "it was used while the store was away"
    wait_for(server, new_key(tmp_path, "later", VAGUS_STORE__URL=url), 200)
    assert server.stop() == 0
    for secret in (PASSWORD, "pass%20word"):
        assert secret not in server.log()


@pytest.mark.timeout(60)
def test_a_database_that_is_newer_than_the_server_is_refused_in_one_line(tmp_path: Path) -> None:
    import sqlite3

    new_key(tmp_path, "any")
    connection = sqlite3.connect(tmp_path / "vagus-data" / "vagus.db")
    connection.execute("UPDATE vagus_schema SET version_num = '9999'")
    connection.commit()
    connection.close()
    for command in (("serve", "--port", "0"), ("key", "list"), ("migrate",), ("export", "copy.db")):
        ran = run(tmp_path, *command)
        assert ran.code == 1
        assert "9999" in ran.err
        assert len(ran.err.splitlines()) == 1
    with pytest.raises(StoreError):
        verify(tmp_path / "vagus-data" / "vagus.db")


@asynccontextmanager
async def migration_under_way(postgres: Postgres) -> AsyncIterator[tuple[str, Callable[[], Awaitable[bool]]]]:
    """A database in which another node seems to migrate, and whether somebody waits for it."""
    url = postgres.url(await postgres.new_database())
    connection = await asyncpg.connect(url, timeout=DEADLINE_S)
    await connection.execute("SELECT pg_advisory_lock(hashtextextended('vagus migration', 0))")

    async def is_awaited() -> bool:
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        return bool(await connection.fetchval(waiting))

    try:
        yield url, is_awaited
    finally:
        await connection.close()


@pytest.mark.parametrize("workers", [0, 2])
async def test_a_server_that_waits_for_its_store_can_be_stopped(
    tmp_path: Path, postgres: Postgres, installed_program: Callable[[str], Path], workers: int
) -> None:
    arguments = ("--workers", str(workers)) if workers else ()
    with RedisServer(installed_program("redis-server"), tmp_path) as redis, ExitStack() as ending:
        async with migration_under_way(postgres) as (url, is_awaited):
            environment = {"VAGUS_STORE__URL": url, "VAGUS_BROKER__URL": redis.url}
            server = Running(tmp_path, "serve", "--port", "0", *arguments, **environment)
            ending.callback(server.end)
            async with asyncio.timeout(DEADLINE_S):
                while not await is_awaited():  # noqa: ASYNC110 - another process waits
                    await asyncio.sleep(0.05)
            assert await asyncio.to_thread(server.stop) == 0
    events = [json.loads(line)["event"] for line in server.log().splitlines()]
    assert [event for event in events if not event.startswith("workers_")] == ["server_stopped"]
