"""A client of Socket.IO in memory, packet by packet: WebSockets without sockets, and requests without HTTP."""

from typing import TYPE_CHECKING, Final

import msgspec

from vagus.asgi import Response
from vagus.gateway.furnishing import open_gate
from vagus.gateway.socketio import SocketIo
from vagus.hub.hub import Hub
from vagus.hub.requests import Origin
from vagus.kernel.codes import Closure
from vagus.wire.websocket import Refusal

if TYPE_CHECKING:
    from vagus.gateway.endpoints import Peer

PATH: Final = "/socket.io/"


class Visitor:
    """Whoever comes to one hub."""

    def __init__(self, hub: Hub) -> None:
        self._gate = open_gate(hub)
        endpoint = self._gate.endpoints[PATH]
        assert isinstance(endpoint, SocketIo)
        self._endpoint = endpoint

    def socket(self, sid: str = "") -> "Socket":
        """A WebSocket: a new session, or one that a session may go on over."""
        opening = self._endpoint.knock(_origin("websocket", sid), ())
        assert not isinstance(opening, Refusal)
        socket = Socket()
        socket.peer = opening.open(socket, socket, self._gate.bare)
        return socket

    def session(self) -> str:
        """The secret of a new session that polls."""
        answer = self._endpoint.expect("GET", _origin("polling"))
        assert isinstance(answer, Response)
        return str(msgspec.json.decode(answer.body[1:])["sid"])

    def request(self, method: str, sid: str, body: bytes = b"") -> list[Response]:
        """Where the answer to a request will be."""
        answers: list[Response] = []
        held = self._endpoint.expect(method, _origin("polling", sid))
        assert not isinstance(held, Response)
        held.begin(body, answers.append)
        return answers


class Socket:
    """Link and transport in one."""

    def __init__(self) -> None:
        self.peer: Peer
        self.heard: list[bytes] = []
        self.closures: list[Closure] = []

    def write(self, data: bytes) -> None:
        self.heard.append(data)

    def close(self, closure: Closure) -> None:
        self.closures.append(closure)

    abort = close

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


def _origin(transport: str, sid: str = "") -> Origin:
    return Origin(path=PATH, query=f"EIO=4&transport={transport}{'&sid=' + sid if sid else ''}")
