"""Demo data: two channels with made-up numbers, and some events for admins, so that there is something to see before
anything is connected.

It comes through the same door as real data and says of itself that it is a demo.
"""

import asyncio
import math
import random
from datetime import UTC, datetime
from typing import Final

import structlog

from vagus.apps.admin import NAME as ADMIN
from vagus.apps.admin import Admin, AdminBroadcasts, Alert, PlatformUpdate
from vagus.apps.fusion import NAME as FUSION
from vagus.hub.hub import Hub
from vagus.kernel.channels import ChannelRule, Last
from vagus.kernel.errors import BrokerError
from vagus.kernel.permissions import ANYONE

log = structlog.get_logger()

RULE: Final = ChannelRule(
    pattern="demo:{name}",
    history=Last(300, minutes=10),
    presence=True,
    subscribe=(ANYONE,),
    read_history=(ANYONE,),
    read_presence=(ANYONE,),
)
INTERVAL_S: Final = 1.0
ADMIN_STEPS: Final = 15
"""Each broadcast leaves a line in the log, which shall stay readable."""
ALERT_STEPS: Final = 60 * ADMIN_STEPS
"""Each alert is a notification in the console, where what matters shall not drown."""


def admit_demo(hub: Hub) -> None:
    """Let anybody follow the demo's channels, without a token too. Raises ``RuleError`` if they have a rule already."""
    hub.rules.add(RULE, "server.demo")
    hub.policies.allow_anonymous = True


async def publish_demo(hub: Hub) -> None:
    """Publish once a second, and broadcast to admins now and then, until cancelled."""
    admin = hub.apps.get(ADMIN)
    shown = [channel for channel in (FUSION,) if channel in hub.apps]
    log.info("demo_started", channels=["demo:clock", "demo:numbers", *shown])
    chance = random.Random()
    step = 0
    while True:
        try:
            await publish_step(hub, step, chance)
            if isinstance(admin, Admin) and step % ADMIN_STEPS == 0:
                await broadcast_step(admin.broadcasts, step, chance)
        except BrokerError as error:
            log.warning("demo_failed", error=str(error))
        step += 1
        await asyncio.sleep(INTERVAL_S)


async def publish_step(hub: Hub, step: int, chance: random.Random) -> None:
    await hub.publish("demo:clock", _event(hub, "clock", step, clock()))
    await hub.publish("demo:numbers", _event(hub, "numbers", step, numbers(step, chance)))


async def broadcast_step(said: AdminBroadcasts, step: int, chance: random.Random) -> None:
    visitors, words = max(1, round(chance.gauss(300, 60))), "Made up by the demo."
    await said.platform_update(PlatformUpdate(status="operational", active_users=visitors, message=words), by="demo")
    if step % ALERT_STEPS == 0:
        await said.alert(Alert(severity="info", title="All is well", message=words, source="demo"), by="demo")


def _event(hub: Hub, kind: str, step: int, payload: dict[str, object]) -> dict[str, object]:
    return {"type": f"demo.{kind}", "id": f"demo-{step}", "at": hub.now_ms(), "payload": {"demo": True, **payload}}


def clock() -> dict[str, object]:
    return {"utc": datetime.now(UTC).isoformat(timespec="seconds")}


def numbers(step: int, chance: random.Random) -> dict[str, object]:
    """Numbers of an invented shop: a wave of ten minutes with noise on it."""
    wave = 1 + math.sin(step * math.tau / 600)
    visitors = round(200 * wave + chance.gauss(0, 10) + 50)
    return {
        "visitors": max(0, visitors),
        "orders": max(0, round(visitors * 0.03 + chance.gauss(0, 1))),
        "latency_ms": round(20 + 15 * wave + abs(chance.gauss(0, 4)), 1),
        "errors": int(chance.random() < 0.05),
    }
