"""The packages of web/ as they are published: packed, installed into a fresh Vite and React app, and run.

The app is a copy of ``web/integration/app`` in an empty folder, which knows the packages by their archives alone. It is
type-checked, built and looked at in Chromium; the same installation runs in Node.js and in Deno.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.integration.native.serving import LoopThread, Server
from tests.patience import DEADLINE_S, PATIENCE
from tools.pages import WEB
from vagus import Caller, ChannelRule, Hub, Last

from .conftest import Serve, servers_of
from .site import folder_site

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]

SOURCES: Final = WEB / "integration" / "app"
TOOLS: Final = ("react", "react-dom", "@types/react", "@types/react-dom", "vite", "@vitejs/plugin-react", "typescript")
ANYONE: Final = ("anyone",)
NO_REGISTRY: Final = ("ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN", "ETIMEDOUT", "ENOTCACHED", "ECONNRESET")


ENVIRONMENT: Final = os.environ | {
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
    "NO_COLOR": "1",
    "npm_config_update_notifier": "false",
}
"""The Node.js of the virtual environment goes first, where there is one."""


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=150 * PATIENCE, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def pack(package: Path, destination: Path) -> Path:
    """Build a package and pack it."""
    run(package, "npm", "run", "--silent", "build")
    [packed] = json.loads(run(package, "npm", "pack", "--json", f"--pack-destination={destination}"))
    return destination / str(packed["filename"])


def versions() -> list[str]:
    """What the app needs beside the packages, in the versions that web/ is locked to."""
    locked = json.loads((WEB / "package-lock.json").read_text())["packages"]
    return [f"{name}@{locked[f'node_modules/{name}']['version']}" for name in TOOLS]


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the app, installed; skips if what it needs cannot be had."""
    archives = tmp_path_factory.mktemp("archives")
    packed = [str(pack(WEB / "packages" / name, archives)) for name in ("client", "react")]
    folder = tmp_path_factory.mktemp("app")
    shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
    install = ("npm", "install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund")
    try:
        run(folder, *install, *packed, *versions())
    except RuntimeError as failed:
        if not any(code in str(failed) for code in NO_REGISTRY):
            raise
        reason = "there is no registry of npm packages, and the cache lacks some"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def built(app: Path) -> Path:
    """The folder of the app's build."""
    run(app, "node", "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn")
    return app / "dist"


@pytest_asyncio.fixture(loop_scope="session")
async def serve(server_thread: LoopThread, built: Path) -> AsyncIterator[Serve]:
    async with servers_of(server_thread, folder_site(built)) as start:
        yield start


def hub() -> Hub:
    rule = ChannelRule(pattern="orders:{id}", history=Last(10, hours=1), subscribe=ANYONE)
    hub = Hub(rules=[rule], allow_anonymous=True)

    @hub.call("echo", allow=ANYONE)
    def echo(_: Caller, value: object) -> object:
        return value

    return hub


async def said_by(folder: Path, server: Server, *command: str | Path) -> str:
    """What a program prints that is given the server's address."""
    process = await asyncio.create_subprocess_exec(
        *command, server.site, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said, _ = await asyncio.wait_for(process.communicate(), DEADLINE_S * 3)
    return said.decode().strip()


async def test_the_app_type_checks_with_the_packages_own_types(app: Path) -> None:
    run(app, "node", "node_modules/typescript/bin/tsc", "--skipLibCheck", "false")


async def test_the_page_shows_what_is_published_over_a_shared_connection(serve: Serve, page: Page) -> None:
    server = await serve(hub())
    faults: list[Any] = []
    page.on("pageerror", lambda fault: faults.append(fault))
    await page.goto(server.site)
    await expect(page.locator("#transport")).to_have_text("shared")
    await server.publish("orders:7", {"state": "paid"})
    await expect(page.locator("#order")).to_have_text("paid")
    assert not faults


async def test_the_client_is_imported_in_node(serve: Serve, app: Path) -> None:
    assert await said_by(app, await serve(hub()), "node", "as-module.mjs") == "imported"


async def test_the_client_is_required_in_node(serve: Serve, app: Path) -> None:
    assert await said_by(app, await serve(hub()), "node", "as-required.cjs") == "required"


async def test_the_client_is_imported_in_deno(serve: Serve, app: Path) -> None:
    deno = WEB / "node_modules" / ".bin" / "deno"
    command = (deno, "run", "--quiet", "--allow-net", "--node-modules-dir=manual", "as-module.mjs")
    assert await said_by(app, await serve(hub()), *command) == "imported"
