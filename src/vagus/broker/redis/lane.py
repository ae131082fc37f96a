"""What nodes say to one another: orders to all, questions, answers, and the signs of life (see ``registry``).

Orders are a stream like that of a channel, so that a node that was cut off for a while carries them out once it is
back. Everything else goes at most once, through a channel to all nodes and one to each:

* ``sign <number>``: a node's sign to itself;
* ``ask <question>`` and ``answer <reply>``: arrays in MessagePack, of which newer versions may add to the end.

A kind that is not known here comes from a newer node, and is left alone.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

import msgspec
import structlog

from vagus.broker import Listener
from vagus.kernel.channels import Last
from vagus.kernel.control import Answer, Order, Question
from vagus.kernel.errors import BrokerError
from vagus.kernel.publications import Draft, Position, Publication

from . import Servers, scripts
from .healing import Flow
from .keys import Keys
from .registry import SIGN, Registry, nodes_of
from .streams import Streams

log = structlog.get_logger()

ASK: Final = b"ask"
ANSWER: Final = b"answer"

KEPT_ORDERS: Final = Last(1000, minutes=5)
"""What a node can make up for when it was cut off."""

LONGEST: Final = 1_048_576
"""Bytes of a question or an answer."""

LONGEST_S: Final = 60.0
"""How long a node works on the question of another."""

AT_ONCE: Final = 256
"""Questions of others that are being answered at the same time; more of them wait."""

WAITING: Final = 10_000
"""Questions of this node that wait for answers, and those of others that wait for it; more are not taken."""


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """A question on its way. Answers go to ``asker``; ``number`` is its own."""

    asker: str
    number: int
    subject: str
    content: bytes
    timeout_ms: int


class Reply(msgspec.Struct, frozen=True, array_like=True):
    """An answer on its way; ``None`` if there is nothing to say."""

    number: int
    node: str
    content: bytes | None = None


class Pending:
    """A question that waits for the answers of some nodes, of which some may have come before these were known."""

    __slots__ = ("done", "heard", "missing")

    def __init__(self) -> None:
        self.heard: dict[str, bytes | None] = {}
        self.missing: set[str] | None = None
        self.done = asyncio.Event()

    def expect(self, nodes: Iterable[str]) -> None:
        self.missing = set(nodes) - self.heard.keys()
        if not self.missing:
            self.done.set()

    def hear(self, node: str, content: bytes | None) -> None:
        if self.missing is not None and node not in self.missing:
            return
        self.heard.setdefault(node, content)
        if self.missing is not None:
            self.missing.discard(node)
            if not self.missing:
                self.done.set()

    @property
    def answers(self) -> list[Answer]:
        return [Answer(node, content) for node, content in self.heard.items() if content is not None]


_encode: Final = msgspec.msgpack.Encoder().encode
_asked: Final = msgspec.msgpack.Decoder(Asked).decode
_reply: Final = msgspec.msgpack.Decoder(Reply).decode
_order: Final = msgspec.json.Decoder(Order).decode
_order_json: Final = msgspec.json.Encoder().encode


class Lane:
    """This node's end of it. ``orders`` is the flow of the orders."""

    def __init__(self, servers: Servers, keys: Keys, streams: Streams, registry: Registry, listener: Listener) -> None:
        self._servers = servers
        self._keys = keys
        self._streams = streams
        self._registry = registry
        self._listener = listener
        self._node = listener.node_id
        self._pending: dict[int, Pending] = {}
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._is_swamped = False
        self._unknown: set[bytes] = set()
        self.channels: Final = (keys.node(""), keys.node(self._node))
        """To be listened to, beside the orders."""
        self.orders: Final = Flow("", keys.orders, self._ordered, self._orders_lost)
        self.orders.ttl_s = KEPT_ORDERS.ttl_s

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hear(self, message: bytes) -> None:
        """Raises ``ValueError`` or ``DecodeError`` if it cannot be read."""
        kind, _, body = message.partition(b" ")
        if kind == SIGN:
            self._registry.hear_sign(body)
        elif kind == ANSWER:
            reply = _reply(body)
            pending = self._pending.get(reply.number)
            if pending is not None:
                pending.hear(reply.node, reply.content)
        elif kind == ASK:
            self._hear_question(_asked(body))
        elif kind not in self._unknown and len(self._unknown) < 16:
            self._unknown.add(kind)
            log.info("message_of_newer_node", kind=repr(kind[:16]))

    # orders

    async def order(self, order: Order) -> None:
        """It is carried out here when it is certain to reach the others."""
        names = self._keys.orders
        draft = Draft(data=msgspec.Raw(_order_json(order)), exclude=self._node)
        await self._streams.put(names, (), draft, KEPT_ORDERS)
        self._listener.ordered(order)

    def _ordered(self, publication: Publication, _epoch: str, exclude: str) -> None:
        if exclude != self._node:
            try:
                order = _order(publication.data)
            except msgspec.DecodeError as error:
                log.warning("order_unreadable", error=str(error))
            else:
                self._listener.ordered(order)

    def _orders_lost(self, top: Position) -> None:
        log.warning("orders_lost", offset=top.offset)

    # questions

    async def ask(self, question: Question, node: str, timeout_s: float) -> list[Answer]:
        if len(question.content) > LONGEST:
            raise ValueError(f"a question between nodes has at most {LONGEST} bytes")
        pending = Pending()
        own = None if node not in ("", self._node) else asyncio.create_task(self._answer_here(question, pending))
        try:
            async with asyncio.timeout(timeout_s):
                if node != self._node:
                    await self._send(question, node, timeout_s, pending)
                if own is not None:
                    await own
        except TimeoutError:
            pass
        finally:
            if own is not None:
                own.cancel()
        return pending.answers

    async def _answer_here(self, question: Question, pending: Pending) -> None:
        pending.heard[self._node] = await self._answer_to(question)

    async def _send(self, question: Question, node: str, timeout_s: float, pending: Pending) -> None:
        """Ask others, and wait until all who are alive have answered."""
        if len(self._pending) >= WAITING:
            raise BrokerError("too many questions wait for answers of other nodes")
        self._count += 1
        number = self._count
        asked = Asked(self._node, number, question.subject, question.content, int(timeout_s * 1000))
        word = self._servers.publish_word()
        self._pending[number] = pending
        try:
            tenures = await self._servers.call(
                scripts.ASK,
                (self._keys.beats,),
                (word, self._keys.node(node), b"%b %b" % (ASK, _encode(asked)), self._registry.alive_ms),
            )
            others = nodes_of(tenures) - {self._node}
            pending.expect(others & {node} if node else others)
            await pending.done.wait()
        finally:
            del self._pending[number]

    def _hear_question(self, asked: Asked) -> None:
        if asked.asker == self._node:
            return
        if len(self._tasks) >= WAITING:
            if not self._is_swamped:
                self._is_swamped = True
                log.warning("too_many_questions", subject=asked.subject)
            return
        self._is_swamped = False
        task = asyncio.create_task(self._reply(asked))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply(self, asked: Asked) -> None:
        try:
            async with asyncio.timeout(min(asked.timeout_ms / 1000, LONGEST_S)), self._room:
                content = await self._answer_to(Question(asked.subject, asked.content))
            channel = self._keys.node(asked.asker)
            message = b"%b %b" % (ANSWER, _encode(Reply(asked.number, self._node, content)))
            await self._servers.run(channel, self._servers.publish_word(), channel, message)
        except TimeoutError:
            return
        except BrokerError as error:
            log.debug("answer_not_sent", subject=asked.subject, error=str(error))

    async def _answer_to(self, question: Question) -> bytes | None:
        """What this node says; nothing, where it fails or says too much."""
        try:
            content = await self._listener.asked(question)
        except Exception:
            log.exception("answering_failed", subject=question.subject)
            return None
        if content is not None and len(content) > LONGEST:
            log.warning("answer_too_long", subject=question.subject, size=len(content))
            return None
        return content
