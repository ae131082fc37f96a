"""The SignalR peer, on aiosignalr: `Subscribe` joins the group of a channel, `Publish` invokes `publication` on it."""

from typing import Any

from aiosignalr.server import Hub, ServerOptions, SignalRServer
from serving import serve


class Channels(Hub):
    async def subscribe(self, channel: str) -> None:
        await self.groups.add(channel)

    async def publish(self, channel: str, data: Any) -> None:
        await self.clients.group(channel).send("publication", {"channel": channel, "data": data})


serve(SignalRServer(Channels, options=ServerOptions()).asgi_app(path="/hubs/vagus"), lifespan="off")
