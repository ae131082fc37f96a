"""Socket.IO's own client libraries behind one face: npm ``socket.io-client`` and PyPI ``python-socketio``.

A ``Socket`` is one client in one namespace. Binary values are ``bytes`` here, whatever carries them.
"""

import asyncio
import base64
from typing import Any, Final

import socketio

from tests.integration.native.peers import Event, Peer
from tests.patience import DEADLINE_S

TRANSPORTS: Final = {
    "polling": ["polling"],
    "websocket": ["websocket"],
    "upgrade": ["polling", "websocket"],
}


class Socket(Peer):
    """``emit`` and ``ask`` say something, ``event`` waits for what the server says."""

    async def emit(self, event: str, *args: object) -> None:
        await self.run("emit", event=event, args=_packed(list(args)))

    async def ask(self, event: str, *args: object) -> Any:
        """The only argument of the ack; ``None`` if it has none."""
        answer = _unpacked(await self.run("ask", event=event, args=_packed(list(args))))
        assert len(answer) <= 1
        return answer[0] if answer else None

    async def event(self, name: str) -> list[Any]:
        """The arguments of the next event with this name."""
        arguments: list[Any] = _unpacked((await self.expect("event", name=name))["arguments"])
        return arguments

    async def connected(self, *, settled: bool = True) -> Event:
        """Connect. ``settled`` is after the upgrade, if there is to be one: cut in the middle of it, npm
        ``socket.io-client`` finds out by a missing ping alone.
        """
        await self.run("start")
        connect = await self.expect("connect")
        if settled and self._upgrades and connect["transport"] == "polling":
            await self.expect("upgrade")
        return connect

    async def run(self, op: str, **args: Any) -> Any:
        if op == "open":
            is_node = not isinstance(self._engine, PythonSockets)
            self._upgrades = is_node and args["options"].get("transports") == TRANSPORTS["upgrade"]
        return await super().run(op, **args)

    _upgrades = False


def _packed(value: Any) -> Any:
    match value:
        case bytes():
            return {"$binary": base64.b64encode(value).decode()}
        case dict():
            return {key: _packed(each) for key, each in value.items()}
        case list() | tuple():
            return [_packed(each) for each in value]
    return value


def _unpacked(value: Any) -> Any:
    match value:
        case {"$binary": str(text)}:
            return base64.b64decode(text)
        case dict():
            return {key: _unpacked(each) for key, each in value.items()}
        case list():
            return [_unpacked(each) for each in value]
    return value


class PythonSockets:
    """Clients of ``python-socketio``, on the test's own loop. The operations are those of ``socketio.mjs``."""

    def __init__(self) -> None:
        self._peers: dict[int, Peer] = {}
        self._clients: dict[int, _PythonSocket] = {}

    async def run(self, op: str, peer: int, **args: Any) -> Any:
        if op == "open":
            self._clients[peer] = _PythonSocket(self._peers[peer], **args)
            return None
        return await getattr(self._clients[peer], op)(**args)

    def attach(self, number: int, peer: Peer) -> None:
        self._peers[number] = peer

    def detach(self, number: int) -> None:
        self._peers.pop(number, None)


class _PythonSocket:
    def __init__(self, peer: Peer, url: str, namespace: str, options: dict[str, Any]) -> None:
        self._peer = peer
        self._url = url
        self._namespace = namespace
        self._options = options
        self._client = socketio.AsyncClient(
            reconnection=options.get("reconnection", True),
            reconnection_delay=0.01,
            reconnection_delay_max=0.1,
            randomization_factor=0,
            request_timeout=DEADLINE_S,
        )
        self._client.on("connect", self._connected, namespace=namespace)
        self._client.on("connect_error", self._refused, namespace=namespace)
        self._client.on("disconnect", self._disconnected, namespace=namespace)
        self._client.on("*", self._seen, namespace=namespace)

    async def _connected(self) -> None:
        self._take("connect", id=self._client.get_sid(self._namespace), recovered=False, transport=self._transport())

    async def _refused(self, data: Any) -> None:
        self._take("connect_error", message=data.get("message"), data=data.get("data"))

    async def _disconnected(self, reason: str) -> None:
        self._take("disconnect", reason=reason)

    async def _seen(self, name: str, *values: Any) -> Any:
        self._take("event", name=name, arguments=_packed(list(values)))
        return values

    def _take(self, kind: str, **fields: Any) -> None:
        self._peer.take({"kind": kind, "channel": "", **fields})

    def _transport(self) -> str:
        return str(self._client.transport())

    async def transport(self) -> str:
        return self._transport()

    async def start(self) -> None:
        try:
            await self._client.connect(
                self._url,
                namespaces=[self._namespace],
                transports=self._options["transports"],
                auth=self._options.get("auth"),
                wait_timeout=DEADLINE_S,
            )
        except socketio.exceptions.ConnectionError:
            pass  # told as connect_error

    async def stop(self) -> None:
        await self._client.disconnect()

    async def close(self) -> None:
        await self._client.shutdown()
        session = self._client.eio.http
        if session is not None and not session.closed:
            await session.close()
        await asyncio.sleep(0)

    async def cut(self) -> None:
        await self._client.eio.disconnect(abort=True)

    async def emit(self, event: str, args: list[Any]) -> None:
        await self._client.emit(event, tuple(_unpacked(args)), namespace=self._namespace)

    async def ask(self, event: str, args: list[Any]) -> Any:
        answer = await self._client.call(event, tuple(_unpacked(args)), namespace=self._namespace, timeout=DEADLINE_S)
        return [] if answer is None else [_packed(answer)]
