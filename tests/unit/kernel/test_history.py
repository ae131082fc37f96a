"""A stream against a list that does the same naively, and the rule that a recovery is whole or refused."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from vagus.kernel.history import Page, Query, Stream, latest, missed, new_epoch
from vagus.kernel.publications import Position, Publication

TTL_S = 100.0
SIZE = 5


def publication(offset: int) -> Publication:
    return Publication(msgspec.Raw(b"%d" % offset), offset=offset)


class StreamAgainstList(RuleBasedStateMachine):
    """``kept`` and ``top`` are the model; time moves in steps of one."""

    def __init__(self) -> None:
        super().__init__()
        self.stream = Stream("e")
        self.kept: list[int] = []
        self.top = 0
        self.now = 0.0
        self.expires_at = 0.0

    @rule(size=st.integers(1, SIZE))
    def append(self, size: int) -> None:
        self.stream.expire(self.now)
        self._forget_what_expired()
        self.top += 1
        self.expires_at = self.now + TTL_S
        self.stream.append(publication(self.top), size, self.expires_at)
        self.kept = [*self.kept, self.top][-size:]

    @rule(seconds=st.sampled_from([1.0, TTL_S - 1, TTL_S]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def clear(self) -> None:
        self.stream.clear()
        self.kept = []

    @rule(
        limit=st.none() | st.integers(0, SIZE + 1),
        since=st.none() | st.integers(0, 12),
        reverse=st.booleans(),
    )
    def ask(self, limit: int | None, since: int | None, reverse: bool) -> None:
        self._forget_what_expired()
        position = None if since is None else Position(since, "e")
        page = self.stream.page(Query(limit, position, reverse), self.now)
        chosen = self.kept
        if since is not None:
            chosen = [n for n in self.kept if (n < since if reverse else n > since)]
        ordered = chosen[::-1] if reverse else chosen
        assert [p.offset for p in page.publications] == ordered[: len(ordered) if limit is None else limit]
        assert page.top == Position(self.top, "e")

    @rule(since=st.integers(0, 12), bound=st.integers(1, SIZE), epoch=st.sampled_from(["", "e", "other"]))
    def recover(self, since: int, bound: int, epoch: str) -> None:
        self._forget_what_expired()
        position = Position(since, epoch)
        found = missed(self.stream.page(Query(bound, position), self.now), position)
        expected = list(range(since + 1, self.top + 1))
        possible = (
            epoch in ("", "e") and since <= self.top and len(expected) <= bound and set(expected) <= set(self.kept)
        )
        assert (found is not None) == possible
        if found is not None:
            assert [p.offset for p in found] == expected

    def _forget_what_expired(self) -> None:
        if self.now >= self.expires_at:
            self.kept = []

    @invariant()
    def the_position_is_never_forgotten(self) -> None:
        assert self.stream.position == Position(self.top, "e")

    @precondition(lambda self: self.top > 0)
    @rule(wrong=st.sampled_from([0, 2, -1]))
    def refuse_what_does_not_follow(self, wrong: int) -> None:
        with pytest.raises(ValueError, match="does not follow"):
            self.stream.append(publication(self.top + wrong), SIZE, self.now)


TestStreamAgainstList = StreamAgainstList.TestCase


@pytest.mark.parametrize(
    ("steps", "outdated"),
    [
        ([(0, ""), (0, "")], [False, False]),
        ([(1, ""), (1, ""), (2, "")], [False, True, False]),
        ([(5, ""), (3, "")], [False, True]),
        ([(5, "a"), (1, "b"), (1, "b"), (5, "a")], [False, False, True, False]),
        ([(5, ""), (0, ""), (5, "")], [False, False, True]),
    ],
)
def test_a_version_counts_within_its_epoch(steps: list[tuple[int, str]], outdated: list[bool]) -> None:
    stream = Stream("e")
    assert [stream.is_outdated(version, epoch) for version, epoch in steps] == outdated


TOP = Position(7, "e")
NEWEST = (publication(7),)


@pytest.mark.parametrize(
    ("kept", "since", "expected"),
    [
        (NEWEST, TOP, ()),
        ((), TOP, ()),
        (NEWEST, Position(6, "e"), NEWEST),
        (NEWEST, Position(7, "other"), NEWEST),
        (NEWEST, Position(9, "e"), NEWEST),
        (NEWEST, None, NEWEST),
        ((), Position(6, "e"), None),
        ((), None, None),
    ],
)
def test_a_cache_gives_the_newest_to_who_does_not_have_it(
    kept: tuple[Publication, ...], since: Position | None, expected: tuple[Publication, ...] | None
) -> None:
    assert latest(Page(kept, TOP), since) == expected


def test_epochs_differ() -> None:
    assert len({new_epoch() for _ in range(100)}) == 100


@given(st.integers(0, 20), st.integers(0, 20), st.lists(st.integers(1, 20), unique=True))
def test_a_part_is_never_taken_for_the_whole(top: int, since: int, kept: list[int]) -> None:
    """Whatever a broker answers: what is recovered runs from the position to the top."""
    page = Page(tuple(map(publication, sorted(kept))), Position(top, "e"))
    found = missed(page, Position(since, "e"))
    if found:
        assert found[0].offset == since + 1
        assert found[-1].offset == top
