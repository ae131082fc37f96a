"""A real server with a console's door, and browsers' requests to it."""

import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.integration.test_cli import CLEAN, VAGUS, Server
from tests.patience import DEADLINE_S
from vagus.auth.claims import ConnectionClaims
from vagus.auth.minting import Signer, connection_token

FREELY: Final = {"VAGUS_CONSOLE__REQUESTS_BURST": "100000"}
SESSION: Final = "/api/console/session"
SESSIONS: Final = "/api/console/sessions"
PASSWORD: Final = "correct horse battery"


NewHouse = Callable[..., "House"]
OpenSocket = Callable[..., Awaitable[ClientConnection]]


class House:
    """``vagus serve`` in a folder of its own, and the commands beside it."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.folder = folder
        self._pages = count(1)
        self.server = Server(folder, *arguments, **FREELY | environment)
        self.site = self.server.url

    def vagus(self, *arguments: str, said: str = "") -> str:
        """What a command prints."""
        ran = subprocess.run(
            [*VAGUS, *arguments],
            cwd=self.folder,
            env=CLEAN,
            input=said,
            text=True,
            capture_output=True,
            check=True,
            timeout=DEADLINE_S,
        )
        return ran.stdout.strip()

    def token(self, user: str, *roles: str) -> str:
        secret = (self.folder / "vagus-data" / "token_secret").read_text().strip()
        return connection_token(ConnectionClaims(user=user, roles=frozenset(roles)), Signer.with_secret(secret))

    def page(self, cookie: str = "", **headers: str) -> httpx.AsyncClient:
        """A page of the server's own, at an address of its own: a browser names its origin, and keeps its cookies."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        number = next(self._pages)
        shown = {"origin": self.site, "x-forwarded-for": f"10.0.{number // 256}.{number % 256}", **given}
        if cookie:
            shown["cookie"] = cookie
        return httpx.AsyncClient(base_url=self.site, headers=shown, timeout=DEADLINE_S)

    async def signed_in(self, user: str, *roles: str) -> str:
        """The cookie of a new session."""
        async with self.page() as page:
            answer = await page.post(SESSION, json={"token": self.token(user, *roles)})
        assert answer.status_code == 200, answer.text
        return f"vagus_session={page.cookies['vagus_session']}"

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.server.log().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def end(self) -> None:
        self.server.end()


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all tests: each signs in users of its own."""
    folder = tmp_path_factory.mktemp("console")
    # Anybody's pages may connect: what a session is good for does not hang on that. Each page has an address of its
    # own, since one address has few tries.
    (folder / "vagus.toml").write_text('[access]\norigins = ["*"]\nproxies = ["127.0.0.1"]\n')
    house = House(folder)
    yield house
    house.end()


@pytest.fixture
async def open_socket() -> AsyncIterator[OpenSocket]:
    """``await open_socket(house, Cookie=…)``: a WebSocket that has not said anything yet."""
    opened: list[ClientConnection] = []

    async def open_one(house: House, **headers: str) -> ClientConnection:
        url = f"{house.site.replace('http', 'ws', 1)}/connection/websocket"
        socket = await connect(url, additional_headers={"Origin": house.site, **headers}, open_timeout=DEADLINE_S)
        opened.append(socket)
        return socket

    yield open_one
    for socket in opened:
        await socket.close()


@pytest.fixture
def new_house(tmp_path: Path) -> Iterator[NewHouse]:
    """``new_house("--insecure", VAGUS_…="…")``: one that nobody has knocked at."""
    made: list[House] = []

    def make(*arguments: str, **environment: str) -> House:
        made.append(House(tmp_path, *arguments, **environment))
        return made[-1]

    yield make
    for house in made:
        house.end()
