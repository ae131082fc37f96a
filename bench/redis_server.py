"""A Redis for the stage with several nodes: on a free port and the load's core, empty, ended by its process id."""

import contextlib
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench.machine import BUILD, LOAD_CORE, UnavailableError, pinned_to, run_quietly
from bench.servers import free_port, stop

START_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Redis:
    """One that runs, without persistence, so that no disk is measured."""

    port: int
    pid: int

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def memory(self) -> int:
        """Bytes that its data takes."""
        return int(_found(r"used_memory:(\d+)", self._info("memory")))

    @property
    def calls(self) -> dict[str, int]:
        """How often each command was carried out, those of scripts too."""
        return {name: int(count) for name, count in re.findall(r"cmdstat_(\S+?):calls=(\d+)", self._info("all"))}

    def _info(self, section: str) -> str:
        with socket.create_connection(("127.0.0.1", self.port), timeout=START_LIMIT_S) as connection:
            connection.sendall(f"INFO {section}\r\n".encode())
            with connection.makefile("rb") as answer:
                size = int(answer.readline()[1:])
                return answer.read(size).decode()


def version() -> str:
    """Raises UnavailableError where there is none."""
    number = _found(r"v=(\S+)", run_quietly(["redis-server", "--version"]))
    return f"Redis {number}, without persistence, on the load's core"


@contextlib.contextmanager
def redis_running() -> Iterator[Redis]:
    """One that is empty and ready. Raises UnavailableError when it does not become so."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(BUILD)]
    with (BUILD / "redis.log").open("wb") as log, pinned_to(LOAD_CORE):
        try:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        except FileNotFoundError:
            raise UnavailableError("redis-server is not installed") from None
    try:
        _wait_for(process, port)
        yield Redis(port, process.pid)
    finally:
        stop(process)


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.01)
    raise UnavailableError("redis-server does not start")


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found is not None else "0"
