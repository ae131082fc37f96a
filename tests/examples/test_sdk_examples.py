"""The examples on ``vagus.client``, beside a server whose rules are those of docs/recipes.md."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import httpx
import pytest

from tests.examples import driving
from tests.examples.driving import soon
from tests.examples.pages import ROOT, Page
from tests.examples.test_docs import ADDRESS, VAGUS, Server, ending, run, serving
from tests.patience import DEADLINE_S
from vagus.client import Client, Message, Subscription

RULES: Final = Page(ROOT / "docs" / "recipes.md").configuration


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server, and what the examples need to find it and to be let in."""
    with serving(tmp_path, configuration=RULES) as server:
        monkeypatch.setenv("HUB_URL", server.replacing(f"http://{ADDRESS}"))
        monkeypatch.setenv("HUB_TOKEN", token(tmp_path, "--user", "shop", "--role", "service"))
        yield server


def token(folder: Path, *options: str) -> str:
    return run(*VAGUS, "token", *options, cwd=folder).stdout.strip()


def customer(hub: Server, folder: Path) -> Client:
    return Client(hub.replacing(f"http://{ADDRESS}"), token=token(folder, "--user", "42"))


async def first(subscription: Subscription[Any]) -> object:
    message: Message[object] = await soon(anext(subscription))
    return message.data


@contextmanager
def worker(name: str) -> Iterator[IO[str]]:
    """The worker as a process of its own; what it prints."""
    command = (sys.executable, "-m", "examples.worker", name)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process, ending(process):
        assert process.stdout is not None
        yield process.stdout


async def test_what_an_existing_service_changes_is_seen_by_who_follows(hub: Server, tmp_path: Path) -> None:
    async with (
        driving.serving("examples.fastapi_live") as service,
        customer(hub, tmp_path) as client,
        client.subscribe("orders:42") as order,
        httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=DEADLINE_S) as http,
    ):
        response = await http.post("/orders/42/status", json={"status": "paid"})
        assert response.json() == {"offset": 1}
        assert await first(order) == {"status": "paid"}


async def test_a_worker_gets_its_orders_and_tells_what_it_has_done(hub: Server, tmp_path: Path) -> None:
    async with customer(hub, tmp_path) as client, client.subscribe("done") as done:
        with worker("press-3") as output:
            assert await asyncio.to_thread(output.readline) == "press-3 waits for orders\n"
            ordered = run(*VAGUS, "publish", "work:press-3", '{"id": 7, "item": "bracket"}', cwd=tmp_path)
            assert ordered.returncode == 0, ordered.stderr
            assert await first(done) == {"order": 7, "by": "press-3"}
            assert await asyncio.to_thread(output.readline) == "making a bracket\n"
