"""The machine: what it is, which of its cores serve and which load, and what is run on them.

Servers get the first core and the load generator the last, so that neither takes the other's time. On a machine of one
core they share it, and the results say so.
"""

import contextlib
import os
import platform
import resource
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build" / "bench"

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE = CORES[0]
LOAD_CORE = CORES[-1]


class UnavailableError(Exception):
    """Something cannot be measured on this machine; the message says why, for the results."""


@contextlib.contextmanager
def pinned_to(core: int) -> Iterator[None]:
    """Children started inside run on this core alone. They inherit it, so no program is needed in front of them."""
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, CORES)


def allow_many_files() -> None:
    """Raise the limit of open files, which children inherit, as far as it goes."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def run_quietly(command: Sequence[str | Path], *, limit_s: float = 300, folder: Path = ROOT, **variables: str) -> str:
    """The standard output of a command. Raises UnavailableError with its last words when it fails or is not there."""
    words = [str(word) for word in command]
    environment = {**os.environ, **variables}
    try:
        result = subprocess.run(
            words, cwd=folder, env=environment, capture_output=True, text=True, timeout=limit_s, check=False
        )
    except FileNotFoundError:
        raise UnavailableError(f"{words[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"{words[0]} took more than {limit_s:.0f} s") from None
    if result.returncode != 0:
        last = (result.stderr or result.stdout).strip().splitlines()[-1:] or ["no message"]
        raise UnavailableError(f"{Path(words[0]).name} failed: {last[0].strip()}")
    return result.stdout


def description() -> list[str]:
    """What the figures were measured on, a line for each fact."""
    return [
        f"processor: {_processor()}, {len(CORES)} cores; servers on core {SERVER_CORE}, load on core {LOAD_CORE}"
        + (" (the same one: figures mean little)" if SERVER_CORE == LOAD_CORE else ""),
        f"system: {platform.system()} {platform.release()}, {platform.machine()}",
        f"date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    ]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
