"""A page that loads the browser builds of the npm package ``centrifuge`` as they are, from the server it talks to.

Coming from there makes its origin the server's own; that a page from elsewhere is refused is a test of its own. Beside
the page there is nothing: uvicorn serves it through the same doorway that takes the WebSockets.
"""

from pathlib import Path
from typing import Any, Final

from tests.integration.native.peers import NODE_FOLDER

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
FILES: Final[dict[str, tuple[bytes, Path | None]]] = {
    "/": (b"text/html", None),
    "/peers.mjs": (b"text/javascript", NODE_FOLDER / "peers.mjs"),
    "/centrifuge.js": (b"text/javascript", _BUILDS / "centrifuge.js"),
    "/centrifuge.protobuf.js": (b"text/javascript", _BUILDS / "centrifuge.protobuf.js"),
}


async def site(scope: Any, receive: Any, send: Any) -> None:
    """The page and its scripts, as an ASGI app."""
    kind, path = FILES.get(scope["path"], (b"", None))
    body = path.read_bytes() if path is not None else PAGE.encode() if kind else b""
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200 if kind else 404, "headers": headers})
    await send({"type": "http.response.body", "body": body})
