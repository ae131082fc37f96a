"""Publications on their way: batches, keys, and what becomes of each."""

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from vagus.client.errors import DataError, NotConnectedError, QueueFullError, RefusedError
from vagus.client.messages import Receipt
from vagus.client.outbox import MAX_BYTES, Outbox
from vagus.client.protocol import json_from, request
from vagus.kernel import codes

if TYPE_CHECKING:
    import asyncio


def put(outbox: Outbox, *numbers: int) -> "list[asyncio.Future[Receipt]]":
    return [outbox.put("a", json_from(number), None, None) for number in numbers]


def sent(outbox: Outbox) -> list[Any]:
    batch = outbox.batch()
    return [] if batch is None else [msgspec.json.decode(body)["data"] for body in batch["publications"]]


def results(*made: int | codes.Fault) -> msgspec.Raw:
    told = [{"error": each} if isinstance(each, codes.Fault) else {"offset": each, "epoch": "e"} for each in made]
    return json_from({"results": told})


async def test_publications_leave_in_order_and_at_most_a_hundred_at_once() -> None:
    outbox = Outbox(1_000)
    put(outbox, *range(150))
    assert sent(outbox) == list(range(100))
    assert outbox.answered(results(*range(1, 101))) is None
    assert sent(outbox) == list(range(100, 150))


async def test_a_batch_whose_answer_was_lost_is_sent_again_with_its_keys() -> None:
    outbox = Outbox(10)
    put(outbox, 1, 2)
    first = outbox.batch()
    put(outbox, 3)
    assert outbox.batch() == first
    assert len(outbox) == 3


async def test_keys_differ_but_for_those_of_the_programs_own() -> None:
    outbox = Outbox(10)
    put(outbox, 1, 2)
    outbox.put("a", json_from(3), {"t": "v"}, "mine")
    batch = outbox.batch()
    assert batch is not None
    keys = [msgspec.json.decode(body)["key"] for body in batch["publications"]]
    assert len(set(keys)) == 3 and keys[2] == "mine"


async def test_what_comes_after_a_temporary_failure_is_sent_again() -> None:
    outbox = Outbox(10)
    receipts = put(outbox, 0, 1, 2, 3)
    assert sent(outbox) == [0, 1, 2, 3]
    assert outbox.answered(results(1, codes.PERMISSION_DENIED, codes.UNAVAILABLE)) == codes.UNAVAILABLE
    assert receipts[0].result() == Receipt(1, "e")
    with pytest.raises(RefusedError, match="permission denied"):
        receipts[1].result()
    assert sent(outbox) == [2, 3]


async def test_an_answer_without_results_is_no_progress() -> None:
    outbox = Outbox(10)
    put(outbox, 1)
    sent(outbox)
    assert outbox.answered(results()) == codes.UNAVAILABLE


async def test_an_answer_that_is_none_is_an_error() -> None:
    outbox = Outbox(10)
    put(outbox, 1)
    sent(outbox)
    with pytest.raises(DataError, match=r"vagus\.publish"):
        outbox.answered(msgspec.Raw(b"7"))


async def test_the_largest_batch_fits_into_a_message_of_the_server() -> None:
    outbox = Outbox(1_000)
    for size in (59_000, 500, 300, 10_000, 50_000):
        outbox.put("a", json_from("x" * size), None, None)
    sizes = []
    while (batch := outbox.batch()) is not None:
        sizes.append(len(request(2**31, "rpc", {"method": "vagus.publish", "data": batch})))
        outbox.answered(results(*range(1, len(batch["publications"]) + 1)))
    assert len(sizes) == 3
    assert max(sizes) <= MAX_BYTES + 100
    with pytest.raises(ValueError, match="60,"):
        outbox.put("a", json_from("x" * MAX_BYTES), None, None)


async def test_it_holds_no_more_than_it_may() -> None:
    outbox = Outbox(2)
    put(outbox, 1)
    sent(outbox)
    put(outbox, 2)
    with pytest.raises(QueueFullError):
        put(outbox, 3)


async def test_what_is_taken_back_before_it_left_does_not_leave() -> None:
    outbox = Outbox(2)
    first, _ = put(outbox, 1, 2)
    first.cancel()
    assert sent(outbox) == [2]


async def test_what_is_taken_back_makes_room() -> None:
    outbox = Outbox(2)
    for receipt in put(outbox, 1, 2):
        receipt.cancel()
    assert len(outbox) == 0
    put(outbox, 3, 4)
    assert len(outbox) == 2
    with pytest.raises(QueueFullError):
        put(outbox, 5)
    assert sent(outbox) == [3, 4]


async def test_those_of_a_batch_that_is_refused_as_a_whole_go_one_by_one() -> None:
    outbox = Outbox(10)
    receipts = put(outbox, 0, 1, 2)
    assert sent(outbox) == [0, 1, 2]
    outbox.refused(RefusedError(codes.BAD_REQUEST))
    put(outbox, 3, 4)
    assert sent(outbox) == [0]
    outbox.answered(results(1))
    assert sent(outbox) == [1]
    outbox.refused(RefusedError(codes.BAD_REQUEST))
    assert sent(outbox) == [2]
    outbox.answered(results(2))
    assert sent(outbox) == [3, 4]
    assert [type(receipt.exception()) for receipt in receipts] == [type(None), RefusedError, type(None)]


async def test_closing_fails_all_that_waits() -> None:
    outbox = Outbox(10)
    receipts = put(outbox, *range(3))
    receipts[1].cancel()
    sent(outbox)
    receipts += put(outbox, 3)
    outbox.close(NotConnectedError("closed"))
    assert [type(receipt.exception()) for receipt in receipts if not receipt.cancelled()] == [NotConnectedError] * 3
    assert outbox.batch() is None


async def test_news_is_there_while_anything_waits() -> None:
    outbox = Outbox(10)
    assert not outbox.news.is_set()
    put(outbox, 1)
    assert outbox.news.is_set()
    sent(outbox)
    outbox.answered(results(1))
    assert sent(outbox) == []
    assert not outbox.news.is_set()
