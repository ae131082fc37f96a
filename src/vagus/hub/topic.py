"""A topic is a channel as this node sees it: where its stream stands, and the feeds through which subscribers get it.

It exists while somebody here follows the channel. It checks that the publications it is handed follow one another; all
its positioned subscribers stand at the same position, so that a gap is found once for all of them. Only who has read a
history that is ahead of the flow waits aside until the flow is there too.
"""

from collections.abc import Callable, Collection

from vagus.kernel.channels import ChannelRule
from vagus.kernel.publications import ClientInfo, Position, Publication
from vagus.kernel.replies import Joined, Left
from vagus.wire.encoding import Encoding

from .audience import NOTHING_SENT, Audience, Member, Pace, Sent
from .feeds import DeltaFeed, Encoded, Feed, ThrottledFeed, WholeFeed, Wishes
from .tick import Tick


class Topic:
    """One channel's subscribers on this node."""

    __slots__ = (
        "_early",
        "_feeds",
        "_held",
        "_max_delay_s",
        "_notices",
        "_pace",
        "_tick",
        "channel",
        "count",
        "on_gap",
        "position",
        "published",
        "rule",
    )

    def __init__(
        self,
        channel: str,
        rule: ChannelRule,
        tick: Tick,
        *,
        max_delay_s: float,
        on_gap: Callable[["Topic"], None],
    ) -> None:
        self.channel = channel
        self.rule = rule
        self.count = 0
        """Subscriptions that were let in or are being let in."""
        self.published = 0
        """Publications that came since somebody here began to follow."""
        self.position: Position | None = None
        """Where the live flow stands; ``None`` until the first position is known."""
        self.on_gap = on_gap
        self._tick = tick
        self._max_delay_s = max_delay_s
        self._pace = Pace()
        self._feeds: dict[Wishes, Feed] = {}
        self._notices: dict[Encoding, Audience] = {}
        self._held: list[list[tuple[Publication, str]]] = []
        self._early: dict[Member, tuple[Position, Wishes]] = {}
        """Subscribers whose past reaches further than the flow does yet, by where they join it."""

    # what comes from the broker

    def publish(self, publication: Publication, epoch: str, exclude: str) -> None:
        """Hand a publication to every feed, unless it repeats what was there or does not follow it."""
        if publication.offset and not self._follows(publication.offset, epoch):
            return
        self.published += 1
        encoded: Encoded = {}
        for feed in self._feeds.values():
            feed.publish(publication, exclude, encoded)
        for held in self._held:
            held.append((publication, exclude))

    def _follows(self, offset: int, epoch: str) -> bool:
        at = self.position
        if at is not None and at.epoch == epoch:
            if offset <= at.offset:
                return False
            if offset != at.offset + 1:
                self._miss(Position(offset - 1, epoch))
        elif at is not None and (at.epoch or at.offset):
            self._miss(Position(offset - 1, epoch))
        if self._early:
            self._let_in(Position(offset - 1, epoch))
        self.position = Position(offset, epoch)
        return True

    def skip_to(self, top: Position) -> None:
        """What lies between the flow and ``top`` will not come any more."""
        at = self.position
        if at is not None and at.epoch == top.epoch and top.offset <= at.offset:
            return
        if at is not None and (at.epoch or at.offset):
            self._miss(top)
        self.position = top
        self._let_in(top)

    def _miss(self, until: Position) -> None:
        """Tell those who stand before ``until`` that they miss something."""
        for member, (start, wishes) in list(self._early.items()):
            if start.epoch != until.epoch or start.offset < until.offset:
                self._let_in_one(member, wishes)
        self.on_gap(self)

    def _let_in(self, at: Position) -> None:
        """Those whose past ends here join the flow."""
        for member, (start, wishes) in list(self._early.items()):
            if start.epoch != at.epoch or start.offset <= at.offset:
                self._let_in_one(member, wishes)

    def _let_in_one(self, member: Member, wishes: Wishes) -> None:
        del self._early[member]
        self._feed(wishes).join(member)

    def announce(self, info: ClientInfo, *, joined: bool) -> None:
        push = Joined(self.channel, info) if joined else Left(self.channel, info)
        for encoding, audience in self._notices.items():
            audience.push(encoding.dialect.push(push))

    # subscribers

    def hold(self) -> list[tuple[Publication, str]]:
        """A list that collects what is published from now on, for a subscriber whose history is still being read."""
        held: list[tuple[Publication, str]] = []
        self._held.append(held)
        return held

    def release(self, held: list[tuple[Publication, str]]) -> None:
        """End what ``hold`` began."""
        self._held = [other for other in self._held if other is not held]

    def start_at(self, top: Position) -> None:
        """Take the stream's position from its history, unless the live flow has shown it already."""
        at = self.position
        if at is None or not (at.epoch or at.offset):
            self.position = top
        elif at.epoch != top.epoch:
            self.skip_to(top)  # the stream is another one, and nothing of it has come yet

    def join(self, member: Member, wishes: Wishes, start: Position | None = None) -> None:
        """Let a subscriber in: at once, or after ``start`` if the flow is not that far yet."""
        at = self.position
        if start is not None and at is not None and start.offset > at.offset:
            self._early[member] = (start, wishes)
        else:
            self._feed(wishes).join(member)

    def withheld(self, member: Member, wishes: Wishes) -> bytes:
        """The part that a throttled subscriber who leaves for another feed would never get; most often none."""
        feed = self._feeds.get(wishes)
        return feed.withheld(member) if isinstance(feed, ThrottledFeed) and member not in self._early else b""

    def leave(self, member: Member, wishes: Wishes, *, settle: bool) -> Position | None:
        """Let a subscriber go. Returns from where it would have joined, if it is still waiting for that."""
        early = self._early.pop(member, None)
        if early is not None:
            return early[0]
        feed = self._feeds[wishes]
        feed.leave(member, settle=settle)
        if not len(feed):
            del self._feeds[wishes]
        return None

    def join_notices(self, member: Member, encoding: Encoding) -> None:
        audience = self._notices.get(encoding)
        if audience is None:
            audience = self._notices[encoding] = self._new_audience(encoding)
        audience.join(member)

    def leave_notices(self, member: Member, encoding: Encoding, *, settle: bool) -> None:
        audience = self._notices[encoding]
        audience.leave(member, settle=settle)
        if not len(audience):
            del self._notices[encoding]

    def sent_to(self, member: Member, wishes: Wishes) -> Sent:
        """What the feed that a subscriber is in has sent it."""
        feed = self._feeds.get(wishes)
        return NOTHING_SENT if feed is None else feed.audience.sent_to(member)

    def notices_sent_to(self, member: Member, encoding: Encoding) -> Sent:
        """What it was sent of who joined and left."""
        return self._notices[encoding].sent_to(member)

    @property
    def feeds(self) -> Collection[Feed]:
        return self._feeds.values()

    @property
    def positioned(self) -> list[Member]:
        """Those who were promised that they miss nothing."""
        return [member for wishes, feed in self._feeds.items() if wishes.is_positioned for member in feed.members]

    def _feed(self, wishes: Wishes) -> Feed:
        feed = self._feeds.get(wishes)
        if feed is None:
            feed = self._feeds[wishes] = self._new_feed(wishes)
        return feed

    def _new_feed(self, wishes: Wishes) -> Feed:
        audience = self._new_audience(wishes.encoding)
        opening = wishes.encoding.dialect.opening(self.channel)
        if wishes.rate is not None:
            return ThrottledFeed(audience, opening, self._tick, wishes.rate, wishes.tags)
        if wishes.has_deltas:
            return DeltaFeed(audience, opening)
        return WholeFeed(audience, opening, wishes.tags)

    def _new_audience(self, encoding: Encoding) -> Audience:
        return Audience(
            encoding,
            self._tick,
            pace=self._pace,
            max_delay_s=self._max_delay_s,
            when_slow=self.rule.when_slow,
            urgent=self.rule.urgent,
        )
