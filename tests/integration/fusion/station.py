"""``vagus serve`` with fusion, in a folder of its own, and the four files that its sources read."""

import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.integration.serving.processes import Serving
from tests.patience import DEADLINE_S
from vagus.auth.claims import ConnectionClaims
from vagus.auth.minting import Signer, connection_token
from vagus.store.sqlite import sqlite_store

BASE: Final = "/api/fusion"

FILES: Final[Mapping[str, str]] = {
    "memo_index.json": '{"memos": [{"id": 1}, {"id": 2}, {"id": 3}]}',
    "revenue_snapshot.json": '{"mrr": 48200.5, "currency": "EUR"}',
    "drive_sync.log": "2026-11-20 17:00:00 ERROR cut off\n2026-11-21T18:00:00Z status=OK files=12\n",
    "ERIC_recommendations.json": '{"recommendations": [{"title": "Call back"}, {"title": "Write down"}]}',
}
VALUES: Final[Mapping[str, object]] = {
    "memos": 3,
    "revenue": 48200.5,
    "driveSync": "OK",
    "driveSyncLastSync": "2026-11-21T18:00:00.000Z",
    "recommendations": [{"title": "Call back"}, {"title": "Write down"}],
}
FLAGS: Final = ("memoIndexAvailable", "revenueAvailable", "driveSyncLogAvailable", "recommendationsAvailable")

FREELY: Final = {"VAGUS_FUSION__REQUESTS_BURST": "100000"}
"""Tests ask quicker than people; what is too quick has tests of its own."""

Pulse = dict[str, Any]


@asynccontextmanager
async def kept_in(file: Path) -> AsyncIterator[AsyncConnection]:
    """A transaction in the store of a server that is not there."""
    store = sqlite_store(file)
    await store.start()
    try:
        async with store.begin() as transaction:
            yield transaction
    finally:
        await store.close()


class Station(Serving):
    """A server, or one of several that share a folder."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        super().__init__(folder, *arguments, **FREELY, **environment)
        assert self.url, self.lines
        self.data = folder / "vagus-data"

    def token(self, user: str = "ada", *roles: str) -> str:
        signer = Signer.with_secret((self.data / "token_secret").read_text().strip())
        return connection_token(ConnectionClaims(user=user, roles=frozenset(roles)), signer)

    @property
    def key(self) -> str:
        return (self.data / "api_key").read_text().strip()

    def http(self, *roles: str, **headers: str) -> httpx.AsyncClient:
        """A client with a token for these roles, or with these headers; underscores are hyphens."""
        shown = {name.replace("_", "-"): value for name, value in headers.items()}
        token = {"authorization": f"Bearer {self.token('ada', *(roles or ('viewer',)))}"}
        return httpx.AsyncClient(base_url=self.url + BASE, headers=shown or token, timeout=DEADLINE_S)

    async def get(self, path: str, **query: str | list[str]) -> Any:
        async with self.http() as http:
            return _good(await http.get(path, params=query))

    async def post(self, path: str, body: object = None) -> Any:
        """Ask as an admin."""
        async with self.http("admin") as http:
            return _good(await http.post(path, json=body))

    async def refresh(self) -> Pulse:
        """Have a pulse made; what it says."""
        return dict(await self.post("/refresh"))

    def write_files(self) -> None:
        """Put all four files there as they should be, whatever is in their place."""
        for name, content in FILES.items():
            self.remove(name)
            (self.data / name).write_text(content)

    def remove(self, name: str) -> None:
        path = self.data / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def damage(self, name: str, how: str) -> None:
        """Make a file useless: ``is a pipe``, ``has wrong types``, ``is cut``, ``is 1 GB`` or ``vanished``."""
        path = self.data / name
        match how:
            case "is a pipe":
                self.remove(name)
                os.mkfifo(path)
            case "has wrong types":
                path.write_text('{"memos": "many", "mrr": "plenty", "recommendations": "none"}')
            case "is cut":
                path.write_text(FILES[name][:-7])
            case "is 1 GB":
                os.truncate(path, 1_073_741_824)
            case "vanished":
                self.remove(name)
            case _:
                raise ValueError(how)


def _good(answer: httpx.Response) -> Any:
    assert answer.is_success, f"{answer.status_code} {answer.text}"
    return answer.json() if answer.content else None
