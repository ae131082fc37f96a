"""An audience: each member gets exactly what was pushed while it was one, in order, whatever comes between."""

import asyncio
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.hub.peers import Peer, new_audience, turn
from vagus.hub import audience as module
from vagus.testing import FakeClock
from vagus.wire.encoding import MESSAGE_BYTES


async def test_a_pile_reaches_every_member_in_one_message() -> None:
    audience, peers = new_audience(), [Peer(), Peer()]
    for peer in peers:
        audience.join(peer)
    audience.push(b"1")
    audience.push(b"2")
    await turn(3)
    assert [(peer.got, peer.messages) for peer in peers] == [([b"1", b"2"], 1)] * 2


async def test_members_are_given_the_same_bytes_object() -> None:
    audience, written = new_audience(), list[bytes]()
    for _ in range(2):
        peer = Peer()
        peer.write = written.append  # type: ignore[assignment,method-assign]
        audience.join(peer)
    audience.push(b"1")
    audience.push(b"2")
    await turn(3)
    assert written[0] is written[1]


async def test_who_joins_onto_a_pile_gets_what_comes_after() -> None:
    audience, early, late = new_audience(), Peer("early"), Peer("late")
    audience.join(early)
    audience.push(b"1")
    audience.join(late)
    audience.push(b"2")
    await turn(3)
    assert (early.got, late.got) == ([b"1", b"2"], [b"2"])


async def test_who_joins_last_gets_nothing_of_the_pile() -> None:
    audience, early, late = new_audience(), Peer("early"), Peer("late")
    audience.join(early)
    audience.push(b"1")
    audience.join(late)
    await turn(3)
    assert (early.got, late.got) == ([b"1"], [])


async def test_who_leaves_settled_gets_what_is_due_and_no_more() -> None:
    audience, peer, other = new_audience(), Peer(), Peer()
    audience.join(peer)
    audience.join(other)
    audience.push(b"1")
    audience.leave(peer, settle=True)
    audience.push(b"2")
    await turn(3)
    assert peer.got == [b"1"]


async def test_who_leaves_unsettled_gets_nothing_more() -> None:
    audience, peer = new_audience(), Peer()
    audience.join(peer)
    audience.push(b"1")
    audience.leave(peer, settle=False)
    await turn(3)
    assert peer.got == []
    assert len(audience) == 0


async def test_leaving_without_having_joined_is_no_error() -> None:
    new_audience().leave(Peer(), settle=True)


async def test_a_part_skips_the_client_that_it_excludes() -> None:
    audience, sender, other = new_audience(), Peer("sender"), Peer("other")
    audience.join(sender)
    audience.join(other)
    for part, exclude in [(b"1", ""), (b"2", "sender"), (b"3", "")]:
        audience.push(part, exclude)
    await turn(3)
    assert (sender.got, other.got) == ([b"1", b"3"], [b"1", b"2", b"3"])


async def test_who_is_excluded_from_all_is_not_written_to() -> None:
    audience, sender = new_audience(), Peer("sender")
    audience.join(sender)
    audience.push(b"1", "sender")
    await turn(3)
    assert sender.messages == 0
    audience.push(b"2")
    await turn(3)
    assert sender.got == [b"2"]


async def test_a_late_and_excluded_member_gets_what_is_left() -> None:
    audience, early, late = new_audience(), Peer("early"), Peer("late")
    audience.join(early)
    audience.push(b"1")
    audience.join(late)
    for part, exclude in [(b"2", "late"), (b"3", "")]:
        audience.push(part, exclude)
    audience.leave(late, settle=True)
    await turn(3)
    assert late.got == [b"3"]


async def test_nobody_to_push_to_costs_nothing() -> None:
    audience, peer = new_audience(), Peer()
    audience.push(b"1")
    audience.join(peer)
    await turn(3)
    assert peer.got == []


async def test_a_dropped_pile_is_not_sent() -> None:
    audience, peer = new_audience(), Peer()
    audience.join(peer)
    audience.push(b"1")
    audience.drop()
    audience.push(b"2")
    await turn(3)
    assert peer.got == [b"2"]


async def test_who_does_not_take_bytes_is_asked_to_hold_them() -> None:
    audience, slow = new_audience(when_slow="keep-latest", urgent=True), Peer()
    slow.flowing = False
    audience.join(slow)
    audience.push(b"1")
    await turn(3)
    assert (slow.got, slow.held) == ([], [b"1"])


async def test_a_pile_above_the_bound_goes_in_several_messages_in_order() -> None:
    audience, peer, slow = new_audience(), Peer(), Peer()
    slow.flowing = False
    for member in (peer, slow):
        audience.join(member)
    parts = [b"%d" % n * 30_000 for n in range(5)]
    for part in parts:
        audience.push(part)
    await turn(3)
    assert peer.got == parts
    assert peer.messages == 3
    assert all(len(message) <= MESSAGE_BYTES + 1 for message in slow.held)


async def test_a_part_above_the_bound_has_a_message_of_its_own() -> None:
    audience, peer = new_audience(), Peer()
    audience.join(peer)
    parts = [b"a", b"b" * (MESSAGE_BYTES + 1), b"c"]
    for part in parts:
        audience.push(part)
    await turn(3)
    assert (peer.got, peer.messages) == (parts, 3)


class Narrow(Peer):
    """Its transport is full after the first message."""

    def write(self, data: bytes) -> None:
        super().write(data)
        self.flowing = False


async def test_a_transport_that_fills_up_within_a_pile_is_given_no_more_of_it() -> None:
    audience, narrow = new_audience(), Narrow()
    audience.join(narrow)
    for n in range(5):
        audience.push(b"%d" % n * 40_000)
    await turn(3)
    assert narrow.messages == 1
    assert len(narrow.held) == 4


async def test_a_large_audience_is_written_in_slices_with_the_loop_between() -> None:
    audience, peers = new_audience(), [Peer(str(n)) for n in range(2 * module.SLICE + 1)]
    for peer in peers:
        audience.join(peer)
    audience.push(b"1")
    reached = []
    for _ in range(8):
        await turn()
        reached.append(sum(bool(peer.got) for peer in peers))
    assert sorted(set(reached)) in (
        [0, module.SLICE, 2 * module.SLICE, len(peers)],
        [module.SLICE, 2 * module.SLICE, len(peers)],
    )
    assert all(peer.got == [b"1"] for peer in peers)


async def test_what_is_pushed_between_slices_comes_after_for_all() -> None:
    audience, peers = new_audience(), [Peer(str(n)) for n in range(2 * module.SLICE + 1)]
    for peer in peers:
        audience.join(peer)
    audience.push(b"1")
    await turn(2)
    audience.push(b"2")
    await turn(10)
    assert all(peer.got == [b"1", b"2"] for peer in peers)


async def test_who_leaves_comes_back_and_leaves_between_slices_gets_it_once() -> None:
    audience, peers = new_audience(), [Peer(str(n)) for n in range(module.SLICE + 1)]
    for peer in peers:
        audience.join(peer)
    audience.push(b"1")
    await turn(1)
    last = peers[-1]
    assert last.got == []
    for _ in range(2):
        audience.leave(last, settle=True)
        audience.join(last)
    await turn(5)
    assert last.got == [b"1"]


async def test_a_busy_audience_rests_and_piles_up_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(module, "perf_counter", loop.time)
    audience, peer = new_audience(max_delay_s=0.02), Costly()
    audience.join(peer)
    audience.push(b"1")
    await turn(4)
    audience.push(b"2")
    await turn(4)
    assert peer.got == [b"1"]
    audience.push(b"3")
    await asyncio.sleep(0.021)
    await turn(4)
    assert peer.got == [b"1", b"2", b"3"]
    assert peer.messages == 2


async def test_an_urgent_audience_never_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "perf_counter", asyncio.get_running_loop().time)
    audience, peer = new_audience(max_delay_s=0.02, urgent=True), Costly()
    audience.join(peer)
    for part in (b"1", b"2"):
        audience.push(part)
        await turn(4)
    assert peer.messages == 2


class Costly(Peer):
    """Writing to it takes ten milliseconds of the clock."""

    def write(self, data: bytes) -> None:
        super().write(data)
        loop = asyncio.get_running_loop()
        loop.clock.advance(0.01)  # type: ignore[attr-defined]  # a FakeLoop


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.integers(0, 6)),
        st.tuples(st.sampled_from(["leave", "quit"]), st.integers(0, 6)),
        st.tuples(st.just("push"), st.integers(-1, 6)),
        st.tuples(st.just("turn"), st.integers(1, 3)),
    ),
    max_size=60,
)


@given(STEPS)
def test_each_member_gets_what_was_pushed_while_it_was_one(steps: list[tuple[str, int]]) -> None:
    """With slices of two. Who quits unsettled comes back as somebody new."""

    async def play() -> None:
        audience = new_audience()
        peers = [Peer(str(n)) for n in range(7)]
        expected: dict[Peer, list[bytes]] = {peer: [] for peer in peers}
        members = set[Peer]()
        for number, (step, n) in enumerate(steps):
            match step:
                case "join":
                    if peers[n] not in members:
                        members.add(peers[n])
                        audience.join(peers[n])
                case "leave":
                    members.discard(peers[n])
                    audience.leave(peers[n], settle=True)
                    assert peers[n].got == expected[peers[n]]
                case "quit":
                    members.discard(peers[n])
                    audience.leave(peers[n], settle=False)
                    so_far = len(peers[n].got)
                    assert peers[n].got == expected[peers[n]][:so_far]
                    del expected[peers[n]]
                    peers[n] = Peer(str(n))
                    expected[peers[n]] = []
                case "push":
                    audience.push(b"%d" % number, str(n))
                    for peer in members:
                        if peer.id != str(n):
                            expected[peer].append(b"%d" % number)
                case "turn":
                    await turn(n)
        await turn(20)
        assert {peer.id: peer.got for peer in peers} == {peer.id: expected[peer] for peer in peers}
        assert set(audience.members) == members

    with patch.object(module, "SLICE", 2):
        FakeClock().run(play())


async def test_what_was_sent_is_known_for_each_member() -> None:
    audience, early, late, excluded = new_audience(), Peer("early"), Peer("late"), Peer("excluded")
    audience.join(early)
    audience.join(excluded)
    audience.push(b"1")
    audience.push(b"22", exclude="excluded")
    audience.join(late)
    audience.push(b"333")
    await turn(3)
    audience.push(b"4444")
    await turn(3)
    assert [audience.sent_to(peer) for peer in (early, excluded, late)] == [
        (4, len(b"1\n22\n333") + 4),
        (3, len(b"1\n333") + 4),
        (2, len(b"333") + 4),
    ]


async def test_who_leaves_takes_its_count_along() -> None:
    audience, peer = new_audience(), Peer()
    audience.join(peer)
    audience.push(b"1")
    await turn(3)
    audience.leave(peer, settle=True)
    audience.join(peer)
    assert (peer.credited, audience.sent_to(peer)) == ((1, 1), (0, 0))
