"""Those who watch pulses, each with a client library of its own: told to watch, they say what the next pulse is."""

import json
from typing import Any, Final, Protocol

from tests.integration.native.peers import Peer
from tests.integration.signalr.hubpeer import HubPeer
from tests.integration.socketio.sockets import TRANSPORTS, Socket
from tests.integration.streams.incoming import Incoming
from vagus.apps.fusion import CHANNEL
from vagus.apps.fusion.channel import REFRESH, UPDATE

from .station import Pulse, Station

KINDS: Final = ("socket.io", "socket.io polling", "centrifuge", "signalr", "eventsource")
ASKING: Final = ("socket.io", "socket.io polling", "centrifuge", "signalr")
"""Those that can ask for something; an EventSource only listens."""


class Watcher(Protocol):
    async def watch(self, station: Station, token: str) -> None: ...

    async def pulse(self) -> Pulse:
        """The next one."""
        ...

    async def ask(self) -> Any:
        """Ask for a pulse, in the way of this library."""
        ...

    async def close(self) -> None: ...


class OfSocketIO:
    """Socket.IO is given pulses without asking."""

    def __init__(self, socket: Socket, transport: str = "upgrade") -> None:
        self.socket = socket
        self._transport = transport

    async def watch(self, station: Station, token: str) -> None:
        options = {"transports": TRANSPORTS[self._transport], "auth": {"token": token}}
        await self.socket.run("open", url=station.url, namespace="/", options=options)
        await self.socket.connected()

    async def pulse(self) -> Pulse:
        (pulse,) = await self.socket.event(UPDATE)
        return dict(pulse)

    async def ask(self) -> Any:
        return await self.socket.ask(REFRESH)

    async def close(self) -> None:
        await self.socket.run("close")


class OfCentrifuge:
    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def watch(self, station: Station, token: str) -> None:
        url = station.url.replace("http", "ws", 1) + "/connection/websocket"
        await self._peer.run("open", url=url, encoding="json", options={"token": token})
        await self._peer.connect()
        await self._peer.subscribe(CHANNEL)

    async def pulse(self) -> Pulse:
        ((envelope),) = await self._peer.data(CHANNEL, 1)
        assert envelope["type"] == UPDATE
        return dict(envelope["payload"])

    async def ask(self) -> Any:
        return await self._peer.rpc(REFRESH)

    async def close(self) -> None:
        await self._peer.run("close")


class OfSignalR:
    """The newest pulse is in what ``Subscribe`` answers, and those after it call ``fusionUpdate``."""

    def __init__(self, peer: HubPeer) -> None:
        self._peer = peer
        self._newest: list[Pulse] = []

    async def watch(self, station: Station, token: str) -> None:
        options = {"tokens": [token]}
        url = f"{station.url}/hubs/vagus"
        await self._peer.run("open", url=url, protocol="json", transport="websockets", options=options)
        await self._peer.on(UPDATE)
        await self._peer.started()
        subscribed = await self._peer.invoke("Subscribe", CHANNEL)
        self._newest = [each["data"]["payload"] for each in subscribed.get("publications", ())]

    async def pulse(self) -> Pulse:
        if self._newest:
            return self._newest.pop(0)
        (pulse,) = await self._peer.called(UPDATE)
        return dict(pulse)

    async def ask(self) -> Any:
        return await self._peer.invoke(REFRESH)

    async def close(self) -> None:
        await self._peer.run("close")


class OfEventSource:
    _incoming: Incoming

    async def watch(self, station: Station, token: str) -> None:
        shown = {"authorization": f"Bearer {token}"} if token else {}
        self._incoming = await Incoming.get(station.port, f"/events?channel={CHANNEL}", **shown)
        assert self._incoming.status == 200

    async def pulse(self) -> Pulse:
        event = await self._incoming.event()
        assert event["event"] == UPDATE
        return dict(json.loads(event["data"]))

    async def ask(self) -> Any:
        raise NotImplementedError("an EventSource cannot ask")

    async def close(self) -> None:
        self._incoming.drop()
