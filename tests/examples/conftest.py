"""What the examples in TypeScript need: the packages of web/, built as they are now, and Chromium."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.chromium import ARGUMENTS
from tests.examples.pages import ROOT
from tests.patience import DEADLINE_S, PATIENCE

WEB: Final = ROOT / "web"

RunNode = Callable[..., str]

expect.set_options(timeout=DEADLINE_S * 1000)


@pytest.fixture(scope="session")
def run_node(installed_program: Callable[[str], Path]) -> RunNode:
    """Run a program of web/node_modules, and return what it printed: ``run_node("vite", "build", cwd=folder)``."""
    node = installed_program("node")
    if not (WEB / "node_modules").is_dir():
        reason = "web/node_modules is missing: run `make dev`"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)

    def run(program: str, *arguments: str, cwd: Path) -> str:
        ran = subprocess.run(
            (str(node), str((WEB / "node_modules" / ".bin" / program).resolve()), *arguments),
            cwd=cwd,
            env=os.environ | {"NO_COLOR": "1", "NODE_ENV": "production"},
            capture_output=True,
            text=True,
            check=False,
            timeout=100 * PATIENCE,
        )
        assert ran.returncode == 0, f"{program}:\n{ran.stdout}{ran.stderr}"
        return ran.stdout

    return run


@pytest.fixture(scope="session")
def packages(run_node: RunNode, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of modules that has the packages of web/ too, built from a copy, so that nobody else's build matters."""
    web = tmp_path_factory.mktemp("packages") / "web"
    modules = web / "node_modules"
    modules.mkdir(parents=True)
    for module in (WEB / "node_modules").iterdir():
        if module.name != "@vagus":
            (modules / module.name).symlink_to(module)
    (modules / "@vagus").symlink_to(web / "packages")
    shutil.copy(WEB / "tsconfig.base.json", web)
    for package in ("client", "react"):
        copied = shutil.ignore_patterns("dist", "node_modules", "tests")
        shutil.copytree(WEB / "packages" / package, web / "packages" / package, ignore=copied)
        run_node("tsc", "-p", "tsconfig.build.json", cwd=web / "packages" / package)
    return modules


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(installed_program: Callable[[str], Path]) -> AsyncIterator[Browser]:
    program = installed_program("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS, timeout=2_000 * DEADLINE_S)
        yield browser
        await browser.close()
