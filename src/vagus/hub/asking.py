"""Asking clients of other nodes: the question goes to all nodes, the one that holds the client asks it.

A client may take long to answer, longer than nodes wait for each other. So its node says at once that it is asking,
every other one that the client is not there, and what the client answers comes back as a question of its own.
"""

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec

from vagus.kernel import codes
from vagus.kernel.codes import Fault
from vagus.kernel.control import Question
from vagus.kernel.errors import AnswerError, BrokerError, RefusedError
from vagus.kernel.events import Event, packed, unpacked

from .journal import log

if TYPE_CHECKING:
    from .client import Client
    from .hub import Hub

ASK: Final = "ask"
ANSWERED: Final = "answered"
"""The subjects."""

MAX_ASKED: Final = 4_096
"""Questions of other nodes that clients here have yet to answer."""

MAX_BYTES: Final = 1_000_000
"""Of a question or an answer that goes from node to node."""

_HERE: Final = b"here"


class Asked(msgspec.Struct, frozen=True):
    """What ``node`` wants to know from a client. ``number`` is its own, for the answer to come back to."""

    node: str
    number: int
    client: str
    type: str
    arguments: bytes
    attachments: tuple[bytes, ...]
    timeout_s: float


class Said(msgspec.Struct, frozen=True, tag=True):
    """The client's answer."""

    arguments: bytes
    attachments: tuple[bytes, ...]

    def values(self) -> list[Any]:
        return list(unpacked(msgspec.Raw(self.arguments), self.attachments))


class Erred(msgspec.Struct, frozen=True, tag=True):
    """The client answered with an error, or with what cannot be read."""

    text: str

    def values(self) -> list[Any]:
        raise AnswerError(self.text)


class Declined(msgspec.Struct, frozen=True, tag=True):
    """The client was not asked, or left before it answered."""

    code: int
    message: str
    temporary: bool

    def values(self) -> list[Any]:
        raise RefusedError(Fault(self.code, self.message, self.temporary))


class Outcome(msgspec.Struct, frozen=True):
    number: int
    outcome: Said | Erred | Declined


_encode: Final = msgspec.msgpack.Encoder().encode
_decode_asked: Final = msgspec.msgpack.Decoder(Asked).decode
_decode_outcome: Final = msgspec.msgpack.Decoder(Outcome).decode


class Asking:
    """Both sides of it, for one hub."""

    def __init__(self, hub: "Hub") -> None:
        self._hub = hub
        self._serial = 0
        self._pending: dict[int, asyncio.Future[Outcome]] = {}
        self._num_asked = 0
        hub.answers[ASK] = self._asked
        hub.answers[ANSWERED] = self._answered

    async def ask(self, client: str, event: Event, timeout_s: float) -> list[Any]:
        """Ask a client that is not here. Raises what ``Hub.ask`` raises."""
        hub = self._hub
        self._serial = number = self._serial + 1
        content = _encode(
            Asked(hub.node_id, number, client, event.type, bytes(event.arguments), event.attachments, timeout_s)
        )
        if len(content) > MAX_BYTES:
            raise ValueError(f"a question to a client of another node has at most {MAX_BYTES} bytes")
        pending: asyncio.Future[Outcome] = hub.loop.create_future()
        self._pending[number] = pending
        try:
            async with asyncio.timeout(timeout_s):
                await self._find(Question(ASK, content), pending)
                outcome = (await pending).outcome
        finally:
            del self._pending[number]
        return outcome.values()

    async def _find(self, question: Question, pending: "asyncio.Future[Outcome]") -> None:
        """Return once some node asks the client, or the answer is there already. Raises where no node has it."""
        finding = asyncio.create_task(self._hub.ask_nodes(question))
        either: set[asyncio.Future[Any]] = {finding, pending}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            finding.cancel()
            await asyncio.wait({finding})
            failure = None if finding.cancelled() else finding.exception()
        if pending.done():
            return
        if failure is not None:
            raise failure
        if not finding.result():
            raise RefusedError(codes.NOT_AVAILABLE)

    # as the one who is asked

    async def _asked(self, content: bytes) -> bytes | None:
        asked = _decode_asked(content)
        client = self._hub.clients.get(asked.client)
        if client is None:
            return None
        self._hub.spawn(self._put(client, asked))
        return _HERE

    async def _put(self, client: "Client", asked: Asked) -> None:
        if self._num_asked >= MAX_ASKED:
            outcome: Said | Erred | Declined | None = _declined(codes.TOO_MANY_REQUESTS)
        else:
            self._num_asked += 1
            try:
                outcome = await _outcome_of(client, asked)
            finally:
                self._num_asked -= 1
        if outcome is None:
            return  # the one who asked sees for itself that it is late
        try:
            await self._pass_on(asked, outcome)
        except BrokerError:
            log.warning("answer_not_passed_on", client=client.id)

    async def _pass_on(self, asked: Asked, outcome: Said | Erred | Declined) -> None:
        answered = _encode(Outcome(asked.number, outcome))
        if len(answered) > MAX_BYTES:
            answered = _encode(Outcome(asked.number, Erred("the answer is too long to be passed on")))
        await self._hub.ask_nodes(Question(ANSWERED, answered), node=asked.node)

    # as the one who asked

    async def _answered(self, content: bytes) -> bytes | None:
        outcome = _decode_outcome(content)
        pending = self._pending.get(outcome.number)
        if pending is None or pending.done():
            return None
        pending.set_result(outcome)
        return _HERE


async def _outcome_of(client: "Client", asked: Asked) -> Said | Erred | Declined | None:
    event = Event(asked.type, msgspec.Raw(asked.arguments), asked.attachments)
    try:
        arguments, attachments = packed(await client.exchanges.ask(event, asked.timeout_s))
    except TimeoutError:
        return None
    except RefusedError as error:
        return _declined(error.fault)
    except AnswerError as error:
        return Erred(str(error))
    except ValueError as error:
        return Erred(f"the answer cannot be passed on: {error}")
    return Said(bytes(arguments), attachments)


def _declined(fault: Fault) -> Declined:
    return Declined(fault.code, fault.message, fault.temporary)
