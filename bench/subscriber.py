"""One subscriber in Python, which measures itself: ``python -m bench.subscriber LIBRARY URL FLOW BURSTS`` prints JSON.

It asks the server for bursts of publications, one after the other, reads each one's data, and divides what came by its
own CPU time. Frames are counted in the socket's library, alike for both.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any, Final

from websockets.asyncio.client import ClientConnection

CHANNEL: Final = "kept:clients"
BURST: Final = 5_000
PATIENCE_S: Final = 60.0


class Account:
    """What came, and in how many frames."""

    def __init__(self) -> None:
        self.came = 0
        self.frames = 0
        self.lost = 0
        self.all_came = asyncio.Event()

    def note(self, data: dict[str, Any]) -> None:
        """One message's data, whose number in its burst is ``n``."""
        self.lost += data["n"] - self.came % BURST
        self.came += 1
        if data["n"] == BURST - 1:
            self.all_came.set()


async def with_vagus(url: str, flow: str, bursts: int) -> dict[str, Any]:
    from vagus.client import Client

    account = Account()
    _count_frames(account)

    async def read() -> None:
        async for message in messages:
            account.note(message.data)

    async with Client(url, timeout_s=PATIENCE_S) as client, client.subscribe(CHANNEL) as messages:
        reading = asyncio.create_task(read())
        request = {"channel": CHANNEL, "count": BURST}
        figures = await _measured(account, bursts, lambda: client.call(flow, request))
        reading.cancel()
    return {"version": f"vagus {version('vagus')}", **figures}


async def with_centrifuge(url: str, flow: str, bursts: int) -> dict[str, Any]:
    from centrifuge import Client, SubscriptionEventHandler

    account, subscribed = Account(), asyncio.Event()
    _count_frames(account)

    class Reader(SubscriptionEventHandler):  # type: ignore[misc]  # the library is untyped
        async def on_subscribed(self, ctx: Any) -> None:
            subscribed.set()

        async def on_publication(self, ctx: Any) -> None:
            account.note(ctx.pub.data)

    client = Client(url, timeout=PATIENCE_S)
    await client.connect()
    await client.new_subscription(CHANNEL, events=Reader()).subscribe()
    await subscribed.wait()
    request = {"channel": CHANNEL, "count": BURST}
    figures = await _measured(account, bursts, lambda: client.rpc(flow, request))
    await client.disconnect()
    return {"version": f"centrifuge-python {version('centrifuge-python')}", **figures}


async def _measured(account: Account, bursts: int, ask: Callable[[], Awaitable[object]]) -> dict[str, Any]:
    account.frames = 0
    started = time.process_time()
    for _ in range(bursts):
        account.all_came.clear()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(ask(), account.all_came.wait())
    spent = time.process_time() - started
    frames = max(1, account.frames)
    return {"per_cpu_s": account.came / spent, "per_frame": account.came / frames, "lost": account.lost}


def _count_frames(account: Account) -> None:
    """From the next connection on."""
    plain = ClientConnection.recv

    async def counted(connection: ClientConnection, decode: bool | None = None) -> Any:
        account.frames += 1
        return await plain(connection, decode)

    ClientConnection.recv = counted  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    subscribers = {"vagus": with_vagus, "centrifuge": with_centrifuge}
    library, url, flow, bursts = sys.argv[1:]
    print(json.dumps(asyncio.run(subscribers[library](url, flow, int(bursts)))))
