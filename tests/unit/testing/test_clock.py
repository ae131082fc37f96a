"""The clock that jumps: time passes when there is nothing to do, in order, and not otherwise."""

import asyncio
import socket

import pytest

from vagus.testing import FakeClock


def test_a_long_sleep_takes_no_time_and_both_times_pass_alike() -> None:
    clock = FakeClock()

    async def main() -> tuple[float, float]:
        epoch, loop = clock(), asyncio.get_running_loop()
        started = loop.time()
        await asyncio.sleep(86_400 * 3)
        return clock() - epoch, loop.time() - started

    assert clock.run(main()) == pytest.approx((259_200, 259_200))


def test_timers_fire_in_the_order_of_their_times() -> None:
    fired: list[float] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for delay in (5, 1, 3, 0.5):
            loop.call_later(delay, fired.append, delay)
        await asyncio.sleep(4)
        assert fired == [0.5, 1, 3]
        await asyncio.sleep(4)

    FakeClock().run(main())
    assert fired == [0.5, 1, 3, 5]


def test_no_time_passes_while_there_is_something_to_do() -> None:
    clock = FakeClock()

    async def main() -> None:
        for _ in range(100):
            await asyncio.sleep(0)

    before = clock()
    clock.run(main())
    assert clock() == before


def test_a_deadline_passes_when_nothing_else_happens() -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 3600)

    FakeClock().run(main())


def test_sockets_still_work() -> None:
    async def main() -> bytes:
        loop = asyncio.get_running_loop()
        one, other = socket.socketpair()
        with one, other:
            one.setblocking(False)
            other.setblocking(False)
            other.send(b"hello")
            return await loop.sock_recv(one, 10)

    assert FakeClock().run(main()) == b"hello"


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_a_clock_does_not_go_back(seconds: float) -> None:
    with pytest.raises(ValueError, match="does not go back"):
        FakeClock().advance(seconds)
