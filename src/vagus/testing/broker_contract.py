"""What every broker must do, as tests: one suite for all of them.

::

    class TestMyBroker(BrokerContract):
        def new_broker(self) -> Broker:
            return MyBroker(...)

The methods are coroutines that a test runner for asyncio collects (pytest with pytest-asyncio in auto mode, for
instance) and that assert plainly; ``pytest.register_assert_rewrite("vagus.testing.broker_contract")`` before the import
makes their failures speak. The contract in words is in ``vagus.broker``.

A broker that several nodes share also gives ``nodes`` of 2: the suite then publishes at one node and listens at the
other as well. Channels have a name of their own in each test, so that a shared server need not be emptied.
"""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Final, TypeVar

import msgspec

from vagus.broker import Broker, Followed
from vagus.hub.steps import begin
from vagus.kernel import codes
from vagus.kernel.channels import Last
from vagus.kernel.control import Attach, Deliver, Detach, Disconnect, Order, Question, Renew, Target
from vagus.kernel.history import Page, Query
from vagus.kernel.identity import Grant
from vagus.kernel.publications import ClientInfo, Draft, Position, Publication, Receipt

T = TypeVar("T")

KEEP: Final = Last(5, minutes=1)
EVERYTHING: Final = Query(None)
PATIENCE_S: Final = 5.0


class Told(msgspec.Struct, frozen=True):
    """One publication as a node heard it."""

    channel: str
    publication: Publication
    epoch: str
    exclude: str


class Node:
    """A listener that writes down what it is told."""

    def __init__(self, broker: Broker) -> None:
        self.broker: Final = broker
        self.told: list[Told] = []
        self.announcements: list[tuple[str, ClientInfo, bool]] = []
        self.orders: list[Order] = []
        self.questions: list[Question] = []
        self.follows: list[Followed] = []
        self.losses: list[tuple[str, Position]] = []
        self.node_id: Final = uuid.uuid4().hex
        self._news = asyncio.Event()

    def published(self, channel: str, publication: Publication, epoch: str, exclude: str) -> None:
        self.told.append(Told(channel, publication, epoch, exclude))
        self._news.set()

    def announced(self, channel: str, info: ClientInfo, *, joined: bool) -> None:
        self.announcements.append((channel, info, joined))
        self._news.set()

    def ordered(self, order: Order) -> None:
        self.orders.append(order)
        self._news.set()

    async def asked(self, question: Question) -> bytes | None:
        """Says the content back, after some time if it begins with "slow"; has nothing to say to what is empty."""
        self.questions.append(question)
        if question.content.startswith(b"slow"):
            await asyncio.sleep(PATIENCE_S)
        return question.content[::-1] or None

    def followed(self) -> list[Followed]:
        return self.follows

    def lost(self, channel: str, top: Position) -> None:
        self.losses.append((channel, top))
        self._news.set()

    def heard(self, channel: str) -> list[Publication]:
        return [told.publication for told in self.told if told.channel == channel]

    def numbers(self, channel: str) -> list[int]:
        """What was heard in a channel where integers are published."""
        return [msgspec.json.decode(publication.data) for publication in self.heard(channel)]

    async def until(self, channel: str, count: int) -> list[Publication]:
        """Wait until so many publications of a channel were heard. Raises ``TimeoutError`` if they do not come."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.heard(channel)) < count:
                await self._next()
        return self.heard(channel)

    async def until_ordered(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.orders) < count:
                await self._next()

    async def until_announced(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.announcements) < count:
                await self._next()

    async def _next(self) -> None:
        self._news.clear()
        await self._news.wait()


class BrokerContract:
    """Inherit, and say how a broker is made."""

    nodes: ClassVar[int] = 1
    """How many nodes can share what this broker keeps."""

    _names = itertools.count()

    def new_broker(self) -> Broker:
        """A broker that is not started; every one made during a test shares one store."""
        raise NotImplementedError

    async def elapse(self, seconds: float) -> None:
        """Let time pass for the broker. By default as it does; a broker with a fake clock moves that."""
        await asyncio.sleep(seconds)

    async def lose(self, broker: Broker, channel: str) -> None:
        """Make the broker's store forget the channel altogether, as a crash without a disk does."""
        raise NotImplementedError

    # making things

    def channel(self) -> str:
        return f"contract:{uuid.uuid4().hex[:8]}:{next(self._names)}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[tuple[Node, Node]]:
        """A node that publishes and one that listens; the same one where only one can be."""
        nodes = [Node(self.new_broker()) for _ in range(min(self.nodes, 2))]
        for node in nodes:
            await node.broker.start(node)
        try:
            yield nodes[0], nodes[-1]
        finally:
            for node in nodes:
                await node.broker.close()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Node]:
        async with self.running() as (node, _):
            yield node

    async def settled(self, node: Node) -> None:
        """Wait until what was published before has reached the node: a later publication comes after it."""
        fence = self.channel()
        await node.broker.subscribe(fence)
        await node.broker.publish(fence, _draft(0), None)
        await node.until(fence, 1)

    # numbering, order, freedom from gaps

    async def test_offsets_grow_by_one_from_one(self) -> None:
        async with self.one() as node:
            channel = self.channel()
            receipts = [await node.broker.publish(channel, _draft(n), KEEP) for n in range(3)]
            assert [receipt.position.offset for receipt in receipts] == [1, 2, 3]
            assert len({receipt.position.epoch for receipt in receipts}) == 1
            assert not any(receipt.dropped for receipt in receipts)

    async def test_channels_are_numbered_apart(self) -> None:
        async with self.one() as node:
            one, other = self.channel(), self.channel()
            await node.broker.publish(one, _draft(0), KEEP)
            assert (await node.broker.publish(other, _draft(0), KEEP)).position.offset == 1

    async def test_a_node_hears_each_publication_once_and_in_order(self) -> None:
        async with self.running() as (publisher, listener):
            channel = self.channel()
            await listener.broker.subscribe(channel)
            for n in range(200):
                await publisher.broker.publish(channel, _draft(n), KEEP)
            heard = await listener.until(channel, 200)
            await self.settled(listener)
            assert [publication.offset for publication in heard] == list(range(1, 201))
            assert listener.numbers(channel) == list(range(200))

    async def test_concurrent_publishers_leave_no_gap_and_agree_with_the_history(self) -> None:
        async with self.running() as (publisher, listener):
            channel, keep = self.channel(), Last(200, minutes=1)
            await listener.broker.subscribe(channel)
            both = [publisher.broker, listener.broker]
            await asyncio.gather(*(both[n % 2].publish(channel, _draft(n), keep) for n in range(100)))
            heard = await listener.until(channel, 100)
            page = await publisher.broker.history(channel, EVERYTHING, keep)
            assert [publication.offset for publication in heard] == list(range(1, 101))
            assert [bytes(p.data) for p in page.publications] == [bytes(p.data) for p in heard]

    async def test_what_a_node_hears_is_what_was_published(self) -> None:
        async with self.running() as (publisher, listener):
            channel = self.channel()
            await listener.broker.subscribe(channel)
            info = ClientInfo("ada", "c1", msgspec.Raw(b'{"name":"Ada"}'), msgspec.Raw(b"[1]"))
            data = msgspec.Raw('{"text":"schön\\n"}'.encode())
            draft = Draft(data=data, info=info, tags={"region": "eu"}, time=1_700_000_000_123, exclude="c1")
            receipt = await publisher.broker.publish(channel, draft, KEEP)
            await listener.until(channel, 1)
            (told,) = [told for told in listener.told if told.channel == channel]
            position = receipt.position
            assert bytes(told.publication.data) == bytes(data)
            assert told.publication.tags == {"region": "eu"}
            assert told.publication.time == 1_700_000_000_123
            assert told.publication.offset == position.offset
            assert (told.epoch, told.exclude) == (position.epoch, "c1")
            _same_info(told.publication.info, info)

    async def test_the_first_publication_of_a_stream_carries_its_epoch(self) -> None:
        async with self.running() as (publisher, listener):
            channel = self.channel()
            await listener.broker.subscribe(channel)
            receipt = await publisher.broker.publish(channel, _draft(1), KEEP)
            await publisher.broker.publish(channel, _draft(2), KEEP)
            heard = await listener.until(channel, 2)
            assert [publication.epoch for publication in heard] == [receipt.position.epoch, ""]

    async def test_without_history_publications_have_no_number(self) -> None:
        async with self.running() as (publisher, listener):
            channel = self.channel()
            await listener.broker.subscribe(channel)
            receipt = await publisher.broker.publish(channel, _draft(1), None)
            await listener.until(channel, 1)
            assert receipt == Receipt()
            assert listener.heard(channel)[0].offset == 0
            assert listener.told[-1].epoch == ""

    async def test_what_skips_the_history_is_delivered_and_not_kept(self) -> None:
        async with self.running() as (publisher, listener):
            channel = self.channel()
            await listener.broker.subscribe(channel)
            await publisher.broker.publish(channel, _draft(1), KEEP)
            await publisher.broker.publish(channel, _draft(2, skip_history=True), KEEP)
            heard = await listener.until(channel, 2)
            assert [publication.offset for publication in heard] == [1, 0]
            assert _numbers(await publisher.broker.history(channel, EVERYTHING, KEEP)) == [1]

    # subscribing

    async def test_a_node_hears_only_what_it_subscribed_to(self) -> None:
        async with self.running() as (publisher, listener):
            wanted, other = self.channel(), self.channel()
            await listener.broker.subscribe(wanted)
            await publisher.broker.publish(other, _draft(1), None)
            await publisher.broker.publish(wanted, _draft(2), None)
            await listener.until(wanted, 1)
            await self.settled(listener)
            assert listener.heard(other) == []

    async def test_a_node_hears_from_when_subscribe_returned_until_it_unsubscribes(self) -> None:
        async with self.running() as (publisher, listener):
            channel = self.channel()
            await publisher.broker.publish(channel, _draft(1), KEEP)
            await listener.broker.subscribe(channel)
            await publisher.broker.publish(channel, _draft(2), KEEP)
            await listener.until(channel, 1)
            await listener.broker.unsubscribe(channel)
            await publisher.broker.publish(channel, _draft(3), KEEP)
            await self.settled(listener)
            assert listener.numbers(channel) == [2]

    async def test_a_node_can_subscribe_again(self) -> None:
        async with self.running() as (publisher, listener):
            channel = self.channel()
            for n in range(3):
                await listener.broker.subscribe(channel)
                await publisher.broker.publish(channel, _draft(n), None)
                await listener.until(channel, n + 1)
                await listener.broker.unsubscribe(channel)
            assert listener.numbers(channel) == [0, 1, 2]

    async def test_unsubscribing_from_what_was_not_subscribed_is_no_error(self) -> None:
        async with self.one() as node:
            await node.broker.unsubscribe(self.channel())

    async def test_history_read_after_subscribing_meets_the_live_flow_without_a_gap(self) -> None:
        async with self.running() as (publisher, listener):
            channel, keep = self.channel(), Last(100, minutes=1)
            publishing = asyncio.gather(*(publisher.broker.publish(channel, _draft(n), keep) for n in range(50)))
            await listener.broker.subscribe(channel)
            page = await listener.broker.history(channel, EVERYTHING, keep)
            await publishing
            await self.settled(listener)
            read = [publication.offset for publication in page.publications]
            live = [p.offset for p in listener.heard(channel) if p.offset > page.top.offset]
            assert read + live == list(range(1, 51))

    # history

    async def test_history_keeps_the_last_publications_in_order(self) -> None:
        async with self.one() as node:
            channel = self.channel()
            top = await _fill(node.broker, channel, 8)
            page = await node.broker.history(channel, EVERYTHING, KEEP)
            assert _numbers(page) == [4, 5, 6, 7, 8]
            assert page.top == top
            assert [publication.offset for publication in page.publications] == [4, 5, 6, 7, 8]

    async def test_a_limit_of_zero_asks_for_the_position_alone(self) -> None:
        async with self.one() as node:
            channel = self.channel()
            top = await _fill(node.broker, channel, 3)
            assert await node.broker.history(channel, Query(0), KEEP) == Page((), top)

    async def test_history_starts_after_a_position(self) -> None:
        async with self.one() as node:
            channel = self.channel()
            top = await _fill(node.broker, channel, 5)
            for since, expected in [(0, [1, 2, 3, 4, 5]), (3, [4, 5]), (5, []), (9, [])]:
                page = await node.broker.history(channel, Query(None, Position(since, top.epoch)), KEEP)
                assert _numbers(page) == expected, since

    async def test_history_after_a_position_that_was_trimmed_starts_with_what_is_kept(self) -> None:
        async with self.one() as node:
            channel = self.channel()
            top = await _fill(node.broker, channel, 9)
            page = await node.broker.history(channel, Query(None, Position(1, top.epoch)), KEEP)
            assert _numbers(page) == [5, 6, 7, 8, 9]

    async def test_a_limit_takes_the_oldest_first_or_the_newest_in_reverse(self) -> None:
        async with self.one() as node:
            channel = self.channel()
            top = await _fill(node.broker, channel, 5)
            for query, expected in [
                (Query(2), [1, 2]),
                (Query(2, reverse=True), [5, 4]),
                (Query(2, Position(2, top.epoch)), [3, 4]),
                (Query(2, Position(4, top.epoch), reverse=True), [3, 2]),
                (Query(None, Position(1, top.epoch), reverse=True), []),
                (Query(None, Position(9, top.epoch), reverse=True), [5, 4, 3, 2, 1]),
                (Query(99), [1, 2, 3, 4, 5]),
            ]:
                assert _numbers(await node.broker.history(channel, query, KEEP)) == expected, query

    async def test_history_keeps_all_that_a_publication_says(self) -> None:
        async with self.one() as node:
            channel = self.channel()
            info = ClientInfo("ada", "c1", msgspec.Raw(b"1"))
            draft = Draft(data=msgspec.Raw(b'"x"'), info=info, tags={"a": "b"}, time=7)
            await node.broker.publish(channel, draft, KEEP)
            (kept,) = (await node.broker.history(channel, EVERYTHING, KEEP)).publications
            assert (bytes(kept.data), kept.tags, kept.time, kept.offset) == (b'"x"', {"a": "b"}, 7, 1)
            _same_info(kept.info, info)

    async def test_history_goes_as_a_whole_when_its_time_is_over_and_numbering_goes_on(self) -> None:
        async with self.one() as node:
            channel, keep = self.channel(), Last(5, seconds=3)
            for n in (1, 2):
                await node.broker.publish(channel, _draft(n), keep)
            await self.elapse(1.5)
            position = (await node.broker.publish(channel, _draft(3), keep)).position
            await self.elapse(2)
            assert _numbers(await node.broker.history(channel, EVERYTHING, keep)) == [1, 2, 3]
            await self.elapse(1.5)
            page = await node.broker.history(channel, EVERYTHING, keep)
            assert (page.publications, page.top) == ((), position)
            after = await node.broker.publish(channel, _draft(4), keep)
            assert after.position == Position(4, position.epoch)
            assert _numbers(await node.broker.history(channel, EVERYTHING, keep)) == [4]

    async def test_positions_beyond_everything_are_no_error(self) -> None:
        async with self.one() as node:
            channel = self.channel()
            top = await _fill(node.broker, channel, 2)
            for offset in (2**53, 2**64, 10**30):
                since = Position(offset, top.epoch)
                assert _numbers(await node.broker.history(channel, Query(9, since), KEEP)) == []
                assert _numbers(await node.broker.history(channel, Query(9, since, reverse=True), KEEP)) == [2, 1]

    async def test_removed_history_is_gone_and_numbering_goes_on(self) -> None:
        async with self.one() as node:
            channel = self.channel()
            top = await _fill(node.broker, channel, 3)
            await node.broker.remove_history(channel)
            assert (await node.broker.history(channel, EVERYTHING, KEEP)).publications == ()
            assert (await node.broker.publish(channel, _draft(4), KEEP)).position == Position(4, top.epoch)

    async def test_removing_the_history_of_an_unknown_channel_is_no_error(self) -> None:
        async with self.one() as node:
            await node.broker.remove_history(self.channel())

    async def test_an_empty_channel_has_an_epoch_that_its_first_publication_keeps(self) -> None:
        async with self.one() as node:
            channel = self.channel()
            empty = await node.broker.history(channel, Query(0), KEEP)
            again = await node.broker.history(channel, Query(0), KEEP)
            receipt = await node.broker.publish(channel, _draft(1), KEEP)
            assert empty.top.epoch and empty == again
            assert receipt.position == Position(1, empty.top.epoch)

    async def test_a_stream_that_was_lost_begins_anew_under_another_epoch(self) -> None:
        async with self.one() as node:
            channel = self.channel()
            before = await _fill(node.broker, channel, 3)
            await self.lose(node.broker, channel)
            after = await node.broker.history(channel, EVERYTHING, KEEP)
            assert after.publications == ()
            assert after.top.offset == 0
            assert after.top.epoch not in ("", before.epoch)

    async def test_nodes_read_the_same_history(self) -> None:
        async with self.running() as (publisher, listener):
            channel = self.channel()
            await _fill(publisher.broker, channel, 4)
            query = Query(None)
            assert _numbers(await listener.broker.history(channel, query, KEEP)) == [1, 2, 3, 4]

    # repetition

    async def test_a_key_that_was_used_drops_the_draft_and_answers_with_the_first_position(self) -> None:
        async with self.running() as (publisher, listener):
            channel = self.channel()
            await listener.broker.subscribe(channel)
            first = await publisher.broker.publish(channel, _draft(1, idempotency_key="k"), KEEP)
            await publisher.broker.publish(channel, _draft(2), KEEP)
            again = await publisher.broker.publish(channel, _draft(3, idempotency_key="k"), KEEP)
            await self.settled(listener)
            assert again == Receipt(first.position, dropped=True)
            assert listener.numbers(channel) == [1, 2]
            assert _numbers(await publisher.broker.history(channel, EVERYTHING, KEEP)) == [1, 2]

    async def test_a_key_counts_in_its_channel_alone(self) -> None:
        async with self.one() as node:
            for channel in (self.channel(), self.channel()):
                receipt = await node.broker.publish(channel, _draft(1, idempotency_key="k"), KEEP)
                assert not receipt.dropped

    async def test_a_key_counts_without_history_too(self) -> None:
        async with self.running() as (publisher, listener):
            channel = self.channel()
            await listener.broker.subscribe(channel)
            await publisher.broker.publish(channel, _draft(1, idempotency_key="k"), None)
            again = await publisher.broker.publish(channel, _draft(2, idempotency_key="k"), None)
            await self.settled(listener)
            assert again == Receipt(dropped=True)
            assert listener.numbers(channel) == [1]

    async def test_an_outdated_version_is_dropped_and_goes_to_nobody(self) -> None:
        async with self.running() as (publisher, listener):
            channel = self.channel()
            await listener.broker.subscribe(channel)
            receipts = [
                await publisher.broker.publish(channel, _draft(n, version=version), KEEP)
                for n, version in enumerate([2, 1, 2, 3])
            ]
            await self.settled(listener)
            assert [receipt.dropped for receipt in receipts] == [False, True, True, False]
            assert receipts[1].position == receipts[0].position
            assert listener.numbers(channel) == [0, 3]

    async def test_versions_are_compared_within_their_epoch(self) -> None:
        async with self.one() as node:
            channel = self.channel()
            drafts = [(5, "a"), (1, "b"), (1, "b"), (2, "b"), (0, "")]
            receipts = [
                await node.broker.publish(channel, _draft(0, version=version, version_epoch=epoch), KEEP)
                for version, epoch in drafts
            ]
            assert [receipt.dropped for receipt in receipts] == [False, False, True, False, False]

    async def test_versions_of_any_size_are_compared_exactly(self) -> None:
        async with self.one() as node:
            channel = self.channel()
            versions = [9, 10, 9, 2**60, 2**60 + 1, 2**60]
            receipts = [await node.broker.publish(channel, _draft(0, version=version), KEEP) for version in versions]
            assert [receipt.dropped for receipt in receipts] == [False, False, True, False, False, True]

    async def test_of_many_drafts_with_one_key_the_first_alone_counts(self) -> None:
        async with self.running() as (publisher, listener):
            channel = self.channel()
            await listener.broker.subscribe(channel)
            brokers = [publisher.broker, listener.broker] * 10
            receipts = await asyncio.gather(
                *(broker.publish(channel, _draft(1, idempotency_key="k"), KEEP) for broker in brokers)
            )
            await self.settled(listener)
            assert sorted(receipt.dropped for receipt in receipts) == [False] + [True] * 19
            assert {receipt.position for receipt in receipts} == {receipts[0].position}
            assert listener.numbers(channel) == [1]

    async def test_a_key_remembers_that_its_draft_was_outdated(self) -> None:
        async with self.one() as node:
            channel = self.channel()
            first = await node.broker.publish(channel, _draft(1, version=2), KEEP)
            draft = _draft(2, version=1, idempotency_key="k")
            assert await node.broker.publish(channel, draft, KEEP) == Receipt(first.position, dropped=True)
            await node.broker.publish(channel, _draft(3, version=3), KEEP)
            assert await node.broker.publish(channel, draft, KEEP) == Receipt(first.position, dropped=True)

    # any text, any size

    async def test_names_and_keys_may_be_any_text(self) -> None:
        async with self.running() as (here, there):
            for text in ("a b", "{x}:{y}", "zoë/東京", "a\nb 1\n2", "\0", "'\"\\%", "x" * 255):
                channel = f"{self.channel()}{text}"
                await there.broker.subscribe(channel)
                draft = _draft(1, idempotency_key=text, version=1, version_epoch=text, exclude=text, tags={text: text})
                await here.broker.publish(channel, draft, KEEP)
                await there.until(channel, 1)
                assert (there.told[-1].exclude, there.told[-1].publication.tags) == (text, {text: text})
                assert (await here.broker.publish(channel, draft, KEEP)).dropped
                await here.broker.enter(channel, ClientInfo(text, text))
                assert await there.broker.presence(channel) == {text: ClientInfo(text, text)}
                await here.broker.enter(channel, ClientInfo("other", text))
                assert (await there.broker.presence_stats(channel)).num_users == 1
                await here.broker.exit(channel, text)
                assert (await there.broker.presence_stats(channel)).num_users == 0

    async def test_a_publication_may_be_large(self) -> None:
        async with self.running() as (publisher, listener):
            channel = self.channel()
            await listener.broker.subscribe(channel)
            data = msgspec.Raw(b'"%b"' % (b"x" * 1_000_000))
            await publisher.broker.publish(channel, Draft(data=data), KEEP)
            await publisher.broker.publish(channel, Draft(data=data), None)
            heard = await listener.until(channel, 2)
            assert [bytes(publication.data) == bytes(data) for publication in heard] == [True, True]

    # presence

    async def test_presence_lists_who_entered_and_has_not_left(self) -> None:
        async with self.running() as (here, there):
            channel = self.channel()
            ada, bob = ClientInfo("ada", "c1", msgspec.Raw(b'{"n":1}')), ClientInfo("bob", "c2")
            await here.broker.enter(channel, ada)
            await there.broker.enter(channel, bob)
            present = await here.broker.presence(channel)
            assert set(present) == {"c1", "c2"}
            _same_info(present["c1"], ada)
            await there.broker.exit(channel, "c1")
            assert set(await here.broker.presence(channel)) == {"c2"}

    async def test_entering_again_renews_what_is_known(self) -> None:
        async with self.one() as node:
            channel = self.channel()
            await node.broker.enter(channel, ClientInfo("ada", "c1", msgspec.Raw(b"1")))
            await node.broker.enter(channel, ClientInfo("ada", "c1", msgspec.Raw(b"2")))
            present = await node.broker.presence(channel)
            assert [bytes(info.conn_info) for info in present.values()] == [b"2"]
            assert (await node.broker.presence_stats(channel)).num_clients == 1

    async def test_stats_count_clients_and_users(self) -> None:
        async with self.one() as node:
            channel = self.channel()
            for client, user in [("c1", "ada"), ("c2", "ada"), ("c3", "bob"), ("c4", "")]:
                await node.broker.enter(channel, ClientInfo(user, client))
            stats = await node.broker.presence_stats(channel)
            assert (stats.num_clients, stats.num_users) == (4, 3)
            await node.broker.exit(channel, "c1")
            await node.broker.exit(channel, "c3")
            stats = await node.broker.presence_stats(channel)
            assert (stats.num_clients, stats.num_users) == (2, 2)

    async def test_leaving_twice_or_from_nowhere_is_no_error(self) -> None:
        async with self.one() as node:
            channel = self.channel()
            await node.broker.exit(channel, "c1")
            await node.broker.enter(channel, ClientInfo("ada", "c1"))
            await node.broker.exit(channel, "c1")
            await node.broker.exit(channel, "c1")
            assert await node.broker.presence(channel) == {}
            assert (await node.broker.presence_stats(channel)).num_users == 0

    # news and orders

    async def test_who_came_and_left_is_told_to_nodes_with_subscribers(self) -> None:
        async with self.running() as (here, there):
            channel, other = self.channel(), self.channel()
            await there.broker.subscribe(channel)
            info = ClientInfo("ada", "c1", msgspec.Raw(b"1"))
            await here.broker.announce(other, info, joined=True)
            await here.broker.announce(channel, info, joined=True)
            await here.broker.announce(channel, info, joined=False)
            await there.until_announced(2)
            assert [(name, joined) for name, _, joined in there.announcements] == [(channel, True), (channel, False)]
            _same_info(there.announcements[0][1], info)

    async def test_an_announcement_does_not_enter_the_history(self) -> None:
        async with self.one() as node:
            channel = self.channel()
            await node.broker.subscribe(channel)
            await node.broker.announce(channel, ClientInfo("ada", "c1"), joined=True)
            page = await node.broker.history(channel, EVERYTHING, KEEP)
            assert (page.publications, page.top.offset) == ((), 0)

    async def test_every_order_reaches_every_node(self) -> None:
        target = Target(user="ada", except_clients=("c1",))
        orders: list[Order] = [
            Disconnect(target, codes.FORCE_DISCONNECT),
            Attach(Target(client="c1"), "news", Grant(expires_at=5.0), Position(3, "e")),
            Detach(Target(session="secret"), "news", codes.UNSUBSCRIBED),
            Renew(Target(user=""), expires_at=9.0),
            Deliver(target, msgspec.Raw(b'{"a":1}')),
        ]
        async with self.running() as (here, there):
            for order in orders:
                await here.broker.order(order)
            for node in (here, there):
                await node.until_ordered(len(orders))
                assert node.orders == orders

    async def test_every_node_answers_a_question(self) -> None:
        async with self.running() as (here, there):
            answers = await here.broker.ask(Question("names", b"abc"))
            assert {answer.node: answer.content for answer in answers} == {
                here.node_id: b"cba",
                there.node_id: b"cba",
            }
            assert there.questions == [Question("names", b"abc")]

    async def test_a_question_to_one_node_is_answered_by_that_one(self) -> None:
        async with self.running() as (here, there):
            for node in (here, there):
                (answer,) = await here.broker.ask(Question("name", bytes(range(256))), node=node.node_id)
                assert (answer.node, answer.content) == (node.node_id, bytes(reversed(range(256))))
            assert len(there.questions) == (1 if here is not there else 2)

    async def test_who_has_nothing_to_say_or_is_slow_or_is_not_there_is_left_out(self) -> None:
        async with self.running() as (here, there):
            assert await here.broker.ask(Question("nothing")) == []
            assert await here.broker.ask(Question("late", b"slow"), node=there.node_id, timeout_s=0.1) == []
            assert await here.broker.ask(Question("who", b"abc"), node="nobody", timeout_s=0.1) == []

    async def test_what_clients_cause_may_begin_outside_of_a_task(self) -> None:
        async with self.one() as node:
            broker, channel, info = node.broker, self.channel(), ClientInfo("ada", "c1")
            await _from_outside(broker.subscribe(channel))
            await _from_outside(broker.publish(channel, _draft(1), KEEP))
            await _from_outside(broker.publish(channel, _draft(2), None))
            assert _numbers(await _from_outside(broker.history(channel, EVERYTHING, KEEP))) == [1]
            await _from_outside(broker.enter(channel, info))
            await _from_outside(broker.announce(channel, info, joined=True))
            assert set(await _from_outside(broker.presence(channel))) == {"c1"}
            assert (await _from_outside(broker.presence_stats(channel))).num_clients == 1
            await _from_outside(broker.exit(channel, "c1"))
            await _from_outside(broker.remove_history(channel))
            await _from_outside(broker.order(Deliver(Target(user="ada"), msgspec.Raw(b"1"))))
            await node.until(channel, 2)
            await node.until_ordered(1)
            await _from_outside(broker.unsubscribe(channel))

    # its life

    async def test_a_broker_that_runs_is_well(self) -> None:
        async with self.one() as node:
            await node.broker.check()
            assert node.broker.condition.is_up

    async def test_a_broker_that_was_closed_may_be_started_again(self) -> None:
        node = Node(self.new_broker())
        channel = self.channel()
        for count in (1, 2):
            await node.broker.start(node)
            await node.broker.subscribe(channel)
            await node.broker.publish(channel, _draft(count), None)
            await node.until(channel, count)
            await node.broker.unsubscribe(channel)
            await node.broker.close()
        assert node.numbers(channel) == [1, 2]

    async def test_a_closed_broker_tells_nothing_more(self) -> None:
        async with self.running() as (publisher, _):
            other = Node(self.new_broker())
            channel = self.channel()
            await other.broker.start(other)
            await other.broker.subscribe(channel)
            await other.broker.close()
            await publisher.broker.publish(channel, _draft(1), None)
            await self.settled(publisher)
            assert other.heard(channel) == []


def _draft(number: int, **options: object) -> Draft:
    return msgspec.structs.replace(Draft(data=msgspec.Raw(b"%d" % number)), **options)


async def _from_outside(work: Coroutine[Any, Any, T]) -> T:
    """Begin it as the hub does with a command that was just read: in no task, until it waits."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    tasks = []

    async def keep() -> None:
        try:
            done.set_result(await work)
        except Exception as error:
            done.set_exception(error)

    def start() -> None:
        rest = begin(keep())
        if rest is not None:
            tasks.append(loop.create_task(rest))

    loop.call_soon(start)
    return await done


async def _fill(broker: Broker, channel: str, count: int) -> Position:
    position = Position()
    for number in range(1, count + 1):
        position = (await broker.publish(channel, _draft(number), KEEP)).position
    return position


def _numbers(page: Page) -> list[int]:
    return [msgspec.json.decode(publication.data) for publication in page.publications]


def _same_info(found: ClientInfo | None, expected: ClientInfo) -> None:
    assert found is not None
    assert (found.user, found.client) == (expected.user, expected.client)
    assert msgspec.json.encode(found) == msgspec.json.encode(expected)
