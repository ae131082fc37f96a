"""The console as people meet it: ``vagus serve`` as a process, which can end and start again, behind a proxy.

The proxy is the network that breaks. The pages are those of the installed package: `make dev` builds them.
"""

import asyncio
import os
import random
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.faults.proxy import Proxy
from tests.faults.town import Program, free_port

COMMAND_S: Final = 30.0


class ConsoleServer:
    """``flags`` are those of ``vagus serve``: ``("--insecure", "--demo")``."""

    def __init__(self, folder: Path, flags: Sequence[str]) -> None:
        self.program = Program("console", folder, {"VAGUS_SERVER__LOG_LEVEL": "error"})
        self.port = free_port()
        self.network = Proxy(random.Random(0), ("127.0.0.1", self.port))
        self.data = folder / "data"
        self._folder = folder
        self._flags = tuple(flags)

    @property
    def url(self) -> str:
        """Where browsers find it: at its proxy."""
        return f"http://127.0.0.1:{self.network.port}"

    async def open(self) -> None:
        await self.network.start()
        await self.start()

    async def start(self) -> None:
        serve = (sys.executable, "-m", "vagus", "serve", "--port", str(self.port), "--data-dir", str(self.data))
        await self.program.start(*serve, *self._flags, until=" ready at ")

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
