"""The hub: the public API, and the place where clients, channels, the broker and an application's functions meet.

::

    hub = Hub()

    @hub.authenticate
    async def who(request: ConnectRequest) -> Identity: ...

    @hub.channel("orders:{order_id}", history=Last(100, hours=1), presence=True)
    async def may_follow(identity: Identity, order_id: str) -> bool: ...

    @hub.call("orders.cancel")
    async def cancel(caller: Caller, request: CancelOrder) -> Cancelled: ...

    async with hub:
        await hub.publish("orders:42", {"status": "paid"}, tags={"region": "eu"})

A hub is made and furnished first, then started (``async with`` or ``start``) on the loop it lives on; from then on all
of it happens on that loop, so its methods are not for other threads. Functions may be plain or async; what they raise
is answered as an internal error, except ``RefusedError`` and ``DisconnectError``, which say what they mean.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, Final, Self, TypeVar, Unpack

import msgspec

from vagus.broker import ANSWER_S, Broker, Followed
from vagus.broker.memory import MemoryBroker
from vagus.kernel import codes, control
from vagus.kernel.channels import ChannelOptions, ChannelRule, Last, Match, RuleBook, pattern_of
from vagus.kernel.codes import Closure, Ending
from vagus.kernel.commands import Command
from vagus.kernel.control import Answer, Question, Target
from vagus.kernel.errors import BrokerError, DisconnectError, RefusedError, RuleError, VagusError
from vagus.kernel.events import event
from vagus.kernel.history import Page, Query
from vagus.kernel.identity import Grant, Identity
from vagus.kernel.limits import Limits
from vagus.kernel.permissions import ANYONE, USER, Access
from vagus.kernel.publications import ClientInfo, Draft, Json, Position, Publication, Receipt
from vagus.kernel.rates import Buckets
from vagus.kernel.replies import PresenceStatsResult
from vagus.version import VERSION

from . import journal
from .answers import answer
from .asking import Asking
from .client import Client
from .figures import Figures
from .functions import Callee, Function, Guard, Method
from .journal import log
from .membership import tell_gap
from .orders import attach_client, carry_out
from .policies import Policies, Verifier
from .publishing import publish_call
from .registry import Registry
from .sections import Section
from .steps import begin, call, together
from .surveys import answer_surveys, count_channels
from .tick import Tick
from .topic import Topic
from .topics import Topics
from .vitals import Vitals
from .wheel import Wheel

F = TypeVar("F", bound=Function)

OPEN_RULE: Final = ChannelRule(
    pattern="{channel*}",
    history=Last(100, minutes=5),
    presence=True,
    join_leave=True,
    subscribe=(ANYONE,),
    publish=(ANYONE,),
    read_presence=(ANYONE,),
    read_history=(ANYONE,),
    delta=True,
    tag_filter=True,
)
"""What holds in an open hub where no other rule does."""


class Hooks(msgspec.Struct):
    """An application's functions that are told what happened, in the order in which they were registered."""

    connect: list[Function] = []
    disconnect: list[Function] = []
    subscribe: list[Function] = []
    unsubscribe: list[Function] = []


class Channel(msgspec.Struct, frozen=True):
    """One of the channels that have subscribers here."""

    name: str
    num_clients: int


class Hub:
    """See the module. ``open_to_all`` is for a laptop: everybody may do everything; it is what ``--insecure`` sets."""

    def __init__(
        self,
        *,
        rules: Iterable[ChannelRule] = (),
        broker: Broker | None = None,
        verifier: Verifier | None = None,
        limits: Limits | None = None,
        allow_anonymous: bool = False,
        personal_channels: str = "",
        open_to_all: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.limits = limits or Limits()
        self.is_open = False
        self.rules = RuleBook()
        self.calls: dict[str, Callee] = {}
        self.events: dict[str, Method] = {}
        self._folded_calls: dict[str, Callee] = {}
        self.sections: dict[str, Section] = {"": Section(self, "", allow=(ANYONE,))}
        self.answers: dict[str, Callable[[bytes], Awaitable[bytes | None]]] = {}
        """Who answers other nodes, by the questions' subjects."""
        self._asking = Asking(self)
        self.apps: dict[str, object] = {}
        """What was installed on it, by name; see ``vagus.apps``."""
        self.hooks = Hooks()
        self.figures = Figures()
        self.vitals: Final = Vitals()
        """How this process does, while the API, which starts it, is served."""
        self.policies = Policies(self, verifier, allow_anonymous=allow_anonymous)
        self.version: Final = VERSION
        self.node_id = uuid.uuid4().hex
        self.registry = Registry(self.limits, 0.0)
        self.carry_with(broker if broker is not None else MemoryBroker(clock))
        self._clock = clock
        self.lagging: Final[dict[Client, float]] = {}
        """Clients whose transports take nothing while something is due to them, and since when in the loop's time."""
        self.personal_channels = personal_channels
        self._tasks: set[asyncio.Task[None]] = set()
        self.user_buckets: Buckets | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closure: Closure | None = None
        """With what it closes whoever comes while it stops."""
        self.started_at = 0.0
        answer_surveys(self)
        self.add_call(publish_call(self))
        for rule in rules:
            self.rules.add(rule)
        if open_to_all:
            self.open()

    # furnishing

    def carry_with(self, broker: Broker) -> None:
        """Let another broker carry everything, before the hub is started."""
        self.broker = broker
        self._topics = Topics(broker, self._new_topic)

    def open(self) -> None:
        """Let everybody do everything, also in channels that have no rule."""
        self.is_open = True
        if not self.rules.covers(OPEN_RULE.pattern):
            self.rules.add(OPEN_RULE)

    def authenticate(self, function: F) -> F:
        """Decide who connects: ``(ConnectRequest) -> Identity``, or ``None`` to leave it to the request's token."""
        self.policies.authenticate = function
        return function

    def channel(self, pattern: str, **options: Unpack[ChannelOptions]) -> Callable[[F], F]:
        """Add a channel rule (the fields of ``ChannelRule``) whose function says who may subscribe.

        The function takes any of ``identity``, ``caller``, ``request`` and the pattern's places, by name, and returns a
        bool, or a ``Grant`` for more than yes. Raises ``RuleError`` or ``TypeError`` if rule or function make no sense.
        """

        def register(function: F) -> F:
            guard = Guard(function, pattern_of(pattern).places)
            self.rules.add(ChannelRule(pattern=pattern, **options), f"channel {pattern!r}")
            self.policies.subscribing[pattern] = guard
            return function

        return register

    def may_publish(self, pattern: str) -> Callable[[F], F]:
        """Let a function say which clients may publish to the channels of a pattern that has a rule already."""

        def register(function: F) -> F:
            if all(rule.pattern != pattern for rule in self.rules.rules):
                raise ValueError(f"channel {pattern!r} has no rule yet: add one with hub.channel or rules=")
            self.policies.publishing[pattern] = Guard(function, pattern_of(pattern).places)
            return function

        return register

    def call(self, name: str, *, allow: Access = (USER,)) -> Callable[[F], F]:
        """Answer calls of clients: ``(Caller) -> result`` or ``(Caller, request) -> result``, typed and validated."""

        def register(function: F) -> F:
            self.add_call(Method(name, function, allow))
            self.sections[""].names.add(name)
            return function

        return register

    def event(self, name: str, *, allow: Access = (USER,)) -> Callable[[F], F]:
        """Take events that clients send as ``{"type": name, "payload": …}``; nothing is answered."""

        def register(function: F) -> F:
            if name in self.events:
                raise ValueError(f"{name!r} has a function already")
            self.events[name] = Method(name, function, allow)
            return function

        return register

    def section(self, name: str, *, allow: Access = (USER,)) -> Section:
        """Begin a section: a part of the calls with a name, which some dialects have an address for."""
        if name.lower() in map(str.lower, self.sections):
            raise ValueError(f"there is a section {name!r} already")
        section = self.sections[name] = Section(self, name, allow)
        return section

    def add_call(self, callee: Callee) -> None:
        """Let clients call it by its name. Raises ``ValueError`` for a name that is taken."""
        if callee.name in self.calls:
            raise ValueError(f"{callee.name!r} has a function already")
        self.calls[callee.name] = callee
        self._folded_calls.setdefault(callee.name.lower(), callee)

    def find_call(self, name: str) -> Callee | None:
        """What is called by a name; one that differs in case alone will do, as it does in some dialects."""
        return self.calls.get(name) or self._folded_calls.get(name.lower())

    def on_connect(self, function: F) -> F:
        """``(ConnectRequest, Identity)``, before the client is let in; what it raises refuses the client."""
        self.hooks.connect.append(function)
        return function

    def on_disconnect(self, function: F) -> F:
        """``(Caller, Closure)``, after a client that was let in has gone."""
        self.hooks.disconnect.append(function)
        return function

    def on_subscribe(self, function: F) -> F:
        """``(Caller, channel)``, after a subscription stands."""
        self.hooks.subscribe.append(function)
        return function

    def on_unsubscribe(self, function: F) -> F:
        """``(Caller, channel)``, after a subscription has ended, for whatever reason."""
        self.hooks.unsubscribe.append(function)
        return function

    # its life

    @property
    def is_started(self) -> bool:
        return self._loop is not None

    async def start(self) -> None:
        """Begin on the running loop. Raises ``RuntimeError`` if it began before."""
        if not journal.is_loaded():
            await asyncio.to_thread(journal.load)
        if self.is_started:
            raise RuntimeError("the hub is started already")
        if self.personal_channels and self.rules.match(f"{self.personal_channels}user") is None:
            raise RuleError(f"personal_channels: no channel rule holds for {self.personal_channels + 'user'!r}")
        self._warn_of_long_histories()
        loop = asyncio.get_running_loop()
        self._loop, self._closure = loop, None
        self.tick = Tick(loop)
        self.wheel = Wheel(loop)
        self.registry = Registry(self.limits, loop.time())
        self.bound(self.limits)
        self.started_at = self.now()
        try:
            await self.broker.start(self)
        except BaseException:
            self._loop = None  # it may be tried again
            raise

    def bound(self, limits: Limits) -> None:
        """Let these limits hold for what is asked from now on."""
        self.limits = limits
        self.registry.bound(limits, self.loop.time())
        self.user_buckets = Buckets(limits.commands_per_user) if limits.commands_per_user else None

    def _warn_of_long_histories(self) -> None:
        limit = self.limits.history
        for rule in self.rules.rules:
            if rule.recovery == "stream" and rule.history is not None and rule.history.size > limit:
                log.warning("history_exceeds_recovery", channel=rule.pattern, size=rule.history.size, limit=limit)

    async def stop(self, closure: Closure = codes.SHUTDOWN) -> None:
        """Close every client with ``closure``, finish what runs, and let the broker go. It may be started again.

        Whoever comes meanwhile is closed in the same way.
        """
        self._closure = closure
        self._close_clients(closure)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
        for task in list(self._tasks):
            task.cancel()
        await self.broker.close()
        self._close_clients(closure)
        self._loop = None

    def _close_clients(self, closure: Closure) -> None:
        """Those that have not said who they are hang on the wheel alone."""
        unknown = [timed for timed in self.wheel if isinstance(timed, Client)] if self.is_started else []
        for client in (*self.clients.values(), *unknown):
            client.disconnect(closure)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError("the hub is not started: use 'async with hub' or 'await hub.start()'")
        return self._loop

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock()

    def now_ms(self) -> int:
        return int(self._clock() * 1000)

    def loop_time(self, at: float) -> float:
        """A time since the epoch as the loop's time."""
        return self.loop.time() + at - self._clock()

    # publishing

    async def publish(
        self,
        channel: str,
        data: object,
        *,
        tags: Mapping[str, str] | None = None,
        idempotency_key: str = "",
        version: int = 0,
        version_epoch: str = "",
        exclude: str = "",
        skip_history: bool = False,
    ) -> Receipt:
        """Publish to a channel. ``data`` is anything that msgspec encodes, or JSON already as ``msgspec.Raw``.

        When it returns, the publication is kept and on its way, and later ones of this caller come after it. Raises
        ``RefusedError(UNKNOWN_CHANNEL)`` where no rule holds, and ``BrokerError`` if it may be tried again.
        """
        draft = Draft(
            data=json_of(data),
            tags=dict(tags) if tags else None,
            time=self.now_ms(),
            idempotency_key=idempotency_key,
            version=version,
            version_epoch=version_epoch,
            exclude=exclude,
            skip_history=skip_history,
        )
        return await self.publish_draft(channel, draft)

    async def publish_draft(self, channel: str, draft: Draft) -> Receipt:
        rule = self.rule_of(channel)
        receipt = await self.broker.publish(channel, draft, rule.history)
        self.figures.published += 1
        return receipt

    async def broadcast(self, channels: Iterable[str], data: object, **options: Any) -> dict[str, Receipt | VagusError]:
        """Publish the same data to many channels; each has its own receipt or error. Options as for ``publish``."""
        encoded = json_of(data)

        async def one(channel: str) -> Receipt | VagusError:
            try:
                return await self.publish(channel, encoded, **options)
            except VagusError as error:
                return error

        names = list(channels)
        return dict(zip(names, await together(map(one, names)), strict=True))

    async def send(self, data: object, *, user: str | None = None, client: str = "") -> None:
        """Send data to the clients of one user, or to one client, outside of any channel. Not kept, not repeated."""
        await self._order(control.Deliver(Target(user, client), json_of(data)))

    async def ask(self, client: str, type: str, *arguments: object, timeout_s: float = 30.0) -> list[Any]:
        """Ask one client, wherever it is, and return the arguments of its answer.

        Raises ``AnswerError`` if it answers with an error, ``TimeoutError``, ``RefusedError(NOT_AVAILABLE)`` where it
        is nowhere, or speaks a dialect without questions, and ``BrokerError`` if it is not here and other nodes cannot
        be asked.
        """
        asked = self.clients.get(client)
        if asked is None:
            return await self._asking.ask(client, event(type, *arguments), timeout_s)
        return await asked.exchanges.ask(event(type, *arguments), timeout_s)

    # steering clients, wherever they are

    async def subscribe(
        self,
        channel: str,
        *,
        user: str | None = None,
        client: str = "",
        session: str = "",
        grant: Grant | None = None,
        since: Position | None = None,
    ) -> None:
        """Subscribe clients that are connected now. Raises ``RefusedError`` where the channel has no rule.

        One client of this node is subscribed when this returns; others are asked to be.
        """
        self.rule_of(channel)
        order = control.Attach(Target(user, client, session=session), channel, grant or Grant(), since)
        if self.registry.single(order.target) is None:
            await self.broker.order(order)
            return
        for here in self.registry.targets(order.target):
            await attach_client(self, here, order)

    async def unsubscribe(
        self,
        channel: str,
        *,
        user: str | None = None,
        client: str = "",
        session: str = "",
        ending: Ending = codes.UNSUBSCRIBED,
    ) -> None:
        await self._order(control.Detach(Target(user, client, session=session), channel, ending))

    async def disconnect(
        self,
        *,
        user: str | None = None,
        client: str = "",
        session: str = "",
        spare: Iterable[str] = (),
        closure: Closure = codes.FORCE_DISCONNECT,
    ) -> None:
        """Close the connections of a user (all but those in ``spare``) or one client's."""
        await self._order(control.Disconnect(Target(user, client, tuple(spare), session), closure))

    async def refresh(
        self,
        *,
        user: str | None = None,
        client: str = "",
        session: str = "",
        expires_at: float | None = None,
        expired: bool = False,
    ) -> None:
        """Move the expiry of connections, or close them as expired."""
        await self._order(control.Renew(Target(user, client, session=session), expires_at, expired))

    async def _order(self, order: control.Order) -> None:
        """What is for one client that is here concerns no other node."""
        if self.registry.single(order.target) is not None:
            carry_out(self, order)
        else:
            await self.broker.order(order)

    # asking

    async def presence(self, channel: str) -> dict[str, ClientInfo]:
        self._needs(self.rule_of(channel).presence)
        return await self.broker.presence(channel)

    async def presence_stats(self, channel: str) -> PresenceStatsResult:
        self._needs(self.rule_of(channel).presence)
        return await self.broker.presence_stats(channel)

    async def history(self, channel: str, query: Query | None = None) -> Page:
        """Part of a channel's history; by default all that is kept."""
        rule = self.rule_of(channel)
        if rule.history is None:
            raise RefusedError(codes.NOT_AVAILABLE)
        return await self.broker.history(channel, query or Query(None), rule.history)

    async def remove_history(self, channel: str) -> None:
        self._needs(self.rule_of(channel).history is not None)
        await self.broker.remove_history(channel)

    def channels(self, pattern: str = "") -> list[Channel]:
        """Channels with subscribers on this node, chosen by a glob."""
        return [
            Channel(name, topic.count)
            for name, topic in self.topics.items()
            if not pattern or fnmatchcase(name, pattern)
        ]

    async def all_channels(self, pattern: str = "") -> list[Channel]:
        """Channels with subscribers on any node, chosen by a glob.

        Raises ``RefusedError`` where another node has too many of them, and ``BrokerError``.
        """
        return [Channel(name, count) for name, count in await count_channels(self, pattern)]

    @property
    def clients(self) -> Mapping[str, Client]:
        """The clients connected here, by their ids."""
        return self.registry.clients

    @property
    def topics(self) -> Mapping[str, Topic]:
        """The channels followed here."""
        return self._topics.by_channel

    @property
    def num_users(self) -> int:
        return self.registry.num_users

    @property
    def num_subscriptions(self) -> int:
        return sum(topic.count for topic in self.topics.values())

    def match(self, channel: str) -> Match:
        """The rule that holds for a channel. Raises ``RefusedError`` where there is none."""
        if not channel or len(channel) > self.limits.channel_length:
            raise RefusedError(codes.BAD_REQUEST)
        match = self.rules.match(channel)
        if match is None:
            raise RefusedError(codes.UNKNOWN_CHANNEL)
        return match

    def rule_of(self, channel: str) -> ChannelRule:
        return self.match(channel).rule

    @staticmethod
    def _needs(available: object) -> None:
        if not available:
            raise RefusedError(codes.NOT_AVAILABLE)

    # what the broker tells (broker.Listener)

    def published(self, channel: str, publication: Publication, epoch: str, exclude: str) -> None:
        topic = self.topics.get(channel)
        if topic is not None:
            self.figures.delivered += topic.count
            topic.publish(publication, epoch, exclude)

    def announced(self, channel: str, info: ClientInfo, *, joined: bool) -> None:
        topic = self.topics.get(channel)
        if topic is not None:
            topic.announce(info, joined=joined)

    def ordered(self, order: control.Order) -> None:
        carry_out(self, order)

    async def asked(self, question: Question) -> bytes | None:
        answering = self.answers.get(question.subject)
        return await answering(question.content) if answering is not None else None

    def followed(self) -> Iterator[Followed]:
        for channel, topic in self.topics.items():
            if topic.position is not None and topic.rule.history is not None:
                yield Followed(channel, topic.position, topic.rule.history)

    def lost(self, channel: str, top: Position) -> None:
        topic = self.topics.get(channel)
        if topic is not None:
            topic.skip_to(top)

    # what clients need

    def new_client_id(self) -> str:
        return str(uuid.uuid4())

    async def ask_nodes(self, question: Question, *, node: str = "", timeout_s: float = ANSWER_S) -> list[Answer]:
        """Ask all nodes, or one, what their ``answers`` answer. Raises ``BrokerError``."""
        ask = partial(self.broker.ask, question, node=node, timeout_s=timeout_s)
        return await call(ask, deadline_s=None)  # in a task of its own, which time-outs need

    def answer(self, client: Client, number: int, command: Command) -> Coroutine[Any, Any, None]:
        return answer(self, client, number, command)

    def personal_channel(self, identity: Identity) -> str:
        return f"{self.personal_channels}{identity.user}" if self.personal_channels and identity.user else ""

    def remember(self, client: Client) -> None:
        """A client said who it is. Raises ``DisconnectError`` if it comes too late, or its user has too many

        connections.
        """
        if self._closure is not None:
            raise DisconnectError(self._closure)
        self.registry.add(client)
        self.figures.connections += 1

    def forget(self, client: Client, closure: Closure, *, was_connected: bool) -> None:
        if self.registry.remove(client) and was_connected:
            hooks = [*self.hooks.disconnect, *self.sections[client.section].disconnected]
            self.tell(hooks, client.caller, closure)

    async def enter_topic(self, channel: str, rule: ChannelRule) -> Topic:
        return await self._topics.enter(channel, rule)

    def _new_topic(self, channel: str, rule: ChannelRule) -> Topic:
        return Topic(channel, rule, self.tick, max_delay_s=self.limits.max_delay_s, on_gap=partial(tell_gap, self))

    def leave_topic(self, topic: Topic) -> None:
        """Undo ``enter_topic``."""
        if self._topics.leave(topic):
            self.run(self.broker.unsubscribe(topic.channel))

    # running things

    def tell(self, hooks: list[Function], *args: object) -> None:
        for hook in hooks:
            self.run(self._call_hook(hook, *args))

    async def _call_hook(self, hook: Function, *args: object) -> None:
        await call(hook, *args, deadline_s=self.limits.answer_s)

    def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run what nobody waits for: at once if it does not wait, else as a task that ``stop`` awaits."""
        try:
            rest = begin(coroutine)
        except Exception:
            log.exception("background_failed")
            return
        if rest is not None:
            self.spawn(rest).add_done_callback(_log_failure)

    def excuse(self, error: BrokerError) -> None:
        """Log that the broker did not do what nobody waits for; while it is known to be away, that is no news."""
        say = log.warning if self.broker.condition.is_up else log.debug
        say("broker_failed", error=str(error))

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def json_of(data: object) -> Json:
    """Data as JSON on one line. Raises ``TypeError`` for what msgspec cannot encode."""
    if isinstance(data, msgspec.Raw):
        text = bytes(data)
        return msgspec.Raw(msgspec.json.format(text, indent=-1)) if b"\n" in text or b"\r" in text else data
    return msgspec.Raw(msgspec.json.encode(data))


def _log_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("background_failed", exc_info=error)
