"""The hub against a model that is too simple to be wrong: lists of what was published, and who followed when.

Steps are collected and then carried out together, within one tick of the hub, so that joins, leaves and publications
meet in a pile that was not written yet. Audiences are written in slices of two. Nothing depends on real time.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from structlog.testing import capture_logs

from vagus.hub import audience
from vagus.hub.hub import Hub
from vagus.kernel import codes
from vagus.kernel.channels import ChannelRule, Last
from vagus.kernel.filters import FilterNode, compile_filter
from vagus.kernel.limits import Limits
from vagus.kernel.publications import Position
from vagus.kernel.replies import Subscribed
from vagus.testing import FakeClock, MemoryClient, Received, World, in_memory
from vagus.wire.centrifuge.json import JSON
from vagus.wire.encoding import Framing

KEPT = Last(6, seconds=100)
KEY_S = 300.0
KINDS = (
    *["publish"] * 8,
    *["subscribe"] * 6,
    *["unsubscribe", "drop", "connect", "connect", "take_again", "let_time_pass"] * 2,
    *["publish_as_client", "stop_taking", "remove_history", "all_leave", "move"],
)
QUEUE_BYTES = 1500
RULES = (
    ChannelRule(pattern="plain:{n}", subscribe=("anyone",), publish=("anyone",), presence=True, tag_filter=True),
    ChannelRule(
        pattern="kept:{n}",
        history=KEPT,
        subscribe=("anyone",),
        publish=("anyone",),
        presence=True,
        tag_filter=True,
        delta=True,
    ),
)
CHANNELS = ("plain:1", "kept:1", "kept:1")  # recovery is the harder half
EVEN = FilterNode(key="parity", cmp="eq", val="even")
NAMES = "abcde"
WANTS_EVEN = compile_filter(EVEN).matches
FRAMINGS = (Framing(bytes, bytes), Framing(bytes, bytes))
WISHES = ("plain", "plain", "plain", "delta", "delta", "filtered", "throttled", "unpositioned")


class Entry(msgspec.Struct, frozen=True):
    """A publication: its place in the channel, and its place among all."""

    offset: int
    number: int
    tags: dict[str, str] | None


class ChannelModel:
    def __init__(self, name: str) -> None:
        self.name = name
        self.keeps = name.startswith("kept")
        self.kept: list[Entry] = []
        self.top = 0
        self.version = 0
        self.expires_at = 0.0
        self.keys: dict[str, tuple[float, int]] = {}

    def expire(self, now: float) -> None:
        if now >= self.expires_at:
            self.kept = []

    def missed(self, since: int) -> list[Entry] | None:
        """All publications after an offset, if all of them are kept."""
        entries = [entry for entry in self.kept if entry.offset > since]
        return entries if since + len(entries) == self.top else None


class Follow(msgspec.Struct):
    """One subscription: what must have come, and what came."""

    wish: str
    expected: list[tuple[int, int]] = []
    got: list[tuple[int, int]] = []
    reply: Subscribed | None = None
    newest_is_own: bool = False


class Actor:
    """A party that connects, goes and comes back, and remembers where it stood."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.client: MemoryClient | None = None
        self.is_connected = False
        self.takes = True
        self.owed_bytes = 0
        self.follows: dict[str, Follow] = {}
        self.positions: dict[str, Position] = {}
        self.leaving: dict[str, Follow] = {}
        """Subscriptions whose end is not carried out yet."""

    @property
    def is_ready(self) -> bool:
        return self.is_connected and self.takes

    @property
    def connection(self) -> MemoryClient:
        assert self.client is not None
        return self.client

    def forget(self) -> None:
        self.is_connected = False
        self.takes = True
        self.follows = {}
        self.leaving = {}


class HubAgainstModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.runner = asyncio.Runner(loop_factory=self.clock.new_loop)
        self.patched = ExitStack()
        self.patched.enter_context(patch.object(audience, "SLICE", 2))
        self.patched.enter_context(capture_logs())
        limits = Limits(ping_interval_s=0, queue_bytes=QUEUE_BYTES, max_delay_s=0)
        self.hub = Hub(rules=RULES, limits=limits, allow_anonymous=True, clock=self.clock)
        self.opened = in_memory(self.hub)
        self.world: World = self.runner.run(self.opened.__aenter__())
        self.channels = {name: ChannelModel(name) for name in CHANNELS}
        self.actors = [Actor(name) for name in NAMES]
        self.steps: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self.checks: list[Callable[[], None]] = []
        self.count = 0
        for actor in self.actors[:4]:
            self._connect(actor)

    def teardown(self) -> None:
        try:
            self._carry_out()
            for actor in self.actors:
                if actor.is_connected:
                    self._go(actor)
            self._carry_out()
            assert self.hub.channels() == []
            assert self.hub.topics == {}
            assert self.hub.clients == {}
            assert self.hub.num_subscriptions == 0
        finally:
            self.runner.run(self.opened.__aexit__(None, None, None))
            self.runner.close()
            self.patched.close()

    @rule(data=st.data(), kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=12))
    def act(self, data: st.DataObject, kinds: list[str]) -> None:
        """Several things within one tick."""
        for kind in kinds:
            getattr(self, kind)(data)
        self._carry_out()

    # what can happen

    def choose(self, data: st.DataObject, fits: Callable[[Actor], bool]) -> Actor | None:
        found = [actor for actor in self.actors if fits(actor)]
        return data.draw(st.sampled_from(found)) if found else None

    def connect(self, data: st.DataObject) -> None:
        actor = self.choose(data, lambda actor: not actor.is_connected)
        if actor is not None:
            self._connect(actor)

    def _connect(self, actor: Actor) -> None:
        actor.is_connected = True
        actor.owed_bytes = 0

        async def step() -> None:
            actor.client = self.world.client()
            await actor.client.connect()

        self.steps.append(step)

    def subscribe(self, data: st.DataObject) -> None:
        channel = data.draw(st.sampled_from(CHANNELS))
        wish = data.draw(st.sampled_from(WISHES))
        recovers = data.draw(st.sampled_from([True, True, False]))
        model = self.channels[channel]
        actor = self.choose(data, lambda actor: actor.is_ready and channel not in actor.follows)
        if actor is None:
            return
        if channel in actor.leaving:  # so that it is known what came before, and from where to recover
            self._carry_out()
        since = actor.positions.get(channel) if recovers and model.keeps else None
        model.expire(self.clock())
        follow = actor.follows[channel] = Follow(wish)
        missed = None
        if since is not None:
            missed = model.missed(since.offset)
            for entry in missed or ():
                if wish != "filtered" or WANTS_EVEN(entry.tags or {}):
                    follow.expected.append((entry.offset, entry.number))
        top = model.top

        async def step() -> None:
            follow.reply = await actor.connection.subscribe(
                channel,
                since=since,
                delta=wish == "delta",
                tags=EVEN if wish == "filtered" else None,
                rate=1.0 if wish == "throttled" else None,
                recoverable=wish != "unpositioned",
            )
            follow.got[:0] = [(pub.offset, _number(pub.data)) for pub in follow.reply.publications]

        def check() -> None:
            reply = follow.reply
            if reply is None:  # dropped before the answer came
                assert actor.follows.get(channel) is not follow
                return
            assert reply.was_recovering == (since is not None)
            assert reply.recovered == (missed is not None)
            if missed is None:
                assert reply.publications == ()
                positioned = model.keeps and (wish != "unpositioned" or since is not None)
                assert reply.offset == (top if positioned else 0)

        self.steps.append(step)
        self.checks.append(check)

    def unsubscribe(self, data: st.DataObject) -> None:
        channel = data.draw(st.sampled_from(CHANNELS))
        actor = self.choose(data, lambda actor: actor.is_ready and channel in actor.follows)
        if actor is None:
            return
        follow = actor.follows.pop(channel)
        follows, leaving = actor.follows, actor.leaving  # of this connection: it may be dropped before the step ends
        leaving[channel] = follow

        async def step() -> None:
            connection = actor.connection
            await connection.unsubscribe(channel)
            self._collect(actor, connection, {**follows, **leaving})
            self._check_follow(actor, channel, follow)
            leaving.pop(channel, None)

        self.steps.append(step)

    def publish(self, data: st.DataObject) -> None:
        channel = data.draw(st.sampled_from(CHANNELS))
        size = data.draw(st.sampled_from([0, 60, 400]))
        even = data.draw(st.sampled_from([True, False, None]))
        excluded: Actor | None = data.draw(st.sampled_from([None, None, None, *self.actors]))
        key = data.draw(st.sampled_from(["", "", "", "k1", "k2"]))
        version = data.draw(st.sampled_from([0, 0, 0, 1, 2, 3]))
        skips = data.draw(st.sampled_from([False, False, False, True]))
        model, now = self.channels[channel], self.clock()
        self.count += 1
        number = self.count
        tags = None if even is None else {"parity": "even" if even else "odd"}
        keeps = model.keeps and not skips
        known = model.keys.get(key)
        is_known = known is not None and known[0] > now
        is_outdated = not is_known and keeps and 0 < version <= model.version
        if not (is_known or is_outdated):
            model.version = max(model.version, version) if keeps else model.version
            self._published(model, Entry(model.top + 1 if keeps else 0, number, tags), size, excluded)
        position = known[1] if known is not None and is_known else (model.top if keeps else 0)
        if key and not is_known:
            model.keys[key] = (now + KEY_S, position)

        async def step() -> None:
            receipt = await self.hub.publish(
                channel,
                {"n": number, "pad": "x" * size},
                tags=tags,
                exclude=excluded.client.id if excluded is not None and excluded.client is not None else "",
                idempotency_key=key,
                version=version,
                skip_history=skips,
            )
            assert receipt.dropped == (is_known or is_outdated)
            assert receipt.position.offset == position

        self.steps.append(step)

    def publish_as_client(self, data: st.DataObject) -> None:
        channel = data.draw(st.sampled_from(CHANNELS))
        model, actor = self.channels[channel], self.choose(data, lambda actor: actor.is_ready)
        if actor is None:
            return
        self.count += 1
        number = self.count
        self._published(model, Entry(model.top + 1 if model.keeps else 0, number, None), 0, None)

        async def step() -> None:
            await actor.connection.publish(channel, {"n": number})

        self.steps.append(step)

    def remove_history(self, data: st.DataObject) -> None:
        channel = data.draw(st.sampled_from(CHANNELS))
        if not self.channels[channel].keeps:
            return
        self.channels[channel].kept = []

        async def step() -> None:
            await self.hub.remove_history(channel)

        self.steps.append(step)

    def move(self, data: st.DataObject) -> None:
        """Go on in another framing of the same dialect, as a client that changes its transport does."""
        actor = self.choose(data, lambda actor: actor.is_ready)
        if actor is None:
            return

        async def step() -> None:
            link = actor.connection.link
            encoding = FRAMINGS[link.client.encoding.framing is FRAMINGS[0]].encoding(JSON)
            link.client.move(link, encoding)

        self.steps.append(step)

    def drop(self, data: st.DataObject) -> None:
        actor = self.choose(data, lambda actor: actor.is_connected)
        if actor is not None:
            self._go(actor)

    def stop_taking(self, data: st.DataObject) -> None:
        actor = self.choose(data, lambda actor: actor.is_ready)
        if actor is None:
            return
        self._carry_out()
        actor.takes = False
        actor.owed_bytes = 0
        actor.connection.stop_taking()

    def take_again(self, data: st.DataObject) -> None:
        actor = self.choose(data, lambda actor: actor.is_connected and not actor.takes)
        if actor is None:
            return
        self._carry_out()
        if actor.is_connected:
            actor.takes = True
            actor.connection.take_again()
            self._carry_out()

    def let_time_pass(self, data: st.DataObject) -> None:
        seconds = data.draw(st.sampled_from([0.5, 2.0, KEPT.ttl_s - 1, KEPT.ttl_s, KEY_S]))
        self._carry_out()
        self.runner.run(asyncio.sleep(seconds))
        self._carry_out()
        if seconds > 1:
            self._check_that_throttled_have_the_newest()

    def all_leave(self, data: st.DataObject) -> None:
        for actor in self.actors:
            if actor.is_connected:
                self._go(actor)
        self._carry_out()
        assert self.hub.channels() == []

    # the model

    def _published(self, model: ChannelModel, entry: Entry, size: int, excluded: Actor | None) -> None:
        if entry.offset:
            model.expire(self.clock())
            model.top = entry.offset
            model.kept = [*model.kept, entry][-KEPT.size :]
            model.expires_at = self.clock() + KEPT.ttl_s
        for actor in self.actors:
            follow = actor.follows.get(model.name)
            if follow is None or (follow.wish == "filtered" and not WANTS_EVEN(entry.tags or {})):
                continue
            follow.newest_is_own = actor is excluded
            if actor is excluded:
                continue
            follow.expected.append((entry.offset, entry.number))
            if not actor.takes and follow.wish not in ("throttled", "delta"):
                actor.owed_bytes += size + 20

    def _go(self, actor: Actor) -> None:
        actor.forget()

        async def step() -> None:
            actor.connection.drop()

        self.steps.append(step)

    # doing and comparing

    def _carry_out(self) -> None:
        steps, self.steps = self.steps, []
        checks, self.checks = self.checks, []
        if steps:
            self.runner.run(_together([step() for step in steps]))
        self.runner.run(self.world.settle())
        for check in checks:
            check()
        for actor in self.actors:
            if actor.is_connected:
                self._check_actor(actor)
        for model in self.channels.values():
            self._check_presence(model)

    def _check_actor(self, actor: Actor) -> None:
        self._collect(actor, actor.connection, actor.follows)
        assert actor.connection.link.client.queue_bytes <= QUEUE_BYTES
        if actor.connection.link.closure is not None:
            assert actor.connection.link.closure is codes.SLOW
            assert not actor.takes
            for channel, follow in actor.follows.items():
                assert follow.got == follow.expected[: len(follow.got)] or follow.wish == "throttled", channel
            actor.forget()
            return
        assert actor.takes or actor.owed_bytes <= QUEUE_BYTES
        for channel, follow in actor.follows.items():
            self._check_follow(actor, channel, follow)

    def _check_follow(self, actor: Actor, channel: str, follow: Follow) -> None:
        if follow.wish == "throttled":
            assert _is_part(follow.got, follow.expected), (actor.name, channel)
        elif actor.takes:
            assert follow.got == follow.expected, (actor.name, channel)
        else:
            assert follow.got == follow.expected[: len(follow.got)], (actor.name, channel)

    def _check_that_throttled_have_the_newest(self) -> None:
        for actor in self.actors:
            for follow in actor.follows.values():
                if follow.wish == "throttled" and actor.takes and follow.expected and not follow.newest_is_own:
                    assert follow.got[-1] == follow.expected[-1]

    def _check_presence(self, model: ChannelModel) -> None:
        present = self.runner.run(self.hub.presence(model.name))
        followers = [actor for actor in self.actors if model.name in actor.follows]
        assert set(present) == {actor.connection.id for actor in followers}

    def _collect(self, actor: Actor, connection: MemoryClient, follows: dict[str, Follow]) -> None:
        for heard in connection.take_heard():
            assert isinstance(heard, Received), heard
            follow = follows[heard.channel]
            follow.got.append((heard.offset, heard.data["n"]))
        for channel, follow in follows.items():
            self._note_position(actor, channel, follow)

    @staticmethod
    def _note_position(actor: Actor, channel: str, follow: Follow) -> None:
        """As a client does: the position of the reply, then the offset of each publication that has one."""
        if follow.reply is None or not follow.reply.epoch:
            return
        at = max([follow.reply.offset, *(offset for offset, _ in follow.got)])
        actor.positions[channel] = Position(at, follow.reply.epoch)


async def _together(steps: list[Coroutine[Any, Any, None]]) -> None:
    """Each step runs up to where it waits for an answer before the next one begins; some are cut off by a drop."""
    for outcome in await asyncio.gather(*steps, return_exceptions=True):
        if outcome is not None and not isinstance(outcome, ConnectionError):
            raise outcome


def _number(data: Any) -> int:
    number: int = msgspec.json.decode(data)["n"]
    return number


def _is_part(part: list[tuple[int, int]], whole: list[tuple[int, int]]) -> bool:
    rest = iter(whole)
    return all(item in rest for item in part)


TestHubAgainstModel = HubAgainstModel.TestCase
TestHubAgainstModel.settings = settings(stateful_step_count=20, phases=set(Phase) - {Phase.explain})
pytestmark = pytest.mark.timeout(300)  # for the search of the shortest example, when there is one
