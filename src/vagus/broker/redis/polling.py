"""Asking several servers at once, of which some may be dead and others behind the times."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from vagus.kernel.errors import BrokerError

from .connecting import AccessError

T = TypeVar("T")
A = TypeVar("A")


async def answers_of_most(asked: Collection[T], ask: Callable[[T], Awaitable[A]], timeout_s: float) -> list[A]:
    """What more than half of them answer, or those who do in time. Raises ``BrokerError``, with their reasons, if none
    does.
    """
    answers: list[A] = []
    errors: list[BrokerError] = []
    tasks = {asyncio.ensure_future(ask(one)) for one in asked}
    pending, end = set(tasks), asyncio.get_running_loop().time() + timeout_s
    try:
        while pending and len(answers) <= len(asked) // 2:
            left = end - asyncio.get_running_loop().time()
            done, pending = await asyncio.wait(pending, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                break
            for task in done:
                try:
                    answers.append(task.result())
                except BrokerError as error:
                    errors.append(error)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if not answers:
        raise _joined(errors)
    return answers


def _joined(errors: list[BrokerError]) -> BrokerError:
    kind = AccessError if any(isinstance(error, AccessError) for error in errors) else BrokerError
    return kind("; ".join(sorted({str(error) for error in errors})) or "nobody answers")
