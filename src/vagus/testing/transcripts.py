"""A player of transcripts: conversations between clients and a hub, written down line by line and held to the letter.

::

    # The specification, section 2.4: who is subscribed already is told so
    > {"id":1,"connect":{}}
    < {"id":1,"connect":{"client":"<client>","version":"<version>","ping":25,"pong":true}}
    > {"id":2,"subscribe":{"channel":"news"}}
    >+ {"id":3,"subscribe":{"channel":"news"}}
    < {"id":2,"subscribe":{}}
    < {"id":3,"error":{"code":105,"message":"already subscribed"}}
    * publish news {"n":1}
    < {"push":{"channel":"news","pub":{"data":{"n":1}}}}
    * wait 3600
    x 3005 connection expired

* ``>`` the client sends a message; ``>+`` adds a line to the same message;
* ``<`` the server's next line, which must be equal as JSON: no field more, none less;
* ``x`` the server closes with this code and reason; ``.`` the server says nothing more for now;
* ``*`` something else happens: an action by its name, and its arguments;
* ``= name`` from here on another connection speaks, opened when it is first named;
* ``#`` begins a comment.

A string ``"<name>"`` in a server's line stands for any string or number and must be the same wherever it occurs; in a
client's line and in an action it is replaced by what it stood for. After each line of the client the player lets the
hub finish; a transcript ends with every line of the server accounted for.
"""

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from vagus.hub.hub import Hub

from .link import MemoryLink

if TYPE_CHECKING:
    from vagus.kernel.codes import Closure

Action = Callable[[str], Awaitable[None]]

_PLACEHOLDER: Final = re.compile(r"<[a-z][a-z0-9_]*>")
_FIRST: Final = "client"


class TranscriptError(AssertionError):
    """The conversation went another way. The message names the line of the transcript."""


async def play(
    text: str, hub: Hub, *, values: dict[str, Any] | None = None, actions: Mapping[str, Action] | None = None
) -> None:
    """Play a transcript against a started hub. Raises ``TranscriptError`` where the hub departs from it.

    ``values`` gives meanings to placeholders beforehand, such as tokens, and takes those that are learned. ``actions``
    adds to those that are there: ``publish``, ``subscribe`` and ``unsubscribe`` (a channel, then JSON or a user),
    ``disconnect`` (a user), ``forget`` (a channel's history), ``drop`` (this connection), ``wait`` (seconds; use a
    ``FakeClock``) and ``hear`` (until the server says something, so many seconds at most).
    """
    player = _Player(hub, values if values is not None else {}, dict(actions or {}))
    try:
        for number, line in _statements(text):
            try:
                await player.perform(line)
            except TranscriptError as error:
                raise TranscriptError(f"line {number}: {line}\n{error}") from None
        await player.finish()
    finally:
        player.drop_all()


def _statements(text: str) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(">+ ") and found and found[-1][1].startswith("> "):
            found[-1] = (found[-1][0], found[-1][1] + "\n" + line[3:])
        elif line.strip() and not line.startswith("#"):
            found.append((number, line.rstrip()))
    return found


class _Side:
    """One connection of a transcript."""

    def __init__(self, hub: Hub) -> None:
        self.lines: deque[bytes] = deque()
        self.closures: deque[Closure] = deque()
        self.link = MemoryLink(hub, self.lines.append, self.closures.append)


class _Player:
    def __init__(self, hub: Hub, values: dict[str, Any], actions: dict[str, Action]) -> None:
        self._hub = hub
        self._values = values
        self._sides: dict[str, _Side] = {}
        self._name = _FIRST
        self._actions: dict[str, Action] = {
            "publish": self._publish,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "disconnect": self._disconnect,
            "forget": self._forget,
            "drop": self._drop,
            "wait": self._wait,
            "hear": self._hear,
            **actions,
        }

    @property
    def _side(self) -> _Side:
        if self._name not in self._sides:
            self._sides[self._name] = _Side(self._hub)
        return self._sides[self._name]

    async def perform(self, line: str) -> None:
        mark, _, rest = line.partition(" ")
        match mark:
            case ">":
                self._say(self._filled(rest))
                await self._settle()
            case "<":
                self._expect(rest)
            case "x":
                self._expect_closure(rest)
            case ".":
                self._expect_silence()
            case "*":
                name, _, arguments = self._filled(rest).partition(" ")
                if name not in self._actions:
                    raise TranscriptError(f"no action is called {name!r}")
                await self._actions[name](arguments)
                await self._settle()
            case "=":
                self._name = rest.strip()
            case _:
                raise TranscriptError(f"a line begins with one of > >+ < x . * = #, not {mark!r}")

    async def finish(self) -> None:
        await self._settle()
        for name in self._sides:
            self._name = name
            try:
                self._expect_silence()
            except TranscriptError as error:
                raise TranscriptError(f"at the end, connection {name!r}: {error}") from None

    def drop_all(self) -> None:
        for side in self._sides.values():
            side.link.drop()

    def _say(self, message: str) -> None:
        if not self._side.link.is_open:
            raise TranscriptError("the connection is closed already")
        self._side.link.say(message)

    def _expect(self, expected: str) -> None:
        side = self._side
        if not side.lines:
            raise TranscriptError(f"the server said nothing; closed with {list(side.closures)}")
        said = side.lines.popleft().decode()
        self._compare(_json(expected), _json(said), said)

    def _expect_closure(self, expected: str) -> None:
        side = self._side
        if side.lines:
            raise TranscriptError(f"the server said something first: {side.lines[0].decode()}")
        if not side.closures:
            raise TranscriptError("the server did not close the connection")
        closure = side.closures.popleft()
        if expected != f"{closure.code} {closure.reason}":
            raise TranscriptError(f"closed with {closure.code} {closure.reason}")

    def _expect_silence(self) -> None:
        side = self._side
        if side.lines or side.closures:
            raise TranscriptError(f"the server said {[line.decode() for line in side.lines]} {list(side.closures)}")

    def _compare(self, expected: Any, said: Any, line: str) -> None:
        if not self._fits(expected, said):
            raise TranscriptError(f"the server said: {line}")

    def _fits(self, expected: Any, said: Any) -> bool:
        match expected:
            case str() if _PLACEHOLDER.fullmatch(expected):
                known = self._values.setdefault(expected[1:-1], said)
                return isinstance(said, str | int) and bool(known == said)
            case dict():
                if not isinstance(said, dict) or len(expected) != len(said):
                    return False
                named = {self._key(key): value for key, value in expected.items()}
                return named.keys() == said.keys() and all(self._fits(v, said[k]) for k, v in named.items())
            case list():
                if not isinstance(said, list) or len(expected) != len(said):
                    return False
                return all(self._fits(*pair) for pair in zip(expected, said, strict=True))
        return type(expected) is type(said) and bool(expected == said)

    def _key(self, key: str) -> str:
        return str(self._values.get(key[1:-1], key)) if _PLACEHOLDER.fullmatch(key) else key

    def _filled(self, text: str) -> str:
        """The text with placeholders replaced; one in quotes that stood for a number becomes that number."""

        def meaning(found: re.Match[str]) -> str:
            value = self._values.get(found.group().strip('"')[1:-1])
            if value is None:
                return found.group()
            quoted = found.group().startswith('"')
            return msgspec.json.encode(value).decode() if quoted else str(value)

        return re.sub(rf'"{_PLACEHOLDER.pattern}"|{_PLACEHOLDER.pattern}', meaning, text)

    async def _settle(self) -> None:
        for _ in range(12):
            await asyncio.sleep(0)

    # actions

    async def _publish(self, arguments: str) -> None:
        channel, _, data = arguments.partition(" ")
        data, _, tags = data.partition(" tags=")
        await self._hub.publish(channel, msgspec.Raw(data.encode()), tags=_json(tags) if tags else None)

    async def _subscribe(self, arguments: str) -> None:
        channel, _, user = arguments.partition(" ")
        await self._hub.subscribe(channel, user=user)

    async def _unsubscribe(self, arguments: str) -> None:
        channel, _, user = arguments.partition(" ")
        await self._hub.unsubscribe(channel, user=user)

    async def _disconnect(self, user: str) -> None:
        await self._hub.disconnect(user=user)

    async def _forget(self, channel: str) -> None:
        await self._hub.remove_history(channel)

    async def _drop(self, _: str) -> None:
        self._side.link.drop()

    async def _wait(self, seconds: str) -> None:
        await asyncio.sleep(float(seconds))

    async def _hear(self, seconds: str) -> None:
        loop, side = asyncio.get_running_loop(), self._side
        deadline = loop.time() + float(seconds)
        while not (side.lines or side.closures):
            if loop.time() >= deadline:
                raise TranscriptError("the server said nothing")
            await asyncio.sleep(0.1)


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise TranscriptError(f"not JSON ({error}): {text}") from None
