"""The hub that the tests of web/ run against: `vagus serve --app hub:hub`, with channels and calls of every kind.

Anybody may do anything, but `$private:…` takes a token to follow and `closed:…` is closed. Not for real use.
"""

import asyncio
import os
import time
from typing import Any

import jwt
import msgspec

from vagus import Caller, ChannelRule, Hub, Last
from vagus.kernel import codes
from vagus.kernel.codes import Fault
from vagus.kernel.errors import RefusedError

ANYONE = ("anyone",)


def open_rule(pattern: str, **options: Any) -> ChannelRule:
    everyone: dict[str, Any] = {"subscribe": ANYONE, "publish": ANYONE, "read_presence": ANYONE}
    return ChannelRule(pattern=pattern, presence=True, tag_filter=True, **everyone, **options)


hub = Hub(
    rules=[
        open_rule("plain:{name}"),
        open_rule("kept:{name}", history=Last(20_000, hours=1), read_history=ANYONE),
        open_rule("short:{name}", history=Last(5, hours=1), read_history=ANYONE),
        open_rule("delta:{name}", history=Last(100, hours=1), delta=True),
        open_rule("people:{name}", join_leave=True),
        ChannelRule(pattern="closed:{name}", subscribe=(), publish=()),
        ChannelRule(pattern="$private:{name}", history=Last(100, hours=1), publish=ANYONE),
    ],
    allow_anonymous=True,
)


class Burst(msgspec.Struct):
    channel: str
    count: int
    per_s: float = 0.0
    """0 is as fast as it goes."""
    pad: int = 0


class Failure(msgspec.Struct):
    code: int
    message: str = "asked to fail"
    temporary: bool = False


class Wanted(msgspec.Struct):
    user: str = "ada"
    ttl_s: float = 3600
    channel: str = ""


class Target(msgspec.Struct):
    client: str
    code: int = codes.FORCE_RECONNECT.code
    reason: str = "asked by a test"


@hub.call("echo", allow=ANYONE)
def echo(_: Caller, value: object) -> object:
    return value


@hub.call("add", allow=ANYONE)
def add(_: Caller, numbers: list[int]) -> int:
    return sum(numbers)


@hub.call("wait", allow=ANYONE)
async def wait(_: Caller, seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "waited"


@hub.call("fail", allow=ANYONE)
def fail(_: Caller, failure: Failure) -> None:
    raise RefusedError(Fault(failure.code, failure.message, failure.temporary))


@hub.call("token", allow=ANYONE)
def token(_: Caller, wanted: Wanted) -> str:
    """A token of the connection, or of a channel."""
    claims: dict[str, object] = {"sub": wanted.user, "exp": time.time() + wanted.ttl_s}
    if wanted.channel:
        claims["channel"] = wanted.channel
    return jwt.encode(claims, os.environ["VAGUS_TOKENS__HMAC_SECRET"], "HS256")


@hub.call("burst", allow=ANYONE)
async def burst(_: Caller, wanted: Burst) -> int:
    """Publish ``{"n": 0}`` and so on, evenly spread."""
    began, pad = time.monotonic(), "x" * wanted.pad
    for number in range(wanted.count):
        if wanted.per_s:
            late = began + number / wanted.per_s - time.monotonic()
            if late > 0:
                await asyncio.sleep(late)
        elif number % 100 == 99:
            await asyncio.sleep(0)
        await hub.publish(wanted.channel, {"n": number, "pad": pad} if pad else {"n": number})
    return wanted.count


@hub.call("disconnect", allow=ANYONE)
async def disconnect(_: Caller, target: Target) -> None:
    await hub.disconnect(client=target.client, closure=codes.Closure(target.code, target.reason))


@hub.call("tell", allow=ANYONE)
async def tell(caller: Caller, value: object) -> None:
    """Send something to the caller alone."""
    await hub.send(value, client=caller.client)


seen: list[object] = []


@hub.event("note", allow=ANYONE)
def note(_: Caller, value: object) -> None:
    seen.append(value)


@hub.call("notes", allow=ANYONE)
def notes(_: Caller) -> list[object]:
    """The events that came, in their order."""
    return seen
