"""What can be asked of fusion, at any node: the node that emits knows it, so the others ask that one.

Answers are JSON, and cross nodes as they are. While no node emits, since one has just gone, whoever asks waits for the
one that takes over; where none does, ``NobodyEmitsError`` says so. While the store does not answer none can take over:
then the one that emitted last tells what it knows, and what needs more than that is refused soon.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from vagus.hub import Hub
from vagus.hub.vitals import memory_bytes
from vagus.kernel.control import Question
from vagus.kernel.errors import BrokerError, StoreError

from .channel import CHANNEL
from .promptness import PROMPT_S
from .values import SourceState, health, iso, snapshot

if TYPE_CHECKING:
    from .app import Fusion

SUBJECT: Final = "fusion"
ANSWER_S: Final = 15.0
"""A collection may take its time."""
NEWS_S: Final = 0.25
"""How soon it is noticed that another node emits."""
FRESH_S: Final = 1.0
"""What was collected so lately is not collected again for one who asks."""

Topic = Literal["snapshot", "health", "emitter", "performance", "refresh", "reload"]

_KNOWN: Final = frozenset[Topic]({"snapshot", "health", "emitter", "performance"})
"""What a node tells that emits no more."""


class NobodyEmitsError(Exception):
    """No node emits at this moment, or it did not answer."""


class _Asked(msgspec.Struct, frozen=True):
    topic: Topic


class _Told(msgspec.Struct, frozen=True, tag=True):
    content: msgspec.Raw


class _Failed(msgspec.Struct, frozen=True, tag=True):
    reason: str


class Views:
    """Belongs to an installed app. Answers other nodes from when it is made."""

    def __init__(self, hub: Hub, fusion: "Fusion") -> None:
        self._hub = hub
        self._fusion = fusion
        self._collected_at = 0.0
        hub.answers[SUBJECT] = self._answer

    async def ask(self, topic: Topic, *, within_s: float = ANSWER_S) -> msgspec.Raw:
        """Have the node that emits do or tell something; if that goes, the one that takes over, which may do it twice.

        Raises ``BrokerError`` if it failed there, ``StoreError``, and ``NobodyEmitsError``.
        """
        emitter, clock = self._fusion.emitter, self._hub.loop.time
        began = clock()

        def left_s() -> float:
            return began + (min(within_s, PROMPT_S) if emitter.is_cut_off else within_s) - clock()

        while left_s() > 0:
            if self._tells(topic):
                return await self._tell(topic)
            told = await self._asked(emitter.emitting_node, topic, left_s)
            if isinstance(told, _Failed):
                raise BrokerError(told.reason)
            if told is not None:
                return told.content
            await asyncio.sleep(min(max(left_s(), 0), NEWS_S))
        if emitter.is_cut_off:
            raise StoreError("the store does not answer, and so no node emits", retryable=True)
        raise NobodyEmitsError

    def _tells(self, topic: Topic) -> bool:
        """Whether this node is the one to ask."""
        emitter = self._fusion.emitter
        return emitter.leads or (emitter.speaks and topic in _KNOWN)

    async def _asked(self, node: str, topic: Topic, left_s: Callable[[], float]) -> _Told | _Failed | None:
        """What a node says, ``None`` if it does not emit, or not any more."""
        if not node:
            return None
        question = Question(SUBJECT, msgspec.json.encode(_Asked(topic)))
        asking = asyncio.create_task(self._hub.ask_nodes(question, node=node, timeout_s=max(left_s(), 0)))
        try:
            while not asking.done() and self._fusion.emitter.emitting_node == node and left_s() > 0:
                await asyncio.wait({asking}, timeout=NEWS_S)
        finally:
            asking.cancel()
        for answer in asking.result() if asking.done() else ():
            return msgspec.json.decode(answer.content, type=_Told | _Failed)
        return None

    async def _answer(self, content: bytes) -> bytes | None:
        topic = msgspec.json.decode(content, type=_Asked).topic
        if not self._tells(topic):
            return None
        told: _Told | _Failed
        try:
            told = _Told(await self._tell(topic))
        except (BrokerError, StoreError) as error:
            told = _Failed(str(error))
        return msgspec.json.encode(told)

    async def _tell(self, topic: Topic) -> msgspec.Raw:
        fusion, at = self._fusion, self._hub.now_ms()
        value: Any
        match topic:
            case "snapshot":
                value = await self._snapshot()
            case "health":
                value = health(fusion.collector.states(), at)
            case "emitter":
                value = await self._emitter(at)
            case "performance":
                value = self._performance()
            case "refresh":
                value = await fusion.emitter.refresh()
            case "reload":
                await fusion.reload()
                value = fusion.emitter.pace
        return msgspec.Raw(msgspec.json.encode(value))

    async def _snapshot(self) -> dict[str, object]:
        """That of now, or the last one of a node that emits no more."""
        collector = self._fusion.collector
        if collector.collected_at and not self._fusion.emitter.leads:
            return snapshot(collector.states(), collector.collected_at)
        return snapshot(await self._fresh_states(), self._hub.now_ms())

    async def _fresh_states(self) -> Sequence[SourceState]:
        """Those of now: whoever asks together is answered with one collection."""
        now = self._hub.loop.time()
        if self._collected_at and now - self._collected_at < FRESH_S:
            return self._fusion.collector.states()
        self._collected_at = now
        return await self._fusion.collector.collect()

    async def _emitter(self, at: int) -> dict[str, object]:
        figures, leads = self._fusion.emitter.figures, self._fusion.emitter.leads
        stats = await self._hub.presence_stats(CHANNEL)
        return {
            "ok": leads,
            "status": "waiting" if not leads else "paused" if figures.pace.paused else "active",
            "metrics": {
                "isActive": leads and not figures.pace.paused,
                "uptime": max(0, at - figures.started_at) // 1000,
                "totalEmissions": figures.total,
                "failedEmissions": figures.failed,
                "connectedClients": stats.num_clients,
                "startTime": iso(figures.started_at),
            },
        }

    def _performance(self) -> dict[str, object]:
        figures, vitals = self._fusion.emitter.figures, self._hub.vitals
        return {
            "node": self._hub.node_id,
            "cpuPercent": round(vitals.cpu_percent, 2),
            "memoryBytes": memory_bytes(),
            "loopLagMs": round(vitals.lag.median * 1000, 3),
            "intervalSeconds": figures.pace.interval_s,
            "paused": figures.pace.paused,
            "lastPulseAt": figures.last_at,
            "collectMs": round(figures.collect_ms, 3),
            "emitMs": round(figures.emit_ms, 3),
            "totalEmissions": figures.total,
            "failedEmissions": figures.failed,
        }
