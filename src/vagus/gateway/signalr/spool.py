"""What is said to a session that HTTP requests carry waits in a spool until a request takes it.

A stream of events is one request that takes all there is, again and again; long polling is one request after the other,
each of which takes what there is once. The other way go POSTs, one after the other.
"""

import asyncio
from typing import Final

from vagus.asgi import Receive, Response, Send, respond
from vagus.kernel.codes import Closure
from vagus.wire.encoding import Framing

from .session import Session, State

HIGH_WATER: Final = 65_536
"""Bytes that wait here, from which the client counts as slow."""

MAX_POSTS: Final = 16
"""POSTs of one session that may wait for each other."""

Headers = list[tuple[bytes, bytes]]


def _event(payload: bytes) -> bytes:
    """An event of a stream; a line of data for each line of the payload."""
    if b"\n" in payload or b"\r" in payload:
        payload = payload.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\ndata: ")
    return b"data: %b\r\n\r\n" % payload


EVENTS: Final = Framing(_event, _event)
BARE: Final = Framing(bytes, bytes)

_STREAM_HEADERS: Final = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-store"),
    (b"content-encoding", b"identity"),
    (b"x-accel-buffering", b"no"),
)
_OPENING: Final = b":\r\n\r\n"
"""Something, so that nobody on the way waits for the first byte."""

_PLAIN: Final = b"text/plain"
_BINARY: Final = b"application/octet-stream"


class Spool:
    """Link and transport of a session. ``is_text`` says that it is a stream of events, which carries text alone."""

    def __init__(self, session: Session, *, is_text: bool) -> None:
        self.is_text = is_text
        self.is_closed = False
        self.posting = asyncio.Lock()
        self.posts = 0
        self.reading = asyncio.Event()
        self.reading.set()
        self._session = session
        self._pieces: list[bytes] = []
        self._size = 0
        self._turn = 0
        self._news = asyncio.Event()

    # from the hub

    def write(self, data: bytes) -> None:
        self._pieces.append(data)
        self._size += len(data)
        self._news.set()
        if self._size > HIGH_WATER:
            self._session.pause()

    def close(self, closure: Closure) -> None:
        self.is_closed = True
        self.reading.set()
        self._news.set()

    def abort(self, closure: Closure) -> None:
        self._pieces.clear()
        self.close(closure)

    def pause_reading(self) -> None:
        self.reading.clear()

    def resume_reading(self) -> None:
        self.reading.set()

    # to requests

    def take(self) -> bytes:
        """All there is."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        if not self._session.flowing:
            self._session.resume()
        return data

    def begin_turn(self) -> int:
        """From now on another request takes what there is."""
        self._turn += 1
        self._news.set()
        return self._turn

    def is_turn(self, turn: int) -> bool:
        return turn == self._turn

    async def wait(self, turn: int) -> None:
        """Until there is something to take, nothing will come any more, or it is somebody else's turn."""
        while not self._pieces and not self.is_closed and self.is_turn(turn):
            self._news.clear()
            await self._news.wait()


async def stream(session: Session, spool: Spool, receive: Receive, send: Send, headers: Headers) -> None:
    """Answer with a stream of events until the session or the client ends."""
    turn = spool.begin_turn()
    watching = asyncio.ensure_future(_watch(receive, session, spool))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": [*_STREAM_HEADERS, *headers]})
        await send({"type": "http.response.body", "body": _OPENING, "more_body": True})
        while True:
            await spool.wait(turn)
            data = spool.take()
            if not data:
                break
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        session.lost()
        watching.cancel()
        await asyncio.wait({watching})


async def _watch(receive: Receive, session: Session, spool: Spool) -> None:
    """Notice at once that the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    spool.abort(Closure(1006, ""))
    session.lost()


async def poll(session: Session, spool: Spool, receive: Receive, send: Send, headers: Headers) -> None:
    """Answer with what there is to say, once there is; with 204 at the end, or when another poll came meanwhile."""
    turn = spool.begin_turn()
    session.attend()
    watching = asyncio.ensure_future(_watch_poll(receive, session, spool, turn))
    try:
        async with asyncio.timeout(session.house.times.poll_s):
            await spool.wait(turn)
    except TimeoutError:
        pass
    finally:
        watching.cancel()
        await asyncio.wait({watching})
        if spool.is_turn(turn):
            session.abandon()
    if not spool.is_turn(turn):
        await respond(send, Response(204, b"", _PLAIN, tuple(headers)))
        return
    data = spool.take()
    if not data and spool.is_closed:
        session.forget()
        await respond(send, Response(204, b"", _PLAIN, tuple(headers)))
        return
    await respond(send, Response(200, data, _BINARY if session.is_binary else _PLAIN, tuple(headers)))
    if spool.is_closed:  # it has been told so: a server that stops need not wait for the poll that asks once more
        session.house.gate.leave(session)


async def _watch_poll(receive: Receive, session: Session, spool: Spool, turn: int) -> None:
    """A poll that is gone takes nothing: what there is waits for the next one, which must come soon."""
    while (await receive())["type"] != "http.disconnect":
        pass
    if spool.is_turn(turn):
        spool.begin_turn()
        session.abandon()


async def post(session: Session, spool: Spool, receive: Receive) -> bool:
    """Take what a POST brings, in its turn. Returns whether the session is there to take it."""
    spool.posts += 1
    try:
        async with spool.posting:
            more = True
            while more:
                event = await receive()
                if event["type"] == "http.disconnect":
                    return False
                await spool.reading.wait()
                if session.state is State.OVER:
                    return False
                session.receive(event.get("body", b""))
                more = event.get("more_body", False)
    finally:
        spool.posts -= 1
    return True
