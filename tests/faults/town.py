"""Where a run takes place: Redis, PostgreSQL, nodes of ``vagus serve``, and proxies on the ways between them.

Every process can be killed, told to stop, frozen and started again; each logs into the town's folder. Ports are free
ones: a node says where it listens, and its proxies keep their ports over all of its lives.
"""

import asyncio
import http.client
import json
import os
import random
import signal
import struct
import sys
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from tests.integration.redis.servers import RedisCluster
from tests.integration.store.postgres import Postgres
from tests.patience import PATIENCE
from tests.ports import free_port
from tools.system_packages import program_path

from .proxy import Proxy

READY_S: Final = 20.0 * PATIENCE
"""How long a process may take until it is ready, on a busy machine."""

STOP_S: Final = 15.0 * PATIENCE

Durability = Literal["always", "snapshot", "none"]
"""What Redis keeps: every write before it is answered, what it was last told to save, or nothing."""

_PERSISTENCE: Final[Mapping[Durability, Sequence[str]]] = {
    "always": ("--appendonly", "yes", "--appendfsync", "always"),
    "snapshot": (),
    "none": (),
}
_ROOT: Final = Path(__file__).parents[2]
_CLEAN: Final = {name: text for name, text in os.environ.items() if not name.startswith(("VAGUS_", "WEBSOCKET_"))}
_SERVE: Final = (sys.executable, "-m", "vagus")


class TownError(Exception):
    """A process did not do what a process must: start, or stop when it is told to."""


class Program:
    """A process by its command, over several lives."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._folder = folder
        self._environment = _CLEAN | dict(environment or {})
        self._process: asyncio.subprocess.Process | None = None
        self._is_frozen = False

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self, *command: str, until: str) -> str:
        """Start it. Returns the line of its output that contains ``until``."""
        with self.log.open("ab") as log:
            process = self._process = await asyncio.create_subprocess_exec(
                *command, cwd=self._folder, env=self._environment, stdout=asyncio.subprocess.PIPE, stderr=log
            )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(READY_S):
                while line := (await process.stdout.readline()).decode():
                    if until in line:
                        return line
        except TimeoutError:
            raise TownError(f"{self.name} was not ready in time") from None
        raise TownError(f"{self.name} ended before it was ready")

    def signal(self, number: int) -> None:
        if self.is_running and self._process is not None:
            self._process.send_signal(number)

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        await self._end()

    async def stop(self) -> None:
        """Tell it to stop. Raises ``TownError`` if it does not end well and in time."""
        self.signal(signal.SIGTERM)
        code = await self._end()
        if code:
            raise TownError(f"{self.name} ended with {code} when it was told to stop")

    def freeze(self) -> None:
        self._is_frozen = True
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self._is_frozen:
            self._is_frozen = False
            self.signal(signal.SIGCONT)

    async def _end(self) -> int:
        if self._process is None:
            return 0
        self._is_frozen = False
        try:
            async with asyncio.timeout(STOP_S):
                await self._process.wait()
        except TimeoutError:
            self.signal(signal.SIGKILL)
            await self._process.wait()
            raise TownError(f"{self.name} did not stop in time") from None
        return self._process.returncode or 0


class Redis:
    """A redis-server on one port of its own; ``durability`` is what survives a kill."""

    def __init__(self, folder: Path, durability: Durability) -> None:
        self.program = Program("redis", folder)
        self.port = free_port()
        self._folder = folder
        self._durability = durability

    async def start(self) -> None:
        await self.program.start(
            *(
                str(_program("redis-server")),
                "--port",
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--dir",
                str(self._folder),
                "--save",
                "",
            ),
            *_PERSISTENCE[self._durability],
            until="Ready to accept connections",
        )

    async def save(self) -> None:
        """Write a snapshot, which is what the next life begins with."""
        await self.tell("SAVE")

    async def tell(self, *words: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(" ".join(words).encode() + b"\r\n")
        answer = await reader.readline()
        writer.close()
        if answer.startswith(b"-"):
            raise TownError(f"redis: {answer.decode().strip()}")


class Node:
    """One ``vagus serve``, by ``settings`` to which it adds where its Redis is. Clients come through ``front``, and it

    reaches Redis through ``back``; the servers of a Cluster say themselves where they are, and are reached there.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        rng: random.Random,
        *,
        settings: str,
        redis: Redis | None,
        cluster_url: str,
        is_insecure: bool,
        serve: Sequence[str],
    ) -> None:
        self.name = name
        self.front = Proxy(rng)
        self.back = Proxy(rng, ("127.0.0.1", redis.port) if redis is not None else None)
        self.clock = Clock(folder / f"{name}.clock")
        environment = {"PYTHONPATH": os.pathsep.join((str(_ROOT / "tests/faults/shifted"), str(_ROOT)))}
        self.program = Program(name, folder, environment | {"SHIFTED_CLOCK": str(self.clock.path)})
        self._folder = folder
        self._settings = settings
        self._has_redis = redis is not None
        self._cluster_url = cluster_url
        self._flags = ("--insecure",) if is_insecure else ()
        self._serve = serve

    async def open(self) -> None:
        await self.front.start()
        await self.back.start()
        url = f"redis://127.0.0.1:{self.back.port}" if self._has_redis else self._cluster_url
        text = self._settings.replace("[broker]\n", f'[broker]\nurl = "{url}"\n' if url else "[broker]\n")
        (self._folder / f"{self.name}.toml").write_text(text)

    async def start(self) -> None:
        line = await self.program.start(
            *(*self._serve, "serve", "--config", f"{self.name}.toml", "--data-dir", self.name, "--port", "0"),
            *("--log-format", "json", *self._flags),
            until=" ready at ",
        )
        self.front.target = ("127.0.0.1", int(line.rsplit(":", 1)[1]))

    async def ask(self, path: str) -> tuple[int, str]:
        """What it answers to a GET, over a connection of its own: the status and the text. Raises ``OSError``."""
        return await asyncio.to_thread(self._ask, path)

    def _ask(self, path: str) -> tuple[int, str]:
        assert self.front.target is not None
        connection = http.client.HTTPConnection(*self.front.target, timeout=READY_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def heal(self) -> None:
        self.program.thaw()
        self.front.heal()
        self.back.heal()

    async def close(self) -> None:
        await self.program.kill()
        await self.front.close()
        await self.back.close()
        self.clock.close()

    def errors(self) -> list[str]:
        """What it logged as an error, and what is no log at all, such as a traceback of the interpreter."""
        found = []
        for line in self.program.log.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                if line and "INSECURE" not in line and "For a laptop only" not in line:
                    found.append(f"{self.name}: {line[:200]}")
                continue
            if entry.get("level") in ("error", "critical"):
                found.append(f"{self.name}: {line[:400]}")
        return found


class Clock:
    """How far a node's wall clock is off. ``shifted/sitecustomize.py`` reads it there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("wb", buffering=0)
        self.jump(0.0)

    def jump(self, shift_s: float) -> None:
        self._file.seek(0)
        self._file.write(struct.pack("d", shift_s))

    def close(self) -> None:
        self._file.close()


class Town:
    """Everything of one run. Started with ``open``, ended with ``close`` by the process ids it knows."""

    def __init__(
        self,
        folder: Path,
        rng: random.Random,
        *,
        nodes: int,
        durability: Durability | None,
        settings: str,
        replicas: int | None = None,
        has_store: bool = False,
        direct: bool = False,
        serve: Sequence[str] = (),
    ) -> None:
        self.key = ""
        """What publishers show where they must show something."""
        self._direct = direct
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.store = Postgres(_program) if has_store else None
        if self.store is not None:
            settings += f'\n[store]\nurl = "{self.store.url()}"\n'
        self.redis = Redis(folder, durability) if durability is not None else None
        self.cluster = None
        """Of three masters with so many replicas each, if any are said; it keeps nothing on a disk."""
        if replicas is not None:
            self.cluster = RedisCluster(_program("redis-server"), folder, replicas=replicas)
        self.nodes = [
            Node(
                f"node{number}",
                folder,
                rng,
                settings=settings,
                redis=self.redis,
                cluster_url=self.cluster.url if self.cluster is not None else "",
                is_insecure=not has_store,
                serve=serve or _SERVE,
            )
            for number in range(nodes)
        ]

    async def open(self) -> None:
        if self.redis is not None:
            await self.redis.start()
        if self.cluster is not None:
            await asyncio.to_thread(self.cluster.__enter__)
        for node in self.nodes:
            await node.open()
        if self.store is not None:
            await asyncio.to_thread(self.store.start)
            self.key = await self._new_key()
        await _all(node.start() for node in self.nodes)

    async def _new_key(self) -> str:
        """A service key that is in the store alone."""
        command = (*_SERVE, "key", "new", "--name", "writers", "--scope", "publish", "--save", "--json")
        process = await asyncio.create_subprocess_exec(
            *(*command, "--config", "node0.toml", "--data-dir", "node0"),
            cwd=self._folder,
            env=_CLEAN | {"PYTHONPATH": str(_ROOT)},
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
        if process.returncode:
            raise TownError("no key could be made")
        key: str = json.loads(said)["key"]
        return key

    def addresses(self) -> list[tuple[str, int]]:
        """Where clients find the nodes: at their proxies, or, ``direct``, at the nodes themselves."""
        if self._direct:
            return [node.front.target for node in self.nodes if node.front.target is not None]
        return [node.front.address for node in self.nodes]

    async def heal(self) -> None:
        """Everything runs, and every line is good. Raises ``TownError``."""
        if self.redis is not None:
            self.redis.program.thaw()
            if not self.redis.program.is_running:
                await self.redis.start()
        if self.cluster is not None:
            await asyncio.to_thread(self.cluster.heal)
        for node in self.nodes:
            node.heal()
        await _all(node.start() for node in self.nodes if not node.program.is_running)

    async def close(self) -> None:
        """End everything, whatever part of it does not end well. Raises the first error after that."""
        ends = [node.close() for node in self.nodes]
        if self.redis is not None:
            ends.append(self.redis.program.kill())
        if self.cluster is not None:
            ends.append(asyncio.to_thread(self.cluster.close))
        if self.store is not None:
            ends.append(asyncio.to_thread(self.store.end))
        await _all(ends)

    def errors(self) -> list[str]:
        return [error for node in self.nodes for error in node.errors()]


async def _all(starts: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Let all of them end, and raise the first error after that: what still starts must not be killed meanwhile."""
    for result in await asyncio.gather(*starts, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


def _program(name: str) -> Path:
    path = program_path(name)
    assert path is not None, f"{name} is not on this machine"
    return path
