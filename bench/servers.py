"""Servers as child processes: started on the servers' core, known by their port and process id, ended by that id."""

import contextlib
import json
import os
import select
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bench.machine import BUILD, ROOT, SERVER_CORE, UnavailableError, pinned_to

START_LIMIT_S = 20.0
STOP_LIMIT_S = 5.0
PORT = "{port}"


@dataclass(frozen=True, slots=True)
class Program:
    """A server that can be started.

    One with `{port}` in its command or environment is told a free port and is up when /health answers 200. Any other
    chooses a port and says it in one JSON line, `{"port": 1, "pid": 2}`.
    """

    name: str
    version: str
    protocol: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    api_key: str = ""


@dataclass(frozen=True, slots=True)
class Server:
    """A running program."""

    program: Program
    port: int
    pid: int
    ready_s: float


@contextlib.contextmanager
def running(program: Program, *, port: int | None = None, patience_s: float = STOP_LIMIT_S) -> Iterator[Server]:
    """A server that is ready, and that is gone afterwards; on the port given, where it can be told one, and with so

    much time to stop.

    Raises UnavailableError when it does not become ready.
    """
    is_told = PORT in "".join((*program.command, *program.environment.values()))
    told = str(port or free_port()) if is_told else None
    command = [word.replace(PORT, told or "") for word in program.command]
    environment = {name: value.replace(PORT, told or "") for name, value in program.environment.items()}
    log = BUILD / f"{program.name}.log"
    started = time.monotonic()
    with log.open("wb") as errors, pinned_to(SERVER_CORE):
        try:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **environment},
                stdout=subprocess.PIPE if told is None else errors,  # nobody reads the pipe once the port is known
                stderr=errors,
            )
        except OSError as error:
            raise UnavailableError(f"{program.name} does not start: {error}") from None
    try:
        found = _port_announced(process) if told is None else _port_served(process, int(told))
        if found is None:
            raise UnavailableError(f"{program.name} does not start: {_last_line(log.read_text(errors='replace'))}")
        yield Server(program=program, port=found, pid=process.pid, ready_s=time.monotonic() - started)
    finally:
        stop(process, patience_s)


def free_port() -> int:
    """A port that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _port_announced(process: subprocess.Popen[bytes]) -> int | None:
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], START_LIMIT_S)
    line = process.stdout.readline() if readable else b""
    return int(json.loads(line)["port"]) if line.startswith(b"{") else None


def _port_served(process: subprocess.Popen[bytes], port: int) -> int | None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
                if answer.status == 200:
                    return port
        time.sleep(0.005)
    return None


def stop(process: subprocess.Popen[bytes], patience_s: float = STOP_LIMIT_S) -> None:
    """End a process that may have ended already: asked to first, then made to."""
    process.terminate()
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]
