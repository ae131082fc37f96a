"""The requests of a session that polls, once their heads are judged: a GET that fetches, a POST that brings packets.

Both are ``Held`` (``polls``): how their bytes come and go is no matter here.
"""

from typing import TYPE_CHECKING, Final

from vagus.asgi import Response
from vagus.gateway.polls import Reply
from vagus.wire.socketio import engine
from vagus.wire.socketio.engine import Problem

if TYPE_CHECKING:
    from .polling import Polling
    from .session import Session

Headers = tuple[tuple[bytes, bytes], ...]

TEXT: Final = b"text/plain; charset=UTF-8"


def response_of(problem: Problem, status: int = 400, headers: Headers = ()) -> Response:
    return Response(status, problem.body, headers=headers)


class Fetch:
    """A GET: answered as soon as there is something to say."""

    __slots__ = ("_headers", "_polling", "_reply", "_session")

    takes_body: Final = False

    def __init__(self, session: "Session", polling: "Polling", headers: Headers) -> None:
        self._session = session
        self._polling = polling
        self._headers = headers
        self._reply: Reply

    def begin(self, body: bytes, reply: Reply) -> None:
        self._reply = reply
        self._polling.fetch(self._answer)

    def _answer(self, body: bytes) -> None:
        if body:
            self._reply(Response(200, body, TEXT, self._headers))
        else:
            self._reply(response_of(engine.UNKNOWN_SESSION, headers=self._headers))

    def too_large(self) -> Response:
        return Response(413, b"", TEXT, self._headers)

    def lost(self) -> None:
        """A client that gives up its poll is gone."""
        if self._polling.give_up():
            self._session.lost()


class Post:
    """A POST: answered when the session has taken all its packets."""

    __slots__ = ("_headers", "_is_begun", "_polling", "_reply", "_session")

    takes_body: Final = True

    def __init__(self, session: "Session", polling: "Polling", headers: Headers) -> None:
        self._session = session
        self._polling = polling
        self._headers = headers
        self._is_begun = False
        self._reply: Reply
        polling.is_posting = True

    def begin(self, body: bytes, reply: Reply) -> None:
        self._is_begun = True
        self._reply = reply
        self._polling.take(body, self._answer)

    def _answer(self, is_well_formed: bool) -> None:
        if is_well_formed:  # as plain text some browsers offer to save it
            self._reply(Response(200, b"ok", b"text/html", self._headers))
        else:
            self._reply(response_of(engine.BAD_REQUEST, headers=self._headers))

    def too_large(self) -> Response:
        self._polling.is_posting = False
        return Response(413, b"", TEXT, self._headers)

    def lost(self) -> None:
        """Half a body ends the session; a whole one is taken, whether anybody waits for the answer or not."""
        if not self._is_begun:
            self._polling.is_posting = False
            self._session.lost()
