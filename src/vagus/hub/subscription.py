"""A subscription: one client in one channel, with what it was granted there."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vagus.kernel.identity import Grant
    from vagus.kernel.publications import Json, Publication
    from vagus.wire.encoding import Encoding

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
