"""Publishers: over the server's HTTP API, one publication after the other, or over a swarm's speakers.

What a writer is told decides what the ledger demands: an answer with a position is an acknowledgement; a connection
that was refused means that nothing happened; everything else, also an honest error, means that it may have happened.
A writer that insists tries such a publication again under the same idempotency key, with the next node.
"""

import asyncio
import json
import random
from collections.abc import Sequence
from typing import Any, Final

from .ledger import Fate, Ledger, Position, Sent
from .swarm import Addresses, Clock, Speaker, Swarm, data_of, encoded

ANSWER_S: Final = 2.5
PAUSE_S: Final = 0.05


class NotSentError(Exception):
    """Nothing of the request has left."""


class Post:
    """One kept connection for requests, to one address after the other."""

    def __init__(self, addresses: Addresses, rng: random.Random, key: str) -> None:
        self._addresses = addresses
        self._headers = "Content-Type: application/json\r\n" + (f"X-API-Key: {key}\r\n" if key else "")
        self._turn = rng.randrange(1 << 30)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, path: str, body: object) -> Any:
        """The answer's JSON. Raises ``NotSentError``, or ``OSError`` or ``ValueError`` where nobody knows."""
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._ask(path, encoded(body))
        except (OSError, EOFError, ValueError, NotSentError):
            self.turn_away()
            raise

    def turn_away(self) -> None:
        """Leave this connection, and take the next address."""
        self._turn += 1
        self.close()

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    async def _ask(self, path: str, body: bytes) -> Any:
        addresses = self._addresses()
        host, port = addresses[self._turn % len(addresses)]
        if self._streams is None or self._streams[1].is_closing() or self._streams[0].at_eof():
            self.close()
            try:
                self._streams = await asyncio.open_connection(host, port)
            except OSError as error:
                raise NotSentError(str(error)) from None
        reader, writer = self._streams
        head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\n{self._headers}"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
        answer = await reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close":
            self.turn_away()
        if not lines[0].startswith("http/1.1 200"):
            raise ValueError(lines[0])
        return json.loads(answer)


class Writer:
    """Publishes on and on until it is told to stop. ``rate`` is how many a second, all channels together."""

    def __init__(
        self,
        name: str,
        channels: Sequence[str],
        *,
        addresses: Addresses,
        key: str,
        ledger: Ledger,
        clock: Clock,
        rng: random.Random,
        rate: float,
        insists: bool,
        padding: int = 0,
    ) -> None:
        self.name = name
        self.told: dict[str, int] = {}
        """What went wrong, and how often."""
        self._channels = channels
        self._post = Post(addresses, rng, key)
        self._ledger = ledger
        self._clock = clock
        self._rng = rng
        self._rate = rate
        self._insists = insists
        self._padding = padding
        self._is_over = False

    def stop(self) -> None:
        self._is_over = True

    async def run(self) -> None:
        try:
            while not self._is_over:
                await self.publish(self._rng.choice(self._channels))
                await asyncio.sleep(self._rng.uniform(0.5, 1.5) / self._rate)
        finally:
            self.close()

    def close(self) -> None:
        self._post.close()

    async def publish(self, channel: str) -> Sent:
        """Publish one; insisting, until it is acknowledged or the writer is stopped."""
        sent = self._ledger.begin(channel, self.name, self._clock())
        while not await self._try(sent) and self._insists and not self._is_over:
            await asyncio.sleep(PAUSE_S)
            sent.tries += 1
        sent.ended = self._clock()
        return sent

    async def _try(self, sent: Sent) -> bool:
        padding = "x" * self._rng.randrange(self._padding + 1)
        body = {"channel": sent.channel, "data": data_of(sent.mark, padding)}
        if self._insists:
            body["idempotency_key"] = f"{sent.channel}/{sent.mark.writer}/{sent.mark.number}"
        try:
            answer = await self._post.ask("/api/publish", body)
        except NotSentError as error:
            self._note(error)
            sent.fate = Fate.FAILED if sent.tries == 1 else Fate.UNKNOWN
            return False
        except (OSError, EOFError, ValueError) as error:
            self._note(error)
            sent.fate = Fate.UNKNOWN
            return False
        if "result" not in answer:
            self._note(answer["error"].get("message"))
            sent.fate = Fate.UNKNOWN
            self._post.turn_away()
            return False
        sent.fate = Fate.ACKNOWLEDGED
        sent.position = Position(answer["result"].get("offset", 0), answer["result"].get("epoch", ""))
        return True

    def _note(self, reason: object) -> None:
        text = f"{type(reason).__name__}" if isinstance(reason, Exception) else str(reason)
        self.told[text] = self.told.get(text, 0) + 1


class Chatter:
    """A speaker that publishes on and on, several at once."""

    def __init__(
        self, speaker: Speaker, swarm: Swarm, channels: Sequence[str], rng: random.Random, rate: float
    ) -> None:
        self.speaker = speaker
        self._swarm = swarm
        self._channels = channels
        self._rng = rng
        self._rate = rate
        self._is_over = False

    def stop(self) -> None:
        self._is_over = True

    async def run(self) -> None:
        self.speaker.client.start()
        while not self._is_over:
            for _ in range(self._rng.randrange(4)):
                self.speaker.publish(self._rng.choice(self._channels))
            await asyncio.sleep(self._rng.uniform(0.5, 1.5) / self._rate)
        await self._swarm.until(lambda: self.speaker.is_idle, ANSWER_S)
