"""“Grow” in the README, done as it says: its files are written, its commands run in its order, by a shell.

What is replaced so that it runs beside other things: the four ports, and ``sudo -u postgres``, which stands for being
the superuser of a PostgreSQL of the test's own. What apt-get would install must be on the machine.
"""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.examples.pages import ROOT, Page
from tests.integration.redis.servers import RedisServer
from tests.integration.store.postgres import PASSWORD, USER, Postgres
from tests.patience import DEADLINE_S
from tests.ports import free_port
from tools.system_packages import PACKAGES

OWNER: Final = "ada"
"""The user who follows the README, and the role that they make."""

_FENCE: Final = re.compile(r"^```(bash|toml|nginx)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE: Final = re.compile(r"# (\S+)\n")


class Section:
    """The part of the README below a heading: its files by name, and its commands."""

    def __init__(self, heading: str) -> None:
        text = Page(ROOT / "README.md").text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        self.files: dict[str, str] = {}
        self.commands: list[str] = []
        for language, block in _FENCE.findall(text):
            if language == "bash":
                self.commands += block.splitlines()
            elif named := _FILE.match(block):
                self.files[named[1]] = block

    def starting(self, words: str) -> list[str]:
        return [command for command in self.commands if command.startswith(words)]


SECTION: Final = Section("Grow")


class Place:
    """A folder with the files, in which commands are run; everything that it starts ends with it."""

    def __init__(self, folder: Path, ports: dict[str, int], environment: dict[str, str]) -> None:
        self.folder = folder
        self._ports = ports
        self._environment = environment
        self.started: list[asyncio.subprocess.Process] = []
        self.balancer: asyncio.subprocess.Process | None = None

    def replacing(self, text: str) -> str:
        return re.sub(r"\b(8001|8002|8080|6379)\b", lambda found: str(self._ports[found[0]]), text)

    async def start(self, command: str) -> asyncio.subprocess.Process:
        """Run a command as the shell reads it, in place of the shell, so that it can be ended by its own id."""
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", f"exec {self.replacing(command)}"),
            cwd=self.folder,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self.started.append(process)
        return process

    async def run(self, command: str) -> None:
        process = await self.start(command)
        output, _ = await asyncio.wait_for(process.communicate(), DEADLINE_S)
        assert process.returncode == 0, f"{command}: {output.decode()}"

    async def serve(self, command: str) -> asyncio.subprocess.Process:
        """Start a server, and wait until its port, the last of the command or of nginx's file, takes connections."""
        process = await self.start(command)
        if "nginx" in command:
            self.balancer = process
        ports = re.findall(r"--port (\d+)", self.replacing(command)) or [str(self._ports["8080"])]
        async with asyncio.timeout(DEADLINE_S):
            while not await takes_connections(int(ports[0])):
                assert process.returncode is None, await said(process)
        return process

    async def end(self) -> None:
        """The client first, and nginx in order: its workers would outlive it otherwise."""
        for process in reversed(self.started):
            if process.returncode is None:
                process.send_signal(signal.SIGTERM if process is self.balancer else signal.SIGKILL)
            await process.wait()
            await said(process)  # nothing is left unread, and the pipe is closed


async def takes_connections(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        await asyncio.sleep(0.05)
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def said(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.read()).decode()


async def line_with(process: asyncio.subprocess.Process, text: str) -> str:
    """The next line with this text in it."""
    assert process.stdout is not None
    async with asyncio.timeout(DEADLINE_S):
        async for line in process.stdout:
            if text in line.decode():
                return line.decode()
    raise AssertionError(f"it ended without saying {text}")


async def answers_through(place: Place) -> None:
    """nginx finds the node that there is, at once and every time."""
    async with httpx.AsyncClient() as http:
        url = place.replacing("http://127.0.0.1:8080/health?live")
        assert [(await http.get(url)).status_code for _ in range(4)] == [200] * 4


@pytest.fixture
def postgres(installed_program: Callable[[str], Path]) -> Iterator[Postgres]:
    server = Postgres(installed_program)
    try:
        server.start()
        yield server
    finally:
        server.end()


@pytest.fixture
def redis(installed_program: Callable[[str], Path], tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(installed_program("redis-server"), tmp_path) as server:
        yield server


def environment(postgres: Postgres, user: str, tools: Path) -> dict[str, str]:
    """Commands find ours first, and PostgreSQL by its own variables, as they find Debian's by its socket."""
    own = {name: text for name, text in os.environ.items() if not name.startswith(("VAGUS_", "PG", "WEBSOCKET_"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), str(tools), own.get("PATH", os.defpath)])
    where = {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGUSER": user, "PGPASSWORD": PASSWORD}
    return own | where | {"PATH": path, "USER": OWNER}


@asynccontextmanager
async def place_for(
    folder: Path, redis: RedisServer, postgres: Postgres, installed_program: Callable[[str], Path]
) -> AsyncIterator[Place]:
    ports = {name: free_port() for name in ("8001", "8002", "8080")} | {"6379": redis.port}
    tools = installed_program("initdb").resolve().parent
    superuser = Place(folder, ports, environment(postgres, USER, tools))
    place = Place(folder, ports, environment(postgres, OWNER, tools))
    try:
        for command in SECTION.starting("sudo -u postgres "):
            await superuser.run(command.removeprefix("sudo -u postgres "))
        await postgres.execute(f"ALTER ROLE {OWNER} PASSWORD '{PASSWORD}'")  # who comes by a socket needs none
        for name, text in SECTION.files.items():
            (folder / name).write_text(place.replacing(text))
        yield place
    finally:
        await place.end()
        await superuser.end()


def test_what_is_installed_is_what_the_tests_install_too() -> None:
    (command,) = SECTION.starting("sudo apt-get install")
    ours = {package for packages in PACKAGES.values() for package in packages}
    assert set(command.split()[4:]) <= ours


def test_every_command_is_used_and_every_port_is_replaced() -> None:
    known = (
        "sudo apt-get install ",
        "sudo -u postgres ",
        "vagus serve ",
        "/usr/sbin/nginx ",
        "vagus tail ",
        "vagus publish ",
    )
    assert set(SECTION.files) == {"vagus.toml", "nginx.conf"}
    assert [command for command in SECTION.commands if not command.startswith(known)] == []
    text = "\n".join([*SECTION.commands, *SECTION.files.values()])
    assert set(re.findall(r":(\d{4})\b|--port (\d{4})", text)) <= {
        *((port, "") for port in ("8001", "8002", "8080", "6379")),
        *(("", port) for port in ("8001", "8002")),
    }


@pytest.mark.timeout(90)
async def test_two_nodes_behind_nginx_are_one_hub_and_one_may_be_lost(
    tmp_path: Path, redis: RedisServer, postgres: Postgres, installed_program: Callable[[str], Path]
) -> None:
    async with place_for(tmp_path, redis, postgres, installed_program) as place:
        first, second = [await place.serve(command) for command in SECTION.starting("vagus serve ")]
        (nginx,) = SECTION.starting("/usr/sbin/nginx ")
        await place.serve(nginx.replace("/usr/sbin/nginx", str(installed_program("nginx"))))
        (tail,) = SECTION.starting("vagus tail ")
        client = await place.start(tail)
        to_first, to_second = SECTION.starting("vagus publish ")

        await place.run(to_first)
        await line_with(client, "the first node")
        first.kill()
        await place.run(to_second)
        await line_with(client, "the second node")
        await answers_through(place)

        again = await place.serve(SECTION.starting("vagus serve ")[0])
        second.kill()
        await second.wait()
        await answers_through(place)
        await place.run(to_first)
        await line_with(client, "the first node")
        assert again.returncode is None
        tables = await postgres.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE 'vagus_%'", "vagus")
        assert tables
