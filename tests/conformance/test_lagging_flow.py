"""Subscribers of a hub whose broker shows publications in the history before it brings them, brings some late, loses

some, and loses whole streams: each gets everything once and in order from where it began, or is told that it does not.
"""

import asyncio
from collections import deque
from typing import Any, cast

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from vagus.broker import Listener
from vagus.broker.memory import MemoryBroker
from vagus.hub.hub import Hub
from vagus.kernel.channels import ChannelRule, Last
from vagus.kernel.publications import Position, Publication
from vagus.kernel.replies import Ended
from vagus.testing import FakeClock, MemoryClient, Received, World, in_memory

CHANNEL = "kept:1"
KEPT = Last(4, seconds=1000)
RULE = ChannelRule(pattern="kept:{n}", history=KEPT, subscribe=("anyone",), delta=True)


class LaggingBroker(MemoryBroker):
    """What it publishes is on its way until ``bring`` brings it, or ``leave_out`` loses it."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.on_the_way: deque[tuple[Publication, str]] = deque()
        self._hub: Listener | None = None

    async def start(self, listener: Listener) -> None:
        self._hub = listener
        await super().start(cast("Listener", _Aside(self, listener)))

    def bring(self) -> None:
        if self.on_the_way and self._hub is not None:
            publication, epoch = self.on_the_way.popleft()
            self._hub.published(CHANNEL, publication, epoch, "")

    def leave_out(self) -> None:
        if self.on_the_way:
            self.on_the_way.popleft()

    async def look_after(self) -> None:
        """What a broker does that was cut off: read on where the flow stands, or tell that it cannot."""
        assert self._hub is not None
        top = self._stream(CHANNEL).position
        for followed in list(self._hub.followed()):
            at = followed.position
            missed = [p for p in self._stream(CHANNEL)._publications if p.offset > at.offset]
            if at.epoch != top.epoch or len(missed) != top.offset - at.offset:
                self._hub.lost(CHANNEL, top)
            else:
                for publication in missed:
                    self._hub.published(CHANNEL, publication, top.epoch, "")

    def lose_stream(self) -> None:
        self._streams.clear()


class _Aside:
    """The listener that the memory broker tells: it puts publications on their way."""

    def __init__(self, broker: LaggingBroker, listener: Listener) -> None:
        self._broker = broker
        self._listener = listener

    def published(self, channel: str, publication: Publication, epoch: str, exclude: str) -> None:
        self._broker.on_the_way.append((publication, epoch))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)


class Follower:
    """A client that comes and goes, and checks what it is given."""

    def __init__(self, client: MemoryClient, *, delta: bool) -> None:
        self.client = client
        self.delta = delta
        self.position: Position | None = None
        self.is_subscribed = False
        self.told = 0

    async def toggle(self) -> None:
        if self.is_subscribed:
            await self.client.unsubscribe(CHANNEL)
            self.take()
            self.is_subscribed = False
        else:
            await self.come(self.position)

    async def come(self, since: Position | None) -> None:
        reply = await self.client.subscribe(CHANNEL, since=since, delta=self.delta)
        offsets = [publication.offset for publication in reply.publications]
        if since is not None and reply.recovered:
            assert (reply.epoch, offsets) == (since.epoch, [since.offset + 1 + n for n in range(len(offsets))])
        top = offsets[-1] if offsets else reply.offset
        self.position = Position(top, reply.epoch)
        self.is_subscribed = True

    def take(self) -> None:
        """Look at what came: each publication follows the last one, until it is told otherwise."""
        for heard in self.client.take_heard():
            match heard:
                case Received():
                    assert self.position is not None
                    assert heard.offset == self.position.offset + 1, (self.position, heard)
                    assert heard.data == heard.offset
                    self.position = Position(heard.offset, self.position.epoch)
                case Ended():
                    self.told += 1
                    self.is_subscribed = False
                case _:
                    raise AssertionError(f"{heard!r} was not expected")


STEPS = st.lists(
    st.sampled_from([*["publish"] * 6, *["bring"] * 6, *["0", "1", "2"] * 3, "look_after", "leave_out", "lose_stream"]),
    min_size=20,
    max_size=60,
)


@given(steps=STEPS)
def test_everything_comes_once_and_in_order_or_is_told_to_be_missing(steps: list[str]) -> None:
    clock = FakeClock()
    with asyncio.Runner(loop_factory=clock.new_loop) as runner:
        runner.run(play(clock, steps))


async def play(clock: FakeClock, steps: list[str]) -> None:
    broker = LaggingBroker(clock)
    hub = Hub(rules=[RULE], broker=broker, allow_anonymous=True, clock=clock)
    async with in_memory(hub) as world:
        followers = [Follower(await world.connect(), delta=number == 2) for number in range(3)]
        for step in steps:
            await take_step(hub, broker, followers, step)
            await settle(world, followers)
        await broker.look_after()
        await settle(world, followers)
        top = broker._stream(CHANNEL).position
        for follower in followers:
            assert not follower.is_subscribed or follower.position == top


async def take_step(hub: Hub, broker: LaggingBroker, followers: list[Follower], step: str) -> None:
    match step:
        case "publish":
            top = (await hub.history(CHANNEL)).top.offset
            await hub.publish(CHANNEL, msgspec.Raw(b"%d" % (top + 1)))
        case "bring":
            broker.bring()
        case "leave_out":
            broker.leave_out()
        case "look_after":
            await broker.look_after()
        case "lose_stream":
            broker.lose_stream()
        case number:
            await followers[int(number)].toggle()


async def settle(world: World, followers: list[Follower]) -> None:
    await world.settle()
    for follower in followers:
        follower.take()
