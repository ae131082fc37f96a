"""A subscription: one client in one channel, with what it was granted there."""

from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from vagus.kernel.identity import Grant
    from vagus.kernel.publications import Json, Position, Publication
    from vagus.wire.encoding import Encoding

    from .client import Client
    from .feeds import Wishes
    from .topic import Topic


class Subscription:
    """``wishes`` is ``None`` while it is being made. ``expires_at`` is in the loop's time, with the grace included."""

    __slots__ = (
        "expires_at",
        "gives_join_leave",
        "gives_presence",
        "hears_join_leave",
        "held",
        "info",
        "is_announced",
        "is_attached",
        "topic",
        "wishes",
    )

    def __init__(self, topic: "Topic", grant: "Grant", *, is_attached: bool) -> None:
        rule = topic.rule
        self.topic = topic
        self.is_attached = is_attached
        """Made by the server, not asked for by the client."""
        self.wishes: Wishes | None = None
        self.expires_at = float("inf")
        self.info: Json = grant.info
        self.gives_presence = rule.presence if grant.presence is None else grant.presence
        self.gives_join_leave = rule.join_leave if grant.join_leave is None else grant.join_leave
        self.hears_join_leave: Encoding | None = None
        self.held: list[tuple[Publication, str]] | None = None
        """What was published while its past is being read."""
        self.is_announced = False
        """Whether others were told of it, so that they are told of its end."""

    @property
    def channel(self) -> str:
        return self.topic.channel

    def stop_holding(self) -> None:
        """Hold nothing aside any more."""
        held, self.held = self.held, None
        if held is not None:
            self.topic.release(held)

    def depart(self, client: "Client") -> "Departure":
        """Leave the feeds for a moment, with what is due there handed over. ``arrive`` follows in the same step."""
        assert self.wishes is not None
        withheld = self.topic.withheld(client, self.wishes)
        start = self.topic.leave(client, self.wishes, settle=True)
        departure = Departure(self.wishes, start, self.hears_join_leave is not None)
        client.enqueue(withheld)
        if self.hears_join_leave is not None:
            self.topic.leave_notices(client, self.hears_join_leave, settle=True)
        self.wishes = self.hears_join_leave = None
        return departure

    def arrive(self, client: "Client", departure: "Departure", encoding: "Encoding") -> None:
        """Join the feeds of an encoding."""
        self.wishes = msgspec.structs.replace(departure.wishes, encoding=encoding)
        self.topic.join(client, self.wishes, departure.start)
        if departure.hears_join_leave:
            self.hears_join_leave = encoding
            self.topic.join_notices(client, encoding)


class Departure(NamedTuple):
    """What a subscription was like before it left its feeds."""

    wishes: "Wishes"
    start: "Position | None"
    hears_join_leave: bool
