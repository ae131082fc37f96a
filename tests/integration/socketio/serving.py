"""The same server behind a plain ASGI server: uvicorn makes the frames, and nothing is ours but the application."""

import asyncio
import socket
from typing import Any

import uvicorn

from tests.integration.native.serving import Server, _Uvicorn
from vagus.gateway.asgi import serve, serve_http
from vagus.gateway.furnishing import open_gate


class AsgiServer(Server):
    async def _start(self) -> None:
        await self.hub.start()
        listening = socket.create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        self.gate = open_gate(self.hub, **self._options)
        config = uvicorn.Config(
            self._all,
            interface="asgi3",
            http="httptools",
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            access_log=False,
        )
        server = _Uvicorn(config, self.hub)
        self._running = server, asyncio.get_running_loop().create_task(server.serve([listening]))
        await server.listens.wait()

    async def _all(self, scope: Any, receive: Any, send: Any) -> None:
        endpoint = self.gate.endpoint(scope["path"])
        if scope["type"] == "websocket":
            await serve(self.gate, endpoint, scope, receive, send)
        elif endpoint is not None:
            await serve_http(self.gate, endpoint, scope, receive, send)
        else:
            await self._app(scope, receive, send)
