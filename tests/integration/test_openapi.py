"""Schemathesis against a real server: whatever the OpenAPI document allows or forbids, the answer is one it names."""

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from vagus.api.app import api_app
from vagus.apps.admin import install
from vagus.auth.keys import KeyRing, KeyRow
from vagus.hub import Hub
from vagus.kernel.rates import Buckets, Rate


def hub_and_api() -> Callable[..., Any]:
    hub = Hub(open_to_all=True)
    keys = KeyRing.from_rows([KeyRow(name="all", secret="all", scopes=frozenset("*"))], now=time.time)
    routes = partial(install(hub).routes, keys, Buckets(Rate(per_s=1e6, burst=1_000_000)))
    api = api_app(hub, keys=keys, routes=routes)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await api(scope, receive, send)
            return
        async with hub:
            await api(scope, receive, send)

    return application


@pytest.fixture
def address() -> Iterator[str]:
    """A server on a port that the system chose. Its socket listens already, so nobody need wait for it."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(hub_and_api(), log_level="warning", access_log=False, lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.mark.timeout(180)
def test_every_answer_is_one_that_the_document_names(
    address: str, installed_program: Callable[[str], Path], tmp_path: Path
) -> None:
    command = [
        str(installed_program("schemathesis")),
        "--no-color",
        "run",
        f"{address}/docs/openapi.json",
        f"--url={address}",
        "--header=X-API-Key: all",
        "--phases=examples,coverage,fuzzing",
        "--max-examples=10",
        # JSON Schema takes 1.0 for a whole number; like Go, we do not.
        "--exclude-checks=positive_data_acceptance",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
