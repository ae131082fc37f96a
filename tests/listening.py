"""How the servers that tests make of asyncio stop listening without losing sight of whom they have just taken."""

import asyncio
from typing import Final

STEPS: Final = 5
"""Turns of the loop from a connection that the system has taken to the first step of the task that serves it."""


async def stop_listening(server: asyncio.Server) -> None:
    """Take nobody any more; return when whoever was taken is being served, and can be cut by who serves."""
    server.close()
    for _ in range(STEPS):
        await asyncio.sleep(0)
