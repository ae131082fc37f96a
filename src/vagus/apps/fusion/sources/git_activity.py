"""Commits of a git repository: how many in the last day and week, and the last one. It asks the program ``git``.

A repository may be anybody's: nothing that its own configuration names is run, and what git says is bounded.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from vagus.apps.fusion.values import Field, Reading, Terms

from . import SourceError
from .fence import Fence

DAY_S: Final = 86_400
OUTPUT_BYTES: Final = 65_536

_SAFE: Final = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "log.showSignature=false")
_ENVIRONMENT: Final = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"}


def fields_of(name: str) -> tuple[Field, ...]:
    """The fields of a source with this name."""
    return (
        Field(f"{name}CommitsDay", "number", "commits"),
        Field(f"{name}CommitsWeek", "number", "commits"),
        Field(f"{name}LastCommit", "moment"),
        Field(f"{name}LastSubject", "text"),
    )


class GitActivity:
    """See ``Source``. The fields of ``terms`` are those of ``fields_of``.

    git looks for the repository in ``folder`` and above it, within the fence.
    """

    def __init__(
        self,
        terms: Terms,
        folder: Path,
        branch: str = "HEAD",
        clock: Callable[[], float] = time.time,
        fence: Fence | None = None,
    ) -> None:
        self.terms = terms
        self._folder = folder
        self._branch = branch
        self._clock = clock
        self._environment = _ENVIRONMENT | ({"GIT_CEILING_DIRECTORIES": str(fence.folder.parent)} if fence else {})

    async def collect(self) -> Reading:
        last = await self._git("log", "-1", "--no-show-signature", "--format=%ct %s", self._branch, "--")
        moment, _, subject = last.partition(" ")
        day, week = [await self._count(days) for days in (1, 7)] if last else (0, 0)
        values = (day, week, int(moment) if moment else None, subject[:200] if last else None)
        return Reading(dict(zip((field.name for field in self.terms.fields), values, strict=True)))

    async def close(self) -> None:
        pass

    async def _count(self, days: int) -> int:
        since = int(self._clock()) - days * DAY_S
        return int(await self._git("rev-list", "--count", f"--since=@{since}", self._branch, "--"))

    async def _git(self, *arguments: str) -> str:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        try:
            process = await asyncio.create_subprocess_exec(
                "git", "--no-pager", *_SAFE, "-C", str(self._folder), *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**inherited, **self._environment},
            )  # fmt: skip
        except FileNotFoundError:
            raise SourceError("the program git is not there: install it") from None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            said, complaint = await asyncio.gather(_start_of(process.stdout), _start_of(process.stderr))
            code = await process.wait()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if code == 0:
            return said.strip()
        if "bad revision" in complaint and self._branch == "HEAD":
            return ""  # there is no commit yet
        raise SourceError(f"{self._folder}: {_explained(complaint, self._branch)}")


async def _start_of(stream: asyncio.StreamReader) -> str:
    """What is said, of which only the start is kept."""
    kept = b""
    while piece := await stream.read(OUTPUT_BYTES):
        kept = (kept + piece)[:OUTPUT_BYTES]
    return kept.decode(errors="replace")


def _explained(complaint: str, branch: str) -> str:
    if "dubious ownership" in complaint:
        return "git does not trust the repository of another user: see safe.directory in git's manual"
    if "not a git repository" in complaint:
        return "is not a git repository"
    if "cannot change to" in complaint:
        return "is not there, or no folder"
    if "bad revision" in complaint or "unknown revision" in complaint:
        return f"has no branch {branch}"
    return f"git says: {complaint.strip().splitlines()[-1][:200] if complaint.strip() else 'nothing'}"
