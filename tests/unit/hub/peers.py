"""Members of audiences without a hub: they keep what they are given, part by part."""

import asyncio
from collections.abc import Sequence

from vagus.hub.audience import Audience, Sent
from vagus.hub.tick import Tick
from vagus.kernel.channels import WhenSlow
from vagus.wire.centrifuge.json import JSON
from vagus.wire.encoding import Framing

ENCODING = Framing(bytes, bytes).encoding(JSON)


class Peer:
    """``got`` holds parts in the order of their arrival, ``messages`` how many messages brought them."""

    def __init__(self, name: str = "peer") -> None:
        self.id = name
        self.flowing = True
        self.got: list[bytes] = []
        self.held: list[bytes] = []
        self.messages = 0
        self.credited = Sent()

    @property
    def transport(self) -> "Peer":
        return self

    def write(self, data: bytes) -> None:
        self.messages += 1
        self.got += data.split(b"\n")

    def enqueue(self, part: bytes) -> None:
        self.got.append(part)

    def credit(self, sent: Sent) -> None:
        self.credited = Sent(self.credited.messages + sent.messages, self.credited.bytes + sent.bytes)

    def hold(self, messages: Sequence[bytes], audience: Audience) -> None:
        self.held += messages


def new_audience(*, max_delay_s: float = 0.0, when_slow: WhenSlow = "disconnect", urgent: bool = False) -> Audience:
    tick = Tick(asyncio.get_running_loop())
    return Audience(ENCODING, tick, max_delay_s=max_delay_s, when_slow=when_slow, urgent=urgent)


async def turn(times: int = 1) -> None:
    """Let the loop go round so many times."""
    for _ in range(times):
        await asyncio.sleep(0)
