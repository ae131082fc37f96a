"""The loss of a machine, played through event by event: clients wait, come to the other nodes, stand in their queues,
have their history read at Redis, or are turned away and wait longer. The same seed plays the same course.

A node and Redis each do one thing after the other, with that part of their core that their other work leaves. What is
not played: the network, and that work of clients that gave up is done all the same.
"""

import heapq
import math
import random
from collections import Counter
from typing import Final, NamedTuple

import msgspec

SECOND_US: Final = 1e6
SLICE_S: Final = 0.1
"""How finely the load of Redis is looked at."""
END_S: Final = 300.0
"""How long it is played: where clients come again faster than they are answered, it would never end."""


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """What is lost, what remains, and how clients behave."""

    clients: int
    nodes: int
    """That remain."""
    channels_per_client: float = 2.0
    return_us: float = 250.0
    """CPU of a node for a client that comes back and recovers all of its channels."""
    recover_us: float = 10.0
    """CPU of Redis for one recovery."""
    node_busy: float = 0.6
    """The part of a core that a node's other work takes."""
    redis_busy: float = 0.3
    redis_shards: int = 1
    connecting_per_s: float = 0.0
    """limits.connecting of a node: who comes above it is turned away. 0 is no limit."""
    first_wait_s: float = 0.5
    most_wait_s: float = 20.0
    """The JavaScript client waits min(20 s, 0.5 s + a random part of 0.5 s * 2^tries)."""
    patience_s: float = 5.0
    """How long a client waits for its answer before it tries again."""


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """How it went. Times are infinite for those who were not back by the end."""

    half_back_s: float
    most_back_s: float
    """When 99 % were back."""
    all_back_s: float
    attempts: int
    turned_away: int
    gave_up: int
    """Attempts that took longer than the client's patience."""
    peak_redis_reads_per_s: float
    peak_redis_busy: float
    """The part of a core of the busiest shard, its other work included."""


def play(loss: Loss, *, seed: int = 1) -> Course:
    """Raises ``ValueError`` when nobody is left to come back to."""
    if loss.nodes < 1 or loss.node_busy >= 1 or loss.redis_busy >= 1:
        raise ValueError("there is nothing left to come back to")
    return _Play(loss, random.Random(seed)).run()


class _Play:
    """One course: who does what next, and when each node and Redis is free again."""

    def __init__(self, loss: Loss, chance: random.Random) -> None:
        self._loss = loss
        self._chance = chance
        self._coming: list[_Attempt] = [_Attempt(self._wait_s(0), 0, False, 0.0) for _ in range(loss.clients)]
        self._free_at = [0.0] * loss.nodes
        self._redis_free_at = [0.0] * loss.redis_shards
        self._admitted: list[Counter[int]] = [Counter() for _ in range(loss.nodes)]
        self._reads: list[Counter[int]] = [Counter() for _ in range(loss.redis_shards)]
        self._back: list[float] = []
        self._attempts = self._turned_away = self._gave_up = 0

    def run(self) -> Course:
        heapq.heapify(self._coming)
        while self._coming and self._coming[0].at < END_S:
            attempt = heapq.heappop(self._coming)
            if attempt.is_reading:
                self._read(attempt)
            else:
                self._come(attempt)
        return self._course()

    def _wait_s(self, tries: int) -> float:
        loss = self._loss
        return min(loss.most_wait_s, loss.first_wait_s + self._chance.uniform(0, loss.first_wait_s * 2.0**tries))

    def _one_of(self, count: int) -> int:
        return int(self._chance.random() * count)  # what randrange does, in a quarter of the time

    def _come(self, attempt: "_Attempt") -> None:
        """To a node that is chosen by lot, which has it wait in its queue or turns it away."""
        loss, now = self._loss, attempt.at
        self._attempts += 1
        node = self._one_of(loss.nodes)
        if loss.connecting_per_s and not self._is_admitted(node, int(now)):
            self._turned_away += 1
            self._try_again(now, attempt.tries)
            return
        work_s = loss.return_us / SECOND_US / (1 - loss.node_busy)
        self._free_at[node] = max(now, self._free_at[node]) + work_s
        heapq.heappush(self._coming, _Attempt(self._free_at[node], attempt.tries, True, now))

    def _is_admitted(self, node: int, second: int) -> bool:
        self._admitted[node][second] += 1
        return self._admitted[node][second] <= self._loss.connecting_per_s

    def _read(self, attempt: "_Attempt") -> None:
        """The history of the client's channels, at the shards that have them; then it is back, or has given up."""
        loss, now, done = self._loss, attempt.at, attempt.at
        for _ in range(round(loss.channels_per_client)):
            shard = self._one_of(loss.redis_shards)
            self._reads[shard][int(now / SLICE_S)] += 1
            finished = max(now, self._redis_free_at[shard]) + loss.recover_us / SECOND_US / (1 - loss.redis_busy)
            self._redis_free_at[shard] = finished
            done = max(done, finished)
        if done - attempt.began > loss.patience_s:
            self._gave_up += 1
            self._try_again(max(now, attempt.began + loss.patience_s), attempt.tries)
        else:
            self._back.append(done)

    def _try_again(self, now: float, tries: int) -> None:
        heapq.heappush(self._coming, _Attempt(now + self._wait_s(tries + 1), tries + 1, False, 0.0))

    def _course(self) -> Course:
        back = [*sorted(self._back), *[math.inf] * (self._loss.clients - len(self._back))] or [0.0]
        total: Counter[int] = sum(self._reads, Counter())
        busiest = max((max(reads.values(), default=0) for reads in self._reads), default=0) / SLICE_S
        return Course(
            half_back_s=back[len(back) // 2],
            most_back_s=back[min(len(back) - 1, len(back) * 99 // 100)],
            all_back_s=back[-1],
            attempts=self._attempts,
            turned_away=self._turned_away,
            gave_up=self._gave_up,
            peak_redis_reads_per_s=max(total.values(), default=0) / SLICE_S,
            peak_redis_busy=min(1.0, self._loss.redis_busy + busiest * self._loss.recover_us / SECOND_US),
        )


class _Attempt(NamedTuple):
    """What happens at a moment: a client comes, or, once its node has got to it, its history is read."""

    at: float
    tries: int
    is_reading: bool
    began: float
