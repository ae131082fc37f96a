"""What can go wrong, one function for each: it does harm to a run while its writers write.

Whatever a scenario leaves broken is healed afterwards; what must hold then is for the ledger to say, the same for all.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

from vagus.broker.redis.keys import Keys

from .proxy import Proxy
from .runs import Plan, Run

SCENARIOS: Final[dict[str, Plan]] = {}

Act = Callable[[Run], Awaitable[None]]


def scenario(**town: Any) -> Callable[[Act], Act]:
    """Enter a function into the table; the first line of its documentation is what happens."""

    def register(act: Act) -> Act:
        what = (act.__doc__ or "").splitlines()[0]
        SCENARIOS[act.__name__] = Plan(name=act.__name__, what=what, act=act, **town)
        return act

    return register


# nodes


@scenario(nodes=1, durability=None, keeps_history=False)
async def lone_node_killed(run: Run) -> None:
    """A single node with the memory broker is killed: its history is gone, and everybody must be told."""
    node = run.town.nodes[0]
    for _ in range(2):
        await node.program.kill()
        await run.pause(0.1, 0.4)
        await node.start()
        await run.pause(0.5, 1.0)


@scenario()
async def nodes_killed(run: Run) -> None:
    """kill -9 of one node after the other, sometimes of two at once."""
    for _ in range(2):
        victims = run.some(run.town.nodes, run.rng.choice((0.3, 0.6)))
        for node in victims:
            await node.program.kill()
        await run.pause(0.1, 1.0)
        for node in victims:
            await node.start()
        await run.pause(0.1, 0.5)


@scenario()
async def nodes_restarted(run: Run) -> None:
    """A rolling restart: each node in turn is told to stop, drains, and starts again."""
    for node in run.some(run.town.nodes, 1.0):
        await node.program.stop()
        await node.start()
        await run.pause(0.1, 0.3)


@scenario()
async def nodes_asleep(run: Run) -> None:
    """Nodes stand still for a while, as a machine does that is paused, and go on as if nothing had been."""
    for _ in range(2):
        for node in run.some(run.town.nodes, 0.4):
            node.program.freeze()
        await run.pause(0.3, 3.0)
        for node in run.town.nodes:
            node.program.thaw()
        await run.pause(0.3, 0.8)


@scenario()
async def clocks_set(run: Run) -> None:
    """Wall clocks of nodes jump by up to an hour, forth and back."""
    for _ in range(4):
        run.node().clock.jump(run.rng.uniform(-3600, 3600))
        await run.pause(0.4, 1.0)
    for node in run.town.nodes:
        node.clock.jump(0.0)
    await run.pause(0.4, 1.0)


# Redis


@scenario()
async def redis_killed(run: Run) -> None:
    """kill -9 of Redis, which keeps what it acknowledged: nothing may be missing, and nobody told so."""
    for _ in range(2):
        await run.redis.program.kill()
        await run.pause(0.05, 0.8)
        await run.redis.start()
        await run.pause(0.5, 1.0)


@scenario(durability="none", keeps_history=False)
async def redis_emptied(run: Run) -> None:
    """Redis is killed and comes back with nothing: everybody must be told so."""
    for _ in range(2):
        await run.redis.program.kill()
        await run.pause(0.05, 0.5)
        await run.redis.start()
        await run.pause(0.5, 1.5)


@scenario(durability="snapshot", keeps_history=False, goes_back=True)
async def redis_set_back(run: Run) -> None:
    """Redis comes back as it was a while ago: who was there must be told, and who was not there then as well."""
    await run.redis.save()
    await run.pause(0.5, 1.0)
    for subscriber in run.some(run.swarm.subscribers, 0.3):
        subscriber.client.fall_silent()
    await run.redis.program.kill()
    await run.pause(0.05, 0.5)
    await run.redis.start()
    await run.pause(1.5, 2.5)


@scenario()
async def redis_frozen(run: Run) -> None:
    """Redis stands still, shorter and longer than nodes wait for it, and goes on."""
    for _ in range(2):
        run.redis.program.freeze()
        await run.pause(0.2, 2.5)
        run.redis.program.thaw()
        await run.pause(0.3, 0.8)


@scenario()
async def redis_lines_cut(run: Run) -> None:
    """Connections between nodes and Redis are reset again and again, while other nodes go on publishing."""
    for _ in range(6):
        for node in run.some(run.town.nodes, 0.5):
            node.back.cut()
        await run.pause(0.1, 0.8)


@scenario()
async def redis_lines_bad(run: Run) -> None:
    """Lines between nodes and Redis are late, narrow, stalled, cut within a message, or broken one way."""
    await worsen(run, [node.back for node in run.town.nodes], times=3)


# a Redis Cluster


@scenario(durability=None, replicas=1, keeps_history=False, goes_back=True)
async def cluster_master_replaced(run: Run) -> None:
    """A master of a Cluster dies and its replica lacks the latest; one stands still, is replaced, and goes on."""
    for dies in run.some((True, False), 1.0):
        victim = await asyncio.to_thread(run.cluster.master_of, run.meta())
        heir = await asyncio.to_thread(run.cluster.replica_of, victim)
        if dies:
            await asyncio.to_thread(victim.leave_behind, heir)
            await run.pause(0.1, 0.5)
            await asyncio.to_thread(victim.kill)
        else:
            heir.pause()
            victim.pause()
        await run.expect_health(is_well=False)
        heir.resume()
        await asyncio.to_thread(heir.await_promotion)
        await run.pause(0.0, 0.8)
        await asyncio.to_thread(run.cluster.heal)
        await run.expect_health(is_well=True)
        await run.pause(0.3, 0.8)


@scenario(durability=None, replicas=0)
async def cluster_slots_moved(run: Run) -> None:
    """Channels and what the nodes share move to other masters of a Cluster: nothing may be missing, nobody told so."""
    for key in [Keys("vagus").beats, *(run.meta() for _ in range(4))]:
        await asyncio.to_thread(run.cluster.move, key)
        await run.pause(0.1, 0.6)


# PostgreSQL


@scenario(has_store=True, nodes=2)
async def store_killed(run: Run) -> None:
    """PostgreSQL is killed, and stands still: channels do not need it, and keys that are known keep working."""
    await asyncio.to_thread(run.store.kill)
    await run.pause(1.5, 2.5)
    await asyncio.to_thread(run.store.start)
    await run.pause(0.2, 1.0)
    run.store.pause()
    await run.pause(0.5, 1.5)
    run.store.resume()
    for writer in run.writers:
        if writer.told:
            run.blame("refused", f"{writer.name} was told: {', '.join(writer.told)}")


# lines to clients


@scenario()
async def client_lines_bad(run: Run) -> None:
    """Lines to clients are cut, late, narrow, stalled, refused, cut within a frame, or broken one way."""
    await worsen(run, [node.front for node in run.town.nodes], times=4)


async def worsen(run: Run, lines: Sequence[Proxy], *, times: int) -> None:
    """Make some lines bad in one of all the ways there are, and heal them again."""
    rng = run.rng
    for _ in range(times):
        for line in run.some(lines, rng.choice((0.3, 1.0))):
            faults: Sequence[Callable[[], None]] = (
                line.cut,
                line.refuse,
                line.stall,
                partial(line.delay, 0.0, rng.uniform(0.02, 0.2)),
                partial(line.limit, rng.uniform(5e3, 5e4)),
                partial(line.truncate, rng.choice(("up", "down")), rng.randrange(1, 2000)),
                partial(line.swallow, rng.choice(("up", "down"))),
            )
            rng.choice(faults)()
        await run.pause(0.3, 1.5)
        for line in lines:
            line.heal()
        await run.pause(0.1, 0.5)


@scenario(padding=3000)
async def slow_readers(run: Run) -> None:
    """Some clients read at 2 KB/s and some fall silent: the others are not disturbed, and those recover."""
    subscribers = run.swarm.subscribers
    harmful = run.some(subscribers, 0.4)
    for number, subscriber in enumerate(harmful):
        if number % 3 == 0:
            subscriber.client.fall_silent()
        else:
            subscriber.client.slow_down(2000)
    await run.pause(2.5, 3.5)
    for subscriber in subscribers:
        if subscriber not in harmful and subscriber.client.connections > 1:
            run.blame("disturbed", "lost its connection beside slow readers", subscriber.client.name)


# everything


@scenario(subscribers=10_000, follows=1, writers=2, speakers=0, rate=3.0, patience=5.0, direct=True)
async def crowd_moves(run: Run) -> None:
    """Ten thousand clients; one node of three is killed, and its clients come to the others at once."""
    clients = [subscriber.client for subscriber in run.swarm.subscribers]
    before = sum(client.connections for client in clients)
    begun = time.monotonic()
    await run.node().program.kill()
    await run.pause(0.1, 0.1)
    await run.swarm.until(lambda: run.swarm.is_all_on, 60.0)
    moved = sum(client.connections for client in clients) - before
    run.remarks.append(f"{moved} clients were back after {time.monotonic() - begun:.1f} s")
    await run.pause(0.5, 1.0)


@scenario()
async def storm(run: Run) -> None:
    """Whatever can go wrong does, in any order and at once."""
    rng = run.rng
    lines = [line for node in run.town.nodes for line in (node.front, node.back)]
    for _ in range(5):
        node = run.node()
        match rng.randrange(7):
            case 0:
                await node.program.kill()
            case 1:
                node.program.freeze()
            case 2:
                await run.redis.program.kill()
            case 3:
                run.redis.program.freeze()
            case 4:
                node.clock.jump(rng.uniform(-600, 600))
            case _:
                await worsen(run, lines, times=1)
        await run.pause(0.1, 1.0)
        if rng.random() < 0.6:
            await run.town.heal()
