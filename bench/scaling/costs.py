"""What each thing costs: bench/costs.toml, where every figure names the stage of the benchmarks that measured it."""

import tomllib
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = Path(__file__).parents[1] / "costs.toml"


class Cost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure, what it means, and where it comes from."""

    value: float
    means: str
    source: str


class Costs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Times in µs of one core, sizes in bytes."""

    connect_us: Cost
    subscribe_us: Cost
    presence_us: Cost
    return_us: Cost
    rest_us: Cost
    write_us: Cost
    message_us: Cost
    publish_us: Cost
    hear_us: Cost
    rest_factor: Cost
    rest_most_ms: Cost
    connection_bytes: Cost
    socket_bytes: Cost
    channel_bytes: Cost
    redis_publish_us: Cost
    redis_hear_us: Cost
    redis_subscribe_us: Cost
    redis_presence_us: Cost
    redis_recover_us: Cost
    redis_check_us: Cost
    redis_heartbeat_us: Cost
    redis_publication_bytes: Cost
    redis_channel_bytes: Cost
    redis_stream_bytes: Cost
    redis_presence_bytes: Cost
    redis_followed_bytes: Cost
    envelope_bytes: Cost
    packet_bytes: Cost

    def __getitem__(self, name: str) -> float:
        cost: Cost = getattr(self, name)
        return cost.value


def read(path: Path = FILE) -> Costs:
    """Raises ``msgspec.ValidationError`` for a file that lacks a figure or has one too many."""
    return msgspec.convert(tomllib.loads(path.read_text()), Costs)
