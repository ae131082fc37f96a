"""A server with a bug that was put in on purpose: ``python -m tests.faults.planted BUG serve …``.

Each bug breaks one promise, now and then, by replacing a function of the server in this process. A proof that does not
find them proves nothing.
"""

import sys
from collections.abc import Callable
from itertools import count
from typing import Any, Final

import msgspec

import vagus.cli
from vagus.hub.hub import Hub
from vagus.hub.topic import Topic
from vagus.kernel import history
from vagus.kernel.publications import Position, Receipt

OFTEN: Final = 25
"""One in so many publications is treated badly."""

BUGS: Final[dict[str, Callable[[], None]]] = {}

_publish: Final = Topic.publish
_missed: Final = history.missed


def bug(plant: Callable[[], None]) -> Callable[[], None]:
    BUGS[plant.__name__] = plant
    return plant


@bug
def leaves_one_out() -> None:
    """A live publication reaches nobody, and the topic goes on as if it had."""
    turn = count(1)

    def publish(self: Topic, publication: Any, epoch: str, exclude: str) -> None:
        if publication.offset and next(turn) % OFTEN == 0:
            self.position = Position(publication.offset, epoch)
        else:
            _publish(self, publication, epoch, exclude)

    _replace(Topic, "publish", publish)


@bug
def repeats_one() -> None:
    """A live publication comes twice."""
    turn = count(1)

    def publish(self: Topic, publication: Any, epoch: str, exclude: str) -> None:
        _publish(self, publication, epoch, exclude)
        if publication.offset and next(turn) % OFTEN == 0:
            self.position = Position(publication.offset - 1, epoch)
            _publish(self, publication, epoch, exclude)

    _replace(Topic, "publish", publish)


@bug
def swaps_two() -> None:
    """A live publication comes after the one that follows it."""
    turn = count(1)
    late: dict[Topic, Any] = {}

    def publish(self: Topic, publication: Any, epoch: str, exclude: str) -> None:
        earlier = late.pop(self, None)
        if earlier is not None:
            self.position = Position(publication.offset - 1, epoch)
            _publish(self, publication, epoch, exclude)
            self.position = Position(earlier.offset - 1, epoch)
            _publish(self, earlier, epoch, exclude)
            self.position = Position(publication.offset, epoch)
        elif publication.offset and next(turn) % OFTEN == 0 and b'"end"' not in bytes(publication.data):
            late[self] = publication
        else:
            _publish(self, publication, epoch, exclude)

    _replace(Topic, "publish", publish)


@bug
def recovers_all_but_one() -> None:
    """A recovery leaves one publication out and says that it is whole."""

    def missed(page: Any, since: Any) -> Any:
        whole = _missed(page, since)
        return whole[:1] + whole[2:] if whole is not None and len(whole) > 2 else whole

    _replace(history, "missed", missed)


@bug
def recovers_all_but_the_last() -> None:
    """A recovery ends before the live flow begins."""

    def missed(page: Any, since: Any) -> Any:
        whole = _missed(page, since)
        return whole[:-1] if whole else whole

    _replace(history, "missed", missed)


@bug
def says_recovered_falsely() -> None:
    """What is not kept any more is said to have been recovered."""

    def missed(page: Any, since: Any) -> Any:
        whole = _missed(page, since)
        return () if whole is None else whole

    _replace(history, "missed", missed)


@bug
def says_lost_falsely() -> None:
    """A recovery that could be whole is refused."""
    turn = count(1)

    def missed(page: Any, since: Any) -> Any:
        return None if next(turn) % 4 == 0 else _missed(page, since)

    _replace(history, "missed", missed)


@bug
def acknowledges_what_it_drops() -> None:
    """A publication is acknowledged and goes nowhere."""
    turn = count(1)
    original = Hub.publish_draft

    async def publish_draft(self: Hub, channel: str, draft: Any) -> Receipt:
        return Receipt() if next(turn) % OFTEN == 0 else await original(self, channel, draft)

    _replace(Hub, "publish_draft", publish_draft)


@bug
def forgets_keys() -> None:
    """What is tried again under its idempotency key happens again."""
    original = Hub.publish_draft

    async def publish_draft(self: Hub, channel: str, draft: Any) -> Receipt:
        await original(self, channel, msgspec.structs.replace(draft, idempotency_key=""))
        return await original(self, channel, msgspec.structs.replace(draft, idempotency_key=""))

    _replace(Hub, "publish_draft", publish_draft)


def _replace(owner: Any, name: str, function: Callable[..., Any]) -> None:
    """Put a function in the place of another; mypy is right that this is not done, but for a bug."""
    setattr(owner, name, function)


if __name__ == "__main__":
    BUGS[sys.argv.pop(1)]()
    vagus.cli.main()
