"""A PostgreSQL for tests: a real server in a folder of its own, on a free port, to be stopped, killed and started.

It refuses to run as root, so as root it runs as the user ``postgres`` or ``nobody``. Whoever comes needs the password,
as in earnest. Nothing is synced to the disk: a killed server loses nothing by that, only a killed machine would.
"""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]  # it has annotations, but no py.typed
import pytest
from blockbuster import BlockBuster

from tests.patience import PATIENCE
from tests.ports import free_port

START_S: Final = 30.0 * PATIENCE
PASSWORD: Final = "pass word/of@tests"
USER: Final = "keeper"
_OPTIONS: Final = (
    "-c",
    "fsync=off",
    "-c",
    "shared_buffers=16MB",
    "-c",
    "max_connections=40",
    "-c",
    "log_statement=none",
)


class Postgres:
    """``program`` finds a program by name. ``start`` it; ``end`` removes all of it."""

    def __init__(self, program: Callable[[str], Path]) -> None:
        self._programs = program("initdb").resolve().parent  # the others are beside it, and not always on PATH
        self._folder = Path(tempfile.mkdtemp(prefix="vagus-postgres-"))
        self._data = self._folder / "data"
        self._account = _account()
        self._process: subprocess.Popen[Any] | None = None
        self.port = free_port()

    def url(self, database: str = "postgres", **options: str) -> str:
        """The address of a database here, with the password as an address writes it."""
        query = "".join(f"&{name}={text}" for name, text in options.items()).replace("&", "?", 1)
        return f"postgresql://{USER}:pass%20word%2Fof%40tests@127.0.0.1:{self.port}/{database}{query}"

    def start(self) -> None:
        """Start the server, with what it had if it ran before, and wait until it takes connections."""
        if not self._data.exists():
            self._make()
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command("postgres", "-D", self._data, "-k", self._folder), *_OPTIONS],
                stdout=log,
                stderr=log,
                **self._account,
            )
        deadline = time.monotonic() + START_S
        while subprocess.run(self._command("pg_isready", "-q"), check=False).returncode:
            assert self._process.poll() is None and time.monotonic() < deadline, self.log()
            time.sleep(0.02)

    def stop(self, number: int = signal.SIGINT) -> None:
        """Stop it, cutting every connection: SIGINT ends it in order, SIGKILL does not."""
        if self._process is None:
            return
        if number == signal.SIGKILL:
            # Its children would go on for a moment and keep the port and the memory that they share.
            for child in _children(self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, number)
        self._process.send_signal(number)
        self._process.wait(START_S)
        self._process = None

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def pause(self) -> None:
        """Have everything stand still, as behind a cable that was cut: connections stay and nobody answers."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal_all(signal.SIGCONT)

    def end(self) -> None:
        if self._process is not None:
            self.resume()
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    async def execute(self, statement: str, database: str = "postgres") -> Any:
        """Run a statement as its superuser."""
        connection = await asyncpg.connect(self.url(database), timeout=START_S)
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()

    async def speak_tls(self, certificate: str, key: str) -> None:
        """Have it show a certificate to whoever wants TLS, from the next connection on, until ``reset``."""
        for name, file in (("ssl_cert_file", certificate), ("ssl_key_file", key)):
            own = self._folder / Path(file).name
            shutil.copyfile(file, own)
            own.chmod(0o600)
            if self._account:
                os.chown(own, self._account["user"], self._account["group"])
            await self.execute(f"ALTER SYSTEM SET {name} = '{own}'")
        await self.execute("ALTER SYSTEM SET ssl = on")
        await self._reload("on")

    async def reset(self) -> None:
        """Take back what ``ALTER SYSTEM`` set."""
        await self.execute("ALTER SYSTEM RESET ALL")
        await self._reload("off")

    async def _reload(self, ssl: str) -> None:
        """It reloads when it comes to it, and only then do new connections see it."""
        await self.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + START_S
        while (await self.execute("SHOW ssl"))[0]["ssl"] != ssl:
            assert time.monotonic() < deadline, self.log()
            await asyncio.sleep(0.02)

    async def new_database(self) -> str:
        """Make a database that nobody has used yet, and return its name."""
        name = f"db_{uuid.uuid4().hex[:12]}"
        await self.execute(f'CREATE DATABASE "{name}"')
        return name

    def _make(self) -> None:
        password = self._folder / "password"
        password.write_text(PASSWORD)
        if self._account:
            for path in (self._folder, password):
                os.chown(path, self._account["user"], self._account["group"])
        options = f"-U {USER} -A scram-sha-256 -E UTF8 --locale=C --no-sync --no-instructions"
        done = subprocess.run(
            [str(self._programs / "initdb"), "-D", str(self._data), "--pwfile", str(password), *options.split()],
            capture_output=True,
            text=True,
            timeout=START_S,
            **self._account,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _command(self, program: str, *arguments: object) -> list[str]:
        return [str(self._programs / program), *map(str, arguments), "-h", "127.0.0.1", "-p", str(self.port)]

    def _signal_all(self, number: int) -> None:
        assert self._process is not None
        for process in (self._process.pid, *_children(self._process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)


@pytest.fixture(scope="session")
def postgres(installed_program: Callable[[str], Path], _blocking_calls: BlockBuster) -> Iterator[Postgres]:
    """A server for many tests, each with a database of its own. Who stops it starts it again."""
    for function in _blocking_calls.functions.values():
        # For each connection it looks whether the user has certificates in ~/.postgresql.
        function.can_block_in("asyncpg/connect_utils.py", {"_parse_connect_dsn_and_args", "_dot_postgresql_path"})
    server = Postgres(installed_program)
    try:
        server.start()
        yield server
    finally:
        server.end()


def _account() -> dict[str, Any]:
    """How to start a process as somebody else; nothing unless this is root."""
    if os.geteuid():
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": "/"}
    raise LookupError("PostgreSQL does not run as root, and this machine has no user for it")


def _children(parent: int) -> list[int]:
    return [int(number) for number in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
