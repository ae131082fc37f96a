"""A page that loads the browser builds of the npm package ``centrifuge`` as they are, from the server it talks to.

Coming from there makes its origin the server's own; that a page from elsewhere is refused is a test of its own. Beside
the page there is nothing: uvicorn serves it through the same doorway that takes the WebSockets.
"""

from collections.abc import Mapping
from mimetypes import guess_type
from pathlib import Path
from typing import Any, Final

from tests.integration.native.peers import NODE_FOLDER
from tests.integration.native.serving import App

_BUILDS: Final = NODE_FOLDER / "node_modules" / "centrifuge" / "dist"

PAGE: Final = """<!doctype html>
<title>Peers</title>
<script src="/centrifuge.js"></script>
<script>const json = globalThis.Centrifuge;</script>
<script src="/centrifuge.protobuf.js"></script>
<script type="module">
  import { Peers } from "/peers.mjs";
  const peers = new Peers({ json, protobuf: globalThis.Centrifuge }, (event) => globalThis.report(event));
  globalThis.run = (command) => peers.run(command).then(
    (result) => ({ result }),
    (error) => ({ error: { code: error.code ?? -1, message: error.message ?? String(error) } }),
  );
  document.title = "Ready";
</script>
"""


def site_of(page: str, scripts: Mapping[str, Path]) -> App:
    """A page and its scripts by their paths, as an ASGI app."""

    async def site(scope: Any, receive: Any, send: Any) -> None:
        script = scripts.get(scope["path"])
        body = script.read_bytes() if script is not None else page.encode() if scope["path"] == "/" else b""
        await _answer(send, body, "text/javascript" if script is not None else "text/html")

    return site


def folder_site(folder: Path) -> App:
    """The files of a folder, such as a bundler's output."""
    files = {f"/{path.relative_to(folder).as_posix()}": path for path in folder.rglob("*") if path.is_file()}
    files["/"] = folder / "index.html"

    async def site(scope: Any, receive: Any, send: Any) -> None:
        file = files.get(scope["path"])
        if file is None:
            await _answer(send, b"", "text/plain")
        else:
            await _answer(send, file.read_bytes(), guess_type(file.name)[0] or "application/octet-stream")

    return site


async def _answer(send: Any, body: bytes, kind: str) -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200 if body else 404, "headers": headers})
    await send({"type": "http.response.body", "body": body})


site: Final = site_of(
    PAGE,
    {
        "/peers.mjs": NODE_FOLDER / "peers.mjs",
        "/centrifuge.js": _BUILDS / "centrifuge.js",
        "/centrifuge.protobuf.js": _BUILDS / "centrifuge.protobuf.js",
    },
)
