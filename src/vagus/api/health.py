"""``GET /health``: whether this node can do its work now, for those who may not know more than that.

It looks deep: the broker and whatever else the node stands on are asked, and the event loop must not run late.
Reasons go to the log, since a driver's message may hold addresses and passwords. ``?live`` asks only whether the
process turns.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Final, Literal
from urllib.parse import parse_qs

import msgspec
import structlog
from msgspec import Meta

from vagus.asgi import Response
from vagus.hub.hub import Hub

log = structlog.get_logger()

Check = Callable[[], Awaitable[object]]
State = Literal["ok", "failed", "timed out", "late"]

CHECK_S: Final = 3.0
"""How long something may take to say that it is well: orchestrators usually wait five seconds for the whole."""

LATE_S: Final = 0.5
"""A loop that runs this late half of the time keeps nobody's pace any more."""


class LoopLag(msgspec.Struct, frozen=True):
    """Over the last ten seconds."""

    median: float
    max: float


class Health(msgspec.Struct, frozen=True):
    status: Annotated[
        Literal["ok", "unavailable", "draining"],
        Meta(description="`draining`, without the rest, while a node sends its clients to others before it ends."),
    ]
    version: str
    uptime_s: float
    loop_lag_ms: LoopLag
    checks: Annotated[dict[str, State], Meta(description="What this node stands on, and `loop`.")]


class Alive(msgspec.Struct, frozen=True):
    status: Literal["ok"] = "ok"


def wants_liveness(query: bytes) -> bool:
    return "live" in parse_qs(query.decode("latin-1"), keep_blank_values=True)


def health_response(health: Health | Alive) -> Response:
    status = 200 if health.status == "ok" else 503
    return Response(status, msgspec.json.encode(health), headers=((b"cache-control", b"no-store"),))


async def examine(hub: Hub, checks: Mapping[str, Check]) -> Health:
    """Ask everything at once. Never raises."""
    everything: dict[str, Check] = {"broker": hub.broker.check, **checks}
    found = await asyncio.gather(*(_state(name, check) for name, check in everything.items()))
    states: dict[str, State] = dict(zip(everything, found, strict=True))
    lag = hub.vitals.lag
    states["loop"] = "ok" if lag.median < LATE_S else "late"
    return Health(
        status="ok" if set(states.values()) == {"ok"} else "unavailable",
        version=hub.version,
        uptime_s=round(max(0.0, hub.now() - hub.started_at), 1),
        loop_lag_ms=LoopLag(round(lag.median * 1000, 2), round(lag.highest * 1000, 2)),
        checks=states,
    )


async def _state(name: str, check: Check) -> State:
    try:
        async with asyncio.timeout(CHECK_S):
            await check()
    except TimeoutError:
        log.warning("check_timed_out", check=name)
        return "timed out"
    except Exception as error:
        log.warning("check_failed", check=name, error=str(error))
        return "failed"
    return "ok"
