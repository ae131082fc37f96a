"""The console as people meet it: ``vagus serve`` as a process, which can end and start again, behind a proxy.

The proxy is the network that breaks. The pages are those of the installed package: `make dev` builds them.
"""

import asyncio
import os
import random
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.faults.proxy import Proxy
from tests.faults.town import Program
from tests.ports import free_port

COMMAND_S: Final = 30.0


def _nothing(_folder: Path) -> None:
    """The folder of a server that nobody has configured."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a server is: by default one that asks nobody to sign in, and finds no files.

    Tests share the servers of a kind. ``is_own`` is for those that stop theirs, or change what it keeps. ``fill`` puts
    into the server's folder what is there before it starts.
    """

    flags: tuple[str, ...] = ("--insecure",)
    fill: Callable[[Path], None] = _nothing
    is_own: bool = False


class ConsoleServer:
    """Not a process until it is opened."""

    def __init__(self, folder: Path, kind: Kind) -> None:
        # All tests knock from one address, which has few tries to sign in.
        settings = {"VAGUS_SERVER__LOG_LEVEL": "error", "VAGUS_CONSOLE__REQUESTS_BURST": "100000"}
        self.program = Program("console", folder, settings)
        self.port = free_port()
        self.network = Proxy(random.Random(0), ("127.0.0.1", self.port))
        self.data = folder / "data"
        self._folder = folder
        self._kind = kind

    @property
    def url(self) -> str:
        """Where browsers find it: at its proxy."""
        return f"http://127.0.0.1:{self.network.port}"

    async def open(self) -> None:
        self._kind.fill(self._folder)
        await self.network.start()
        await self.start()

    async def start(self) -> None:
        serve = (sys.executable, "-m", "vagus", "serve", "--port", str(self.port), "--data-dir", str(self.data))
        await self.program.start(*serve, *self._kind.flags, until=" ready at ")

    async def close(self) -> None:
        await self.program.kill()
        await self.network.close()

    async def run(self, *arguments: str, typed: str = "") -> str:
        """Run ``vagus …`` beside the server, on its data folder. Returns what it printed."""
        environment = {name: text for name, text in os.environ.items() if not name.startswith("VAGUS_")}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "vagus", *arguments, "--data-dir", str(self.data)),
            cwd=self._folder,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(COMMAND_S):
            said, _ = await process.communicate(typed.encode())
        assert process.returncode == 0, said.decode()
        return said.decode()

    async def link(self, role: str = "admin") -> str:
        """The path of a link that signs in once."""
        found = re.search(r"code=[\w-]+", await self.run("link", "--role", role))
        assert found is not None
        return f"/?{found[0]}"
