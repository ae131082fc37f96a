"""The hub of ``web/testing/hub.py`` as a process behind a proxy, and somebody who publishes there.

It keeps its port over all of its lives. Whoever publishes comes directly, so that a bad network is the page's alone.
"""

import os
import random
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import jwt

from tests.faults.proxy import Proxy
from tests.faults.town import Program
from tests.integration.serving.processes import Event, Talker
from tests.ports import free_port

SECRET: Final = "a-secret-of-the-tests-that-is-long-enough"
_FOLDER: Final = Path(__file__).parents[3] / "web" / "testing"


class HubProcess:
    """``settings`` are ``VAGUS_…`` variables without that prefix, such as ``LIMITS__PING_INTERVAL_S``."""

    def __init__(self, folder: Path, rng: random.Random, settings: Mapping[str, str]) -> None:
        usual = {"TOKENS__HMAC_SECRET": SECRET, "ACCESS__ORIGINS": "*", "SERVER__LOG_LEVEL": "error"}
        environment = {f"VAGUS_{name}": value for name, value in (usual | dict(settings)).items()}
        self.program = Program("hub", folder, environment | {"PYTHONPATH": os.fspath(_FOLDER)})
        self.port = free_port()
        self.network = Proxy(rng, ("127.0.0.1", self.port))
        self._folder = folder

    @property
    def url(self) -> str:
        """Where pages find it: at its proxy."""
        return f"http://127.0.0.1:{self.network.port}"

    async def open(self) -> None:
        await self.network.start()
        await self.start()

    async def start(self) -> None:
        await self.program.start(
            *(sys.executable, "-m", "vagus", "serve", "--app", "hub:hub"),
            *("--port", str(self.port), "--data-dir", str(self._folder / "data")),
            until=" ready at ",
        )

    async def close(self) -> None:
        await self.program.kill()
        await self.network.close()

    async def publish(self, channel: str, numbers: Iterable[int]) -> None:
        """Publish ``{"n": number}`` one after the other."""
        await self.publish_each(channel, ({"n": number} for number in numbers))

    async def publish_each(self, channel: str, data: Iterable[object]) -> None:
        """Publish anything, one after the other."""
        talker = await Talker.come(f"http://127.0.0.1:{self.port}")
        for each in data:
            await talker.ask("publish", {"channel": channel, "data": each})
        await talker.leave()

    async def burst(self, channel: str, count: int, per_s: float = 0) -> None:
        """Publish numbers from 0 on, evenly spread."""
        talker = await Talker.come(f"http://127.0.0.1:{self.port}")
        wanted = {"channel": channel, "count": count, "per_s": per_s}
        await talker.ask("rpc", {"method": "burst", "data": wanted})
        await talker.leave()

    async def history(self, channel: str) -> list[int]:
        """The numbers that were published there, as the hub keeps them."""
        talker, numbers = await Talker.come(f"http://127.0.0.1:{self.port}"), list[int]()
        since: Event = {}
        while True:
            page = await talker.ask("history", {"channel": channel, "limit": 300, **since})
            found = page.get("publications", [])
            numbers += [publication["data"]["n"] for publication in found]
            if not found:
                await talker.leave()
                return numbers
            since = {"since": {"offset": found[-1]["offset"], "epoch": page["epoch"]}}


def token(user: str, ttl_s: float) -> str:
    """A token of the connection, as the page's own service would hand it out."""
    return jwt.encode({"sub": user, "exp": time.time() + ttl_s}, SECRET, "HS256")
