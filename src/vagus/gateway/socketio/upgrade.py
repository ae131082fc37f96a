"""The upgrade: a WebSocket that wants to take over a session that polls, and afterwards is the session's.

It asks, is answered, and confirms; anything else ends this WebSocket alone, and the session goes on polling.
"""

from typing import Final

from vagus.hub.audience import Writes
from vagus.hub.client import Link
from vagus.kernel import codes
from vagus.kernel.codes import Closure
from vagus.wire.encoding import Framing
from vagus.wire.socketio import engine

from .session import Session

UPGRADING_S: Final = 10.0
"""How long it may take."""


class Probe:
    """See the module."""

    __slots__ = ("_framing", "_is_done", "_is_probed", "_link", "_session", "_transport", "slot")

    def __init__(self, session: Session, link: Link, transport: Writes, framing: Framing) -> None:
        self._session = session
        self._link = link
        self._transport = transport
        self._framing = framing
        self._is_probed = False
        self._is_done = False
        self.slot = 0
        session.endpoint.hub.wheel.set_in(self, UPGRADING_S)

    @property
    def flowing(self) -> bool:
        return self._session.flowing if self._is_done else True

    def receive(self, message: bytes) -> None:
        if self._is_done:
            self._session.receive(message)
        elif self._session.polling is None or message != (engine.UPGRADE if self._is_probed else engine.PROBE):
            self.disconnect(codes.MALFORMED)
        elif self._is_probed:
            self._finish()
        else:
            self._is_probed = True
            self._transport.write(self._framing.text(engine.PROBED))
            self._session.polling.expect_upgrade()

    def _finish(self) -> None:
        if self._session.polling is not None and self._session.polling.is_posting:
            self.disconnect(codes.MALFORMED)  # what is on its way there would come too late
            return
        self._is_done = True
        self._session.endpoint.hub.wheel.unset(self)
        self._session.upgrade(self._link, self._transport, self._framing)

    def receive_binary(self, message: bytes) -> None:
        if self._is_done:
            self._session.receive_binary(message)
        else:
            self.disconnect(codes.MALFORMED)

    def receive_pong(self) -> None:
        pass

    def pause(self) -> None:
        if self._is_done:
            self._session.pause()

    def resume(self) -> None:
        if self._is_done:
            self._session.resume()

    def lost(self) -> None:
        if self._is_done:
            self._session.lost()
        else:
            self._let_go()

    def _let_go(self) -> None:
        """The session goes on polling."""
        self._session.endpoint.hub.wheel.unset(self)
        polling = self._session.polling
        if polling is not None and polling.probe is self:
            polling.probe = None
            polling.is_probed = False

    def disconnect(self, closure: Closure) -> None:
        if self._is_done:
            self._session.disconnect(closure)
        else:
            self._let_go()
            self._link.close(closure)

    def on_due(self, now: float) -> None:
        self.disconnect(codes.STALE)
