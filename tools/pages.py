"""The pages of web/e2e, on which the packages of web/ are tried in a browser: built with Vite, and served.

They are built from the packages' sources as they are now. Serving is files from a folder and nothing else; the hub that
a page talks to stands elsewhere.
"""

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tools.system_packages import program_path

WEB = Path(__file__).parents[1] / "web"
BUILT = WEB.parent / "build" / "e2e"
BUILD_LIMIT_S = 120
TOLD_LINES = 12


class PagesError(Exception):
    """The pages cannot be built; the message says why."""


def build_pages() -> Path:
    """Build them anew. Returns the folder."""
    vite, node = WEB / "node_modules" / "vite" / "bin" / "vite.js", program_path("node")
    if node is None or not vite.exists():
        raise PagesError("web/node_modules or Node.js is missing: run `make dev`")
    command = [str(node), str(vite), "build", "--logLevel", "warn", "e2e"]
    environment = os.environ | {"NODE_ENV": "production", "NO_COLOR": "1"}
    built = subprocess.run(
        command, cwd=WEB, env=environment, capture_output=True, text=True, timeout=BUILD_LIMIT_S, check=False
    )
    if built.returncode:
        said = "\n".join((built.stdout + built.stderr).splitlines()[:TOLD_LINES])
        raise PagesError(f"the pages of web/e2e do not build:\n{said}")
    return BUILT


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads who fetched what."""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """A folder at an address of this machine, as long as the context lasts."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, name="pages")
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
