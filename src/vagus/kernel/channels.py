"""Channel rules: a pattern, and what holds in the channels that it matches.

A pattern is literal text with places: ``orders:{order_id}`` matches ``orders:42`` but not ``orders:42:lines``, since a
place takes no ``:``; ``{rest*}`` at the end takes everything. Of several matching rules the one with the most literal
characters holds, so that an exact name beats a pattern and a narrow pattern a wide one. What no rule matches is
refused as unknown.

Two forms are the native protocol's: a channel beginning with ``$`` needs a subscription token, and one ending in
``#42`` or ``#42,43`` is for those users alone.
"""

import re
from collections.abc import Iterable
from typing import Final, Literal, TypedDict, get_args

import msgspec

from .errors import RuleError
from .identity import Identity
from .permissions import SUBSCRIBER, Access, check_access

PRIVATE_PREFIX: Final = "$"
USER_BOUNDARY: Final = "#"
MAX_CHANNEL_LENGTH: Final = 255

WhenSlow = Literal["disconnect", "drop-oldest", "keep-latest"]
Recovery = Literal["off", "stream", "cache"]

_PLACE: Final = re.compile(r"\{([a-z_][a-z0-9_]*)(\*?)\}")


class Last(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much history a channel keeps: ``Last(100, hours=1)``. All of it goes when nothing was published so long."""

    size: int
    """How many publications."""
    days: float = 0
    """How long after the last one; days, hours, minutes and seconds add up."""
    hours: float = 0
    minutes: float = 0
    seconds: float = 0

    @property
    def ttl_s(self) -> float:
        return self.days * 86400 + self.hours * 3600 + self.minutes * 60 + self.seconds


class ChannelRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds in the channels of a pattern. Nothing is allowed that is not named."""

    pattern: str
    """The channels that it holds for, such as `orders:{order_id}`."""
    history: Last | None = None
    """How many publications are kept, and how long."""
    recovery: Recovery = "stream"
    """What is replayed to who comes back: `stream` all that was missed, `cache` the newest alone, `off` nothing."""
    force_recovery: bool = False
    """Recovery also for clients that do not ask for it."""
    presence: bool = False
    """Whether it can be asked who follows."""
    join_leave: bool = False
    """Whether coming and going is announced to clients that ask for it."""
    force_join_leave: bool = False
    """The same for clients that do not ask for it."""
    subscribe: Access = ()
    """Who may follow."""
    publish: Access = ()
    """Which clients may publish."""
    read_presence: Access = (SUBSCRIBER,)
    """Who may ask who follows."""
    read_history: Access = (SUBSCRIBER,)
    """Who may read what is kept."""
    user_limited: bool = False
    """Channels that name users after `#`, as in `dialog#42,43`, are for those users alone."""
    throttle: float | None = None
    """The most publications a second that a subscriber is sent, the newest winning. A subscriber may ask for less."""
    when_slow: WhenSlow = "disconnect"
    """What becomes of who reads too slowly: `disconnect` closes it, and it recovers later; `drop-oldest` takes its
    oldest publications away; `keep-latest` leaves it the newest. The last two leave gaps: no recovery of a stream."""
    urgent: bool = False
    """Its publications overtake others on their way to a client."""
    delta: bool = False
    """Subscribers may ask for patches instead of whole publications."""
    tag_filter: bool = False
    """Subscribers may choose publications by their tags."""

    @property
    def is_positioned(self) -> bool:
        """Whether subscribers can be promised to hear of every gap."""
        return self.history is not None and (self.when_slow == "disconnect" or self.recovery == "cache")

    @property
    def is_recoverable(self) -> bool:
        return self.is_positioned and self.recovery != "off"


class ChannelOptions(TypedDict, total=False):
    """The fields of ``ChannelRule`` but its pattern, for ``hub.channel``."""

    history: Last | None
    recovery: Recovery
    force_recovery: bool
    presence: bool
    join_leave: bool
    force_join_leave: bool
    subscribe: Access
    publish: Access
    read_presence: Access
    read_history: Access
    user_limited: bool
    throttle: float | None
    when_slow: WhenSlow
    urgent: bool
    delta: bool
    tag_filter: bool


def check_rule(rule: ChannelRule, path: str = "channel") -> None:
    """Refuse what cannot work. Raises ``RuleError`` with the path of the bad value."""
    pattern_of(rule.pattern, f"{path}.pattern")
    if rule.history is not None and rule.history.size < 1:
        raise RuleError(f"{path}.history.size: must be at least 1, not {rule.history.size}")
    if rule.history is not None and not rule.history.ttl_s > 0:  # so that NaN is refused too
        raise RuleError(f"{path}.history: needs an age above 0, such as hours=1")
    if rule.force_recovery and rule.when_slow != "disconnect" and rule.recovery == "stream":
        raise RuleError(f"{path}.when_slow: {rule.when_slow} leaves gaps, which force_recovery forbids")
    if rule.force_recovery and not rule.is_recoverable:
        raise RuleError(f"{path}.force_recovery: needs history and recovery")
    if rule.history is None and rule.recovery == "cache":
        raise RuleError(f"{path}.recovery: cache needs history")
    if rule.force_join_leave and not rule.join_leave:
        raise RuleError(f"{path}.force_join_leave: needs join_leave")
    if rule.throttle is not None and not 0 < rule.throttle <= 1000:
        raise RuleError(f"{path}.throttle: must be above 0 and at most 1000 a second, not {rule.throttle}")
    for name, choices in (("recovery", Recovery), ("when_slow", WhenSlow)):
        if getattr(rule, name) not in get_args(choices):
            raise RuleError(f"{path}.{name}: {getattr(rule, name)!r} is not one of {', '.join(get_args(choices))}")
    for name in ("subscribe", "publish", "read_presence", "read_history"):
        check_access(getattr(rule, name), f"{path}.{name}")
    if SUBSCRIBER in rule.subscribe:
        raise RuleError(f"{path}.subscribe: {SUBSCRIBER!r} cannot be asked of who is not subscribed yet")


class Pattern(msgspec.Struct, frozen=True):
    """A compiled pattern. ``weight`` is its number of literal characters, exact names before all.

    ``shape`` is its text without the names of its places: patterns of one shape match the same channels.
    """

    text: str
    shape: str
    weight: tuple[bool, int]
    places: tuple[str, ...]
    regex: re.Pattern[str]

    def match(self, channel: str) -> dict[str, str] | None:
        found = self.regex.fullmatch(channel)
        return found.groupdict() if found else None


def pattern_of(text: str, path: str = "pattern") -> Pattern:
    """Compile a pattern. Raises ``RuleError`` for an empty, doubled or misplaced place."""
    if not text or len(text) > MAX_CHANNEL_LENGTH:
        raise RuleError(f"{path}: must have 1 to {MAX_CHANNEL_LENGTH} characters")
    regex, literal, places, end = "", 0, [], 0
    for place in _PLACE.finditer(text):
        name, rest = place.group(1), place.group(2)
        if name in places:
            raise RuleError(f"{path}: place {name!r} occurs twice")
        if rest and place.end() != len(text):
            raise RuleError(f"{path}: {place.group()} takes everything and must come last")
        gap = text[end : place.start()]
        regex += re.escape(gap) + (f"(?P<{name}>.+)" if rest else f"(?P<{name}>[^:]+)")
        literal, end = literal + len(gap), place.end()
        places.append(name)
    tail = text[end:]
    if "{" in text.replace("{" + "}", "") and not places:
        raise RuleError(f"{path}: a place is written {{name}}, in lower case")
    if any(brace in _PLACE.sub("", text) for brace in "{}"):
        raise RuleError(f"{path}: a place is written {{name}}, in lower case")
    weight = (not places, literal + len(tail))
    shape = _PLACE.sub(r"{\2}", text)
    return Pattern(text, shape, weight, tuple(places), re.compile(regex + re.escape(tail), re.DOTALL))


class Match(msgspec.Struct, frozen=True):
    """The rule that holds in a channel, and the values of its places."""

    rule: ChannelRule
    places: dict[str, str]


class RuleBook:
    """All rules of a hub. Rules are added before the hub starts and may be exchanged later; looking one up is
    remembered for the busiest channels.
    """

    __slots__ = ("_cache", "_entries")

    CACHE_SIZE: Final = 10_000

    def __init__(self) -> None:
        self._entries: list[tuple[Pattern, ChannelRule]] = []
        self._cache: dict[str, Match | None] = {}

    @property
    def rules(self) -> tuple[ChannelRule, ...]:
        return tuple(rule for _, rule in self._entries)

    def add(self, rule: ChannelRule, path: str = "channel") -> None:
        """Raises ``RuleError`` if the rule makes no sense or another one holds for the channels of its pattern."""
        check_rule(rule, path)
        pattern = pattern_of(rule.pattern, f"{path}.pattern")
        known = self._of_shape(pattern.shape)
        if known is not None:
            where = "" if known.text == pattern.text else f": {known.text!r} matches the same channels"
            raise RuleError(f"{path}.pattern: {rule.pattern!r} has a rule already{where}")
        self._entries.append((pattern, rule))
        self._entries.sort(key=lambda entry: entry[0].weight, reverse=True)
        self._cache.clear()

    def covers(self, text: str) -> bool:
        """Whether a rule was added for just the channels of a pattern, whatever its places are called."""
        return self._of_shape(pattern_of(text).shape) is not None

    def _of_shape(self, shape: str) -> Pattern | None:
        return next((pattern for pattern, _ in self._entries if pattern.shape == shape), None)

    def exchange(self, before: Iterable[ChannelRule], after: Iterable[ChannelRule], path: str = "channels") -> None:
        """Put rules in the place of others; those that are in neither list stay.

        Raises ``RuleError`` as ``add`` does, with the rule's place in ``after``, and then nothing has changed.
        """
        gone = {rule.pattern for rule in before}
        book = RuleBook()
        for rule in self.rules:
            if rule.pattern not in gone:
                book.add(rule)
        for index, rule in enumerate(after):
            book.add(rule, f"{path}[{index}]")
        self._entries, self._cache = book._entries, book._cache

    def copy(self) -> "RuleBook":
        """A book with the same rules, to try a change on."""
        book = RuleBook()
        book._entries = list(self._entries)
        return book

    def match(self, channel: str) -> Match | None:
        """The rule of a channel, or ``None`` where there is none."""
        try:
            return self._cache[channel]
        except KeyError:
            pass
        if len(self._cache) >= self.CACHE_SIZE:
            self._cache.clear()
        found = self._cache[channel] = self._search(channel)
        return found

    def _search(self, channel: str) -> Match | None:
        for pattern, rule in self._entries:
            places = pattern.match(channel)
            if places is not None:
                return Match(rule, places)
        return None


def names_user(channel: str, identity: Identity) -> bool:
    """Whether a user-limited channel (``dialog#42,43``) lists this identity."""
    _, boundary, users = channel.partition(USER_BOUNDARY)
    return bool(boundary and identity.user) and identity.user in users.split(",")
