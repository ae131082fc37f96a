"""Nodes that can ask each other, in one process: brokers whose publications stay where they are."""

import asyncio
from typing import Final

from vagus.broker import ANSWER_S, Listener
from vagus.broker.memory import MemoryBroker
from vagus.kernel.control import Answer, Question
from vagus.kernel.errors import BrokerError


class Neighbour(MemoryBroker):
    """One of those in ``circle``. ``asked`` counts the questions that it passed on."""

    def __init__(self, circle: "list[Neighbour]") -> None:
        super().__init__()
        self.asked = 0
        self.is_cut_off = False
        self.here: Listener | None = None
        self._circle: Final = circle
        circle.append(self)

    async def start(self, listener: Listener) -> None:
        await super().start(listener)
        self.here = listener

    async def close(self) -> None:
        self.here = None
        await super().close()

    async def ask(self, question: Question, *, node: str = "", timeout_s: float = ANSWER_S) -> list[Answer]:
        if self.is_cut_off:
            raise BrokerError("cut off")
        self.asked += 1
        listeners = [each.here for each in self._circle if each.here is not None]
        wanted = [listener for listener in listeners if node in ("", listener.node_id)]
        contents = await asyncio.gather(*(listener.asked(question) for listener in wanted))
        return [
            Answer(listener.node_id, content)
            for listener, content in zip(wanted, contents, strict=True)
            if content is not None
        ]
