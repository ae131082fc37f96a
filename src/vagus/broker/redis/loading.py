"""Scripts that every link for commands gets when it is opened, so that a server seldom says that it lacks one."""

import asyncio
from collections.abc import Iterable, Sequence

from . import Script, Word
from .link import Link


class Loaded:
    """The scripts that are known here: those given at the start, and what a server lacked since."""

    def __init__(self) -> None:
        self._scripts: dict[str, Script] = {}

    def add(self, scripts: Iterable[Script]) -> None:
        self._scripts.update((script.sha, script) for script in scripts)

    async def load(self, link: Link) -> None:
        """Failing is no harm: then it is tried again where the script is called."""
        if self._scripts:
            await asyncio.wait(link.send_all([_loading(script) for script in self._scripts.values()]))

    def missing(self, script: Script) -> tuple[Word, ...]:
        """The command that loads what a server lacks."""
        self._scripts[script.sha] = script
        return _loading(script)


def calling(script: Script, keys: Sequence[bytes], arguments: Sequence[Word]) -> tuple[Word, ...]:
    return (b"EVALSHA", script.sha, len(keys), *keys, *arguments)


def _loading(script: Script) -> tuple[Word, ...]:
    return (b"SCRIPT", b"LOAD", script.text)
