"""A whole server for admins: the command line's, in a folder of its own, with tokens and the key that it made."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import msgspec

from tests.integration.redis.servers import RedisServer
from tests.integration.test_cli import Server
from tests.patience import DEADLINE_S
from vagus.auth.claims import ConnectionClaims
from vagus.auth.minting import Signer, connection_token

BASE: Final = "/api/admin/realtime"


FREELY: Final = {"VAGUS_ADMIN__REQUESTS_BURST": "100000"}
"""Tests ask quicker than people; what is too quick has tests of its own."""


class House:
    """``vagus serve``, which may be stopped and started again on the same port."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self._folder = folder
        self._environment = FREELY | environment
        self._server = Server(folder, *arguments, **self._environment)
        self._data = folder / "vagus-data"
        self.site = self._server.url
        self.key = (self._data / "api_key").read_text().strip()

    def token(self, user: str = "ada", *roles: str) -> str:
        signer = Signer.with_secret((self._data / "token_secret").read_text().strip())
        return connection_token(ConnectionClaims(user=user, roles=frozenset(roles)), signer)

    @property
    def admin_token(self) -> str:
        return self.token("ada", "admin")

    def http(self, **headers: str) -> httpx.AsyncClient:
        """A client of the routes, by default an admin."""
        shown = headers or {"authorization": f"Bearer {self.admin_token}"}
        return httpx.AsyncClient(base_url=self.site, headers=shown, timeout=DEADLINE_S)

    async def say(self, path: str, body: object) -> Any:
        """Broadcast as an admin."""
        async with self.http() as http:
            answer = await http.post(f"{BASE}/{path}", content=msgspec.json.encode(body))
        assert answer.status_code == 202, answer.text
        return answer.json()

    def log(self) -> str:
        return self._server.log()

    def stop(self) -> None:
        self._server.stop()
        self._server.end()

    def start(self) -> None:
        self._server = Server(self._folder, "--port", self.site.rpartition(":")[2], **self._environment)

    def end(self) -> None:
        self._server.end()


H = TypeVar("H", bound=House)


@contextmanager
def two_on_redis(make: type[H], folder: Path, program: Path, **environment: str) -> Iterator[tuple[H, H]]:
    """Two nodes with the same data folder, on a Redis of their own."""
    with RedisServer(program, folder) as redis, ExitStack() as ending:
        nodes = []
        for _ in range(2):
            nodes.append(make(folder, VAGUS_BROKER__URL=redis.url, **environment))
            ending.callback(nodes[-1].end)
        yield nodes[0], nodes[1]
