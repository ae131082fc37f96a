"""The end of a tick: everything enlisted is written once, clients before audiences."""

import asyncio
from collections.abc import Callable

from tests.unit.hub.peers import turn
from vagus.hub.tick import Tick


class Enlisted:
    def __init__(self, name: str, written: list[str], then: Callable[[], None] | None = None) -> None:
        self._name = name
        self._written = written
        self._then = then

    def flush(self) -> None:
        self._written.append(self._name)
        if self._then is not None:
            self._then()


async def test_clients_are_written_before_audiences_and_each_once() -> None:
    tick, written = Tick(asyncio.get_running_loop()), list[str]()
    tick.enlist_audience(Enlisted("audience", written))
    tick.enlist_client(Enlisted("one", written))
    tick.enlist_client(Enlisted("two", written))
    assert written == []
    await turn(3)
    assert written == ["one", "two", "audience"]


async def test_what_is_enlisted_while_the_tick_ends_is_written_at_the_end_of_the_next() -> None:
    tick, written = Tick(asyncio.get_running_loop()), list[str]()
    later = Enlisted("later", written)
    tick.enlist_client(Enlisted("now", written, lambda: tick.enlist_client(later)))
    await turn(1)
    assert written == ["now"]
    await turn(1)
    assert written == ["now", "later"]
