"""Letting a client into a channel: what it is granted there, what it has missed, and from where its live flow starts.

The point is that a publication is neither lost nor repeated between the history that is read and the flow that begins:
what is published while the history is being read is held aside, and merged with it by offset in the same step in which
the client joins the channel's feed.
"""

from typing import TYPE_CHECKING

import msgspec

from vagus.kernel import codes, history
from vagus.kernel.channels import ChannelRule, Match
from vagus.kernel.commands import Subscribe
from vagus.kernel.errors import DisconnectError, RefusedError
from vagus.kernel.filters import Filter, FilterError, compile_filter
from vagus.kernel.history import Page, Query
from vagus.kernel.identity import Grant
from vagus.kernel.publications import Position, Publication
from vagus.kernel.replies import Subscribed
from vagus.kernel.states import State
from vagus.wire.encoding import Encoding

from .client import Client
from .feeds import Wishes
from .membership import announce, release
from .policies import Admission
from .subscription import Subscription
from .topic import Topic

if TYPE_CHECKING:
    from .hub import Hub

UNRECOVERABLE_IS_AN_ERROR = 2
"""Flag of a subscribe command: rather fail than subscribe without what was missed."""

_DELTA = "fossil"


class _OwnWishes(msgspec.Struct, frozen=True):
    rate: float | None = None


class _Extras(msgspec.Struct, frozen=True):
    """The part of a subscription's data that is meant for the hub: ``{"vagus": {"rate": 1}}``."""

    vagus: _OwnWishes = _OwnWishes()


def check_wishes(encoding: Encoding, rule: ChannelRule, command: Subscribe) -> Wishes:
    """What the subscriber asks of its feed. Raises ``RefusedError`` or ``DisconnectError`` for what cannot be."""
    if command.delta and command.delta != _DELTA:
        raise DisconnectError(codes.MALFORMED)
    tags = _filter(rule, command)
    rate = _rate(rule, command)
    has_deltas = bool(command.delta) and rule.delta and rate is None
    return Wishes(encoding, is_positioned=False, has_deltas=has_deltas, tags=tags, rate=rate)


def _filter(rule: ChannelRule, command: Subscribe) -> Filter | None:
    if command.tf is None:
        return None
    if not rule.tag_filter or command.delta:
        raise RefusedError(codes.BAD_REQUEST)
    try:
        return compile_filter(command.tf)
    except FilterError as error:
        raise RefusedError(codes.Fault(codes.BAD_REQUEST.code, f"bad request: tf: {error}")) from None


def _rate(rule: ChannelRule, command: Subscribe) -> float | None:
    """The lower of what the rule allows and what the subscriber asks for."""
    wanted = None
    if command.data and b'"vagus"' in bytes(command.data):
        try:
            wanted = msgspec.json.decode(command.data, type=_Extras).vagus.rate
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RefusedError(codes.Fault(codes.BAD_REQUEST.code, f"bad request: data: {error}")) from None
        if wanted is not None and not 0.01 <= wanted <= 1000:
            raise RefusedError(codes.Fault(codes.BAD_REQUEST.code, "bad request: data: rate lies in 0.01..1000"))
    rates = [rate for rate in (wanted, rule.throttle) if rate is not None]
    return min(rates) if rates else None


class Attachment:
    """A subscription whose past is known. ``begin`` lets the client in, in one step with the reply that tells it so;

    ``complete``, once that is on its way, brings what was published meanwhile and tells others.
    """

    __slots__ = ("_admission", "_client", "_command", "_due", "_hub", "_missed", "_page", "_subscription", "_wishes")

    def __init__(
        self,
        hub: "Hub",
        client: Client,
        subscription: Subscription,
        admission: Admission,
        command: Subscribe,
        wishes: Wishes,
    ) -> None:
        self._hub = hub
        self._client = client
        self._subscription = subscription
        self._admission = admission
        self._command = command
        self._wishes = wishes
        self._page: Page | None = None
        self._missed: tuple[Publication, ...] | None = None
        self._due: list[bytes] = []

    async def read_past(self) -> None:
        """Find out where the stream stands and what was missed, while what is published is held aside."""
        topic = self._subscription.topic
        self._subscription.held = topic.hold()
        self._page, self._missed = await _past(self._hub, topic, self._admission, self._command)

    def begin(self) -> Subscribed:
        """Start the live flow. Returns the reply, which must go out before anything else does."""
        subscription, page, missed = self._subscription, self._page, self._missed
        encoding = self._client.encoding_for(subscription.channel)  # it may have moved since it asked
        wishes = msgspec.structs.replace(self._wishes, encoding=encoding)
        topic = subscription.topic
        if page is not None:
            self._check_flow(page)
            wishes = msgspec.structs.replace(wishes, is_positioned=True)
            topic.start_at(page.top)
        if missed and wishes.tags is not None:
            missed = tuple(publication for publication in missed if wishes.wants(publication))
        self._due = self._held_parts(page, wishes)
        subscription.stop_holding()
        _let_in(self._hub, self._client, subscription, self._admission, self._command, wishes, page)
        return _subscribed(
            self._hub, topic.rule, self._admission, self._command, page, missed, has_deltas=wishes.has_deltas
        )

    def _check_flow(self, page: Page) -> None:
        """Raises ``DisconnectError`` if what was held does not follow what was read: the client comes back for it."""
        at, top = self._subscription.topic.position, page.top
        held = [publication.offset for publication, _ in self._subscription.held or () if publication.offset]
        is_other_stream = bool(held) and at is not None and at.epoch != top.epoch
        later = next((offset for offset in held if offset > top.offset), top.offset + 1)
        if is_other_stream or later != top.offset + 1:
            raise DisconnectError(codes.INSUFFICIENT_STATE)

    def _held_parts(self, page: Page | None, wishes: Wishes) -> list[bytes]:
        """What was published since the past was read, but for what is part of that already."""
        dialect, top = wishes.encoding.dialect, page.top.offset if page is not None else 0
        opening = dialect.opening(self._subscription.channel)
        encode = dialect.full if wishes.has_deltas else dialect.publication
        return [
            encode(opening, publication)
            for publication, exclude in self._subscription.held or ()
            if exclude != self._client.id and not 0 < publication.offset <= top and wishes.wants(publication)
        ]

    async def complete(self) -> None:
        for part in self._due:
            self._client.enqueue(part)
        await announce(self._hub, self._client, self._subscription)


async def attach(
    hub: "Hub",
    client: Client,
    match: Match,
    admission: Admission,
    command: Subscribe,
    wishes: Wishes,
    *,
    is_attached: bool = False,
) -> Attachment:
    """Prepare a subscription. Raises what the broker raises; then nothing is left behind."""
    topic = await hub.enter_topic(command.channel, match.rule)
    is_gone = client.state is State.CLOSED
    if is_gone or command.channel in client.subscriptions:  # since the application and the broker were asked
        hub.leave_topic(topic)
        raise RefusedError(codes.NOT_AVAILABLE if is_gone else codes.ALREADY_SUBSCRIBED)
    subscription = Subscription(topic, admission.grant, is_attached=is_attached)
    client.subscriptions[command.channel] = subscription
    try:
        attachment = Attachment(hub, client, subscription, admission, command, wishes)
        await attachment.read_past()
    except BaseException:
        release(hub, client, subscription, settle=False)
        raise
    if client.subscriptions.get(command.channel) is not subscription:  # closed or ended meanwhile
        raise RefusedError(codes.NOT_AVAILABLE)
    return attachment


async def _past(
    hub: "Hub", topic: Topic, admission: Admission, command: Subscribe
) -> tuple[Page | None, tuple[Publication, ...] | None]:
    """The stream's position and what was missed; no page for a subscriber without a position."""
    rule, grant = topic.rule, admission.grant
    if rule.history is None or not rule.is_positioned:
        return None, None
    wants = command.recover or command.recoverable
    granted = rule.force_recovery or grant.recovery or grant.positioning
    if not (granted or command.positioned or (wants and rule.is_recoverable)):
        return None, None
    since = command.position if command.recover else None
    if rule.recovery == "cache":
        page = await hub.broker.history(topic.channel, Query(1, None, reverse=True), rule.history)
        if since is None and not rule.force_recovery:
            return page, None
        return page, history.latest(page, since)
    if since is None:
        return await hub.broker.history(topic.channel, Query(0), rule.history), None
    query = Query(hub.limits.history, Position(since.offset, since.epoch))
    page = await hub.broker.history(topic.channel, query, rule.history)
    missed = history.missed(page, since)
    if missed is None and command.flag & UNRECOVERABLE_IS_AN_ERROR:
        raise RefusedError(codes.UNRECOVERABLE_POSITION)
    return page, missed


def _let_in(
    hub: "Hub",
    client: Client,
    subscription: Subscription,
    admission: Admission,
    command: Subscribe,
    wishes: Wishes,
    page: Page | None,
) -> None:
    topic, grant = subscription.topic, admission.grant
    subscription.wishes = wishes
    topic.join(client, wishes, page.top if page is not None else None)
    forced = topic.rule.force_join_leave if grant.force_push_join_leave is None else grant.force_push_join_leave
    if subscription.gives_join_leave and (forced or command.join_leave):
        subscription.hears_join_leave = wishes.encoding
        topic.join_notices(client, wishes.encoding)
    if grant.expires_at is not None:
        grace = hub.limits.expiry_grace_s if admission.refreshable else 0.0
        subscription.expires_at = hub.loop_time(grant.expires_at) + grace
        client.set_timer()
    hub.figures.subscriptions += 1


def _subscribed(
    hub: "Hub",
    rule: ChannelRule,
    admission: Admission,
    command: Subscribe,
    page: Page | None,
    missed: tuple[Publication, ...] | None,
    *,
    has_deltas: bool,
) -> Subscribed:
    grant = admission.grant
    expires = admission.refreshable and grant.expires_at is not None
    ttl = max(1, int((grant.expires_at or 0) - hub.now())) if expires else 0
    if page is None:
        return Subscribed(expires=expires, ttl=ttl, data=grant.data, delta=has_deltas)
    if command.recover:
        if missed is None:
            hub.figures.unrecovered += 1
        else:
            hub.figures.recovered += 1
    whole = missed is not None and command.recover and rule.recovery == "stream"
    return Subscribed(
        expires=expires,
        ttl=ttl,
        recoverable=_is_recoverable(rule, grant, command),
        epoch=page.top.epoch,
        publications=missed or (),
        recovered=missed is not None,
        offset=command.offset if whole else page.top.offset,
        positioned=True,
        data=grant.data,
        was_recovering=command.recover,
        delta=has_deltas,
    )


def _is_recoverable(rule: ChannelRule, grant: Grant, command: Subscribe) -> bool:
    """Who asked for a position alone is told of gaps, but does not count on being given what it missed."""
    asked = command.recover or command.recoverable
    return rule.is_recoverable and (asked or rule.force_recovery or bool(grant.recovery))
