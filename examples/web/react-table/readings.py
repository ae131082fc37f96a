"""Readings of twenty sensors, published a thousand times a second. Made up, for the demo.

npx vite build          in this folder, see docs/recipes.md
uvicorn readings:app
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from vagus import ChannelRule, Hub, asgi_app

RATE = 1000
SENSORS = 20

hub = Hub(rules=[ChannelRule(pattern="readings", subscribe=("anyone",))], allow_anonymous=True)


async def measure() -> None:
    """Publish the newest reading of all sensors, evenly spread over each second."""
    began = time.monotonic()
    number = 0
    while True:
        await asyncio.sleep(0.01)
        while number < (time.monotonic() - began) * RATE:
            number += 1
            values = [round(20 + 5 * math.sin(number / 500 + sensor), 2) for sensor in range(SENSORS)]
            await hub.publish("readings", {"number": number, "values": values})


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    async with hub:
        measuring = asyncio.create_task(measure())
        yield
        measuring.cancel()


app = Starlette(
    lifespan=lifespan,
    routes=[
        Mount("/connection", asgi_app(hub)),
        Mount("/", StaticFiles(directory=Path(__file__).parent / "dist", html=True, check_dir=False)),
    ],
)
