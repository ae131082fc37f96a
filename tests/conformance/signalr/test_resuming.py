"""Whatever is lost with whichever socket, both sides hear everything once and in order.

A client that resumes as the libraries do, against a server whose sockets are cut at any moment, with any part of what
was under way in either direction.
"""

import asyncio
from collections import deque
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from vagus import Caller, ChannelRule, Hub, Limits
from vagus.testing import FakeClock

from .playing import Player, Wire, settle

ANYONE: Final = ("anyone",)

STEPS: Final = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.integers(1, 40), st.just(0)),
        st.tuples(st.just("say"), st.integers(1, 5), st.just(0)),
        st.tuples(st.just("cut"), st.integers(0, 30), st.integers(0, 3)),
        st.tuples(st.just("wait"), st.just(2), st.just(0)),
    ),
    max_size=40,
)


class Resuming:
    """The client: it buffers what it says until that is confirmed, and counts what it hears."""

    def __init__(self, player: Player) -> None:
        self._player = player
        self._sockets = 0
        self._unacked: deque[tuple[int, dict[str, Any]]] = deque()
        self._said = 0
        self._next = 1
        self._latest = 0
        self._is_waiting = False
        self._handled = 0
        self.heard: list[Any] = []

    @property
    def _wire(self) -> Wire:
        return self._player.wires["c" if not self._sockets else f"c-{self._sockets}"]

    async def open(self) -> None:
        await self._player.open("c", "resumable", "version", "2")
        self.say(type=1, target="Subscribe", arguments=["numbers"])
        await settle()

    def say(self, *, arrives: bool = True, **message: Any) -> None:
        self._said += 1
        self._unacked.append((self._said, message))
        if arrives:
            self._wire.say(message)

    def hear(self, *, but: int = 0) -> None:
        """Take what has come, except for the last so many, which are still under way."""
        wire = self._wire
        while len(wire.heard) > but:
            self._take(wire.heard.popleft())

    def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case 9:
                assert message["sequenceId"] <= self._next
                self._next, self._is_waiting = message["sequenceId"], False
            case 8 if not self._is_waiting:
                while self._unacked and self._unacked[0][0] <= message["sequenceId"]:
                    self._unacked.popleft()
            case 1 | 2 | 3 if not self._is_waiting:
                number = self._next
                self._next += 1
                if number > self._latest:
                    self._latest = number
                    self.heard.append(message)

    def confirm(self) -> None:
        self._wire.say({"type": 8, "sequenceId": self._latest})

    async def cut(self, lost: int) -> None:
        """Lose the socket with the last so many records that came, and go on over another one."""
        self.hear(but=lost)
        self._wire.heard.clear()
        self._wire.cut()
        self._sockets += 1
        self._is_waiting = True
        await self._player.act("reopen", f"c-{self._sockets}")
        self._wire.say({"type": 9, "sequenceId": self._unacked[0][0] if self._unacked else self._said + 1})
        for _, message in self._unacked:
            self._wire.say(message)


async def live(steps: list[tuple[str, int, int]]) -> None:
    calls: list[int] = []
    hub = Hub(
        rules=(ChannelRule(pattern="numbers", subscribe=ANYONE),), allow_anonymous=True, limits=Limits(max_delay_s=0)
    )
    chat = hub.section("chat", allow=ANYONE)

    @chat.call("Note")
    def note(caller: Caller, number: int) -> None:
        calls.append(number)

    published = said = 0
    async with hub:
        client = Resuming(Player(hub, "json"))
        await client.open()
        for step, count, lost in [*steps, ("cut", 30, 3), ("wait", 2, 0)]:
            match step:
                case "publish":
                    for _ in range(count):
                        await hub.publish("numbers", published)
                        published += 1
                case "say":
                    for _ in range(count):
                        client.say(type=1, target="Note", arguments=[said])
                        said += 1
                case "cut":
                    for _ in range(lost):
                        client.say(type=1, target="Note", arguments=[said], arrives=False)
                        said += 1
                    await client.cut(count)
                case "wait":
                    client.hear()
                    client.confirm()
                    await asyncio.sleep(count)
            await settle()
        client.hear()
        numbers = [message["arguments"][0]["data"] for message in client.heard]
        assert numbers == list(range(published))
        assert calls == list(range(said))


@given(STEPS)
def test_both_sides_hear_everything_once_and_in_order(steps: list[tuple[str, int, int]]) -> None:
    FakeClock().run(live(steps))
