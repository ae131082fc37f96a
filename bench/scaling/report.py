"""What was computed, as text, as JSON, and as the tables of docs/scaling.md."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from bench.scaling.costs import Costs
from bench.scaling.model import Machines, Size, Workload, client_return_us, size
from bench.scaling.storm import END_S, Course, Loss, play

SMALL: Final = Machines(cores=2, memory_gb=4)
EXAMPLES: Final = (
    (Workload(connections=10_000, publications_per_s=500), SMALL),
    (Workload(connections=1_000_000, publications_per_s=50_000), Machines()),
    (Workload(connections=10_000_000, publications_per_s=500_000), Machines()),
)
"""The sizes that the page works out: one workload, three times."""
MARK: Final = "<!-- python -m bench.scaling --docs -->\n"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A workload, what it takes, and the loss of one of its machines."""

    workload: Workload
    machines: Machines
    size: Size
    loss: Loss | None
    """Where more than one machine is left."""
    course: Course | None


def plan(workload: Workload, machines: Machines, costs: Costs, *, seed: int = 1) -> Plan:
    """Size a workload and lose one of its machines."""
    sized = size(workload, machines, costs)
    loss = loss_of_a_machine(workload, machines, sized, costs)
    course = None if loss is None else play(loss, seed=seed)
    return Plan(workload=workload, machines=machines, size=sized, loss=loss, course=course)


def loss_of_a_machine(workload: Workload, machines: Machines, sized: Size, costs: Costs) -> Loss | None:
    """What the simulation is given: all clients of one machine go to the others, which have their own work too."""
    remaining = sized.nodes - machines.cores
    busy = sum(sized.cores.values()) / remaining if remaining else 1.0
    redis_busy = sum(sized.redis_cores.values()) / sized.redis_shards
    if busy >= 1 or redis_busy >= 1:
        return None
    return Loss(
        clients=math.ceil(workload.connections / sized.machines),
        nodes=remaining,
        channels_per_client=workload.channels_per_client,
        return_us=client_return_us(workload, costs),
        recover_us=costs["redis_recover_us"] if workload.history_size else 0.0,
        node_busy=busy,
        redis_busy=redis_busy,
        redis_shards=sized.redis_shards,
    )


def as_json(made: Plan) -> str:
    return msgspec.json.format(msgspec.json.encode(made), indent=2).decode()  # infinite is null there


def as_text(made: Plan) -> str:
    """A few lines for a terminal."""
    lines = [f"{name:<42}{text}" for name, text in _facts(made).items()]
    lines += ["", "cores used", *_shares(made.size.cores), "", "cores of Redis used", *_shares(made.size.redis_cores)]
    return "\n".join(lines)


def _shares(cores: Mapping[str, float]) -> list[str]:
    return [f"  {what:<40}{_figure(value)}" for what, value in cores.items()]


def _facts(made: Plan) -> dict[str, str]:
    sized, workload = made.size, made.workload
    facts = {
        "deliveries a second": _figure(workload.deliveries_per_s),
        "connections made a second": _figure(workload.connects_per_s),
        "cores used by nodes": _figure(sum(sized.cores.values())),
        "machines": f"{sized.machines} of {made.machines.cores} cores and {_figure(made.machines.memory_gb)} GB",
        "nodes, clients on each": f"{sized.nodes}, {_figure(sized.clients_per_node)}",
        "nodes that hear a publication": _figure(sized.nodes_per_publication),
        "memory of all nodes and their sockets": f"{_figure(sized.node_memory_gb)} GB",
        "Redis: shards, cores used": f"{sized.redis_shards}, {_figure(sum(sized.redis_cores.values()))}",
        "Redis: commands a second": _figure(sized.redis_commands_per_s),
        "Redis: memory": f"{_figure(sized.redis_memory_gb)} GB",
        "to clients": f"{_figure(sized.egress_mbit_s)} Mbit/s",
        "between nodes and Redis": f"{_figure(sized.redis_mbit_s)} Mbit/s",
    }
    facts |= _losing(made)
    facts |= {f"a month, example prices: {what}": _figure(money) for what, money in sized.money_month.items()}
    return facts


def _losing(made: Plan) -> dict[str, str]:
    if made.loss is None or made.course is None:
        return {"a machine lost": "too little is left to carry on"}
    course = made.course
    return {
        "a machine lost: clients that move": _figure(made.loss.clients),
        "half, 99 %, all of them back after": ", ".join(
            _moment(moment) for moment in (course.half_back_s, course.most_back_s, course.all_back_s)
        ),
        "attempts; history reads a second at most": f"{_figure(course.attempts)}; "
        f"{_figure(course.peak_redis_reads_per_s)}",
        "busiest Redis meanwhile": f"{course.peak_redis_busy:.0%} of a core",
    }


def _moment(at_s: float) -> str:
    return f"{_figure(at_s)} s" if math.isfinite(at_s) else f"more than {_figure(END_S)} s"


def docs_tables(costs: Costs) -> tuple[str, str]:
    """The tables of docs/scaling.md."""
    return examples_table(costs), costs_table(costs)


def examples_table(costs: Costs) -> str:
    """The examples side by side."""
    plans = [plan(workload, machines, costs) for workload, machines in EXAMPLES]
    heads = ["", *(f"{made.workload.connections:,} connections" for made in plans)]
    facts = [_facts(made) for made in plans]
    rows = [[name, *(one[name] for one in facts)] for name in facts[0]]
    return _table(heads, rows)


def costs_table(costs: Costs) -> str:
    """Every cost with its source."""
    known: dict[str, Any] = msgspec.structs.asdict(costs)
    costly = [[cost.means, f"{cost.value:g} {_unit(name)}", cost.source] for name, cost in known.items()]
    return _table(["what", "figure", "source"], costly)


def with_tables(page: str, tables: Sequence[str]) -> str:
    """The page with its generated tables replaced: those below a comment that says so, up to the next empty line."""
    parts = page.split(MARK)
    if len(parts) != len(tables) + 1:
        raise ValueError(f"the page must have {MARK!r} {len(tables)} times")
    rest = [part.partition("\n\n")[2] for part in parts[1:]]
    return parts[0] + "".join(f"{MARK}{table}\n\n{after}" for table, after in zip(tables, rest, strict=True))


def _unit(name: str) -> str:
    suffix = name.rpartition("_")[2]
    return {"us": "µs", "ms": "ms", "bytes": "bytes"}.get(suffix, "times")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)] if len(heads) > 3 else ["---", "---:", "---"], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _figure(value: float) -> str:
    """Three digits, since none of this is known better."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = 2 - math.floor(math.log10(abs(value)))
    return f"{round(value, digits):,.{min(max(digits, 0), 4)}f}"
