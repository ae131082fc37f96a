"""Draining: clients leave one after the other, who is busy when that is over, and connections are given back."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from structlog.testing import capture_logs

from vagus import Hub
from vagus.kernel import codes
from vagus.server.draining import Draining, is_readiness, parting
from vagus.testing import FakeClock, World, in_memory


def on_jumping_clock(test: Callable[[Hub, World], Awaitable[None]]) -> list[MutableMapping[str, Any]]:
    """Run a test with a hub and clients on a clock that jumps; what was logged."""
    clock = FakeClock()
    hub = Hub(clock=clock)

    @hub.call("wait")
    async def wait(caller: object, seconds: float) -> str:
        await asyncio.sleep(seconds)
        return "done"

    async def run() -> None:
        async with in_memory(hub) as world:
            await test(hub, world)

    with capture_logs() as logs:
        clock.run(run())
    return logs


async def some_clients(world: World, count: int) -> None:
    for number in range(count):
        await world.connect(user=str(number))


def test_clients_leave_evenly_over_the_time() -> None:
    left: list[int] = []

    async def test(hub: Hub, world: World) -> None:
        await some_clients(world, 100)
        draining = asyncio.create_task(Draining(hub, 10.0).run())
        await asyncio.sleep(0.51)
        for _ in range(10):
            left.append(len(hub.clients))
            await asyncio.sleep(1)
        await draining
        assert not hub.clients

    on_jumping_clock(test)
    assert all(abs(count - expected) <= 2 for count, expected in zip(left, range(95, 0, -10), strict=True)), left


def test_they_are_told_to_come_back_in_no_order() -> None:
    order: list[str] = []

    async def test(hub: Hub, world: World) -> None:
        @hub.on_disconnect
        def gone(caller: Any, closure: codes.Closure) -> None:
            assert closure == codes.SHUTDOWN
            order.append(caller.identity.user)

        await some_clients(world, 50)
        await Draining(hub, 1.0).run()

    on_jumping_clock(test)
    assert len(order) == 50
    assert order != sorted(order, key=int)


def test_who_has_a_call_under_way_gets_its_answer_first() -> None:
    async def test(hub: Hub, world: World) -> None:
        busy = await world.connect(user="busy")
        call = asyncio.create_task(busy.call("wait", 5.0))
        await world.settle()
        assert hub.clients[busy.id].is_at_work
        await Draining(hub, 10.0).run()
        assert await call == "done"
        assert await busy.closure() == codes.SHUTDOWN
        assert hub.loop.time() < 1000 + 6  # it leaves when it is done, not at the end

    on_jumping_clock(test)


def test_at_the_end_of_the_time_the_busy_ones_are_left_to_the_caller() -> None:
    async def test(hub: Hub, world: World) -> None:
        busy = await world.connect(user="busy")
        call = asyncio.create_task(busy.call("wait", 20.0))
        await world.settle()
        await Draining(hub, 10.0).run()
        assert list(hub.clients) == [busy.id]
        assert await call == "done"

    on_jumping_clock(test)


def test_who_comes_meanwhile_leaves_after_the_others() -> None:
    async def test(hub: Hub, world: World) -> None:
        await some_clients(world, 2)
        draining = asyncio.create_task(Draining(hub, 10.0).run())
        await asyncio.sleep(3)
        late = await world.connect(user="late")
        await draining
        assert await late.closure() == codes.SHUTDOWN
        assert not hub.clients

    on_jumping_clock(test)


def test_it_is_over_as_soon_as_nobody_is_left() -> None:
    async def test(hub: Hub, world: World) -> None:
        await Draining(hub, 10.0).run()
        assert hub.loop.time() == 1000

    on_jumping_clock(test)


def test_it_can_be_cut_short() -> None:
    async def test(hub: Hub, world: World) -> None:
        await some_clients(world, 10)
        await Draining(hub, 10.0, lambda: hub.loop.time() > 1002).run()
        assert 7 <= len(hub.clients) <= 8

    on_jumping_clock(test)


def test_progress_is_told() -> None:
    async def test(hub: Hub, world: World) -> None:
        await some_clients(world, 10)
        await Draining(hub, 10.0).run()

    told = [log for log in on_jumping_clock(test) if log["event"] == "drain_progress"]
    assert 3 <= len(told) <= 5
    assert [log["left"] for log in told] == sorted((log["left"] for log in told), reverse=True)


def test_readiness_is_health_but_not_liveness() -> None:
    scope = {"type": "http", "path": "/health", "method": "GET", "query_string": b""}
    assert is_readiness(scope)
    assert is_readiness({**scope, "method": "HEAD"})
    assert not is_readiness({**scope, "query_string": b"live"})
    assert not is_readiness({**scope, "path": "/metrics"})


async def test_a_parting_answer_ends_its_connection() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await parting(send)({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
    await parting(send)({"type": "http.response.body", "body": b""})
    assert sent[0]["headers"] == [(b"a", b"b"), (b"connection", b"close")]
    assert sent[1] == {"type": "http.response.body", "body": b""}
