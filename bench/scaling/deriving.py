"""From what the benchmarks measured (build/bench/measured.json) to what each thing costs (bench/costs.toml).

Most figures are of several things at once; what one of them takes is a difference of two. A difference is never less
than the smallest figure that can be told from nothing.
"""

import re
from collections.abc import Mapping
from typing import Final

LEAST: Final = 0.05
CHECK_S: Final = 30.0
"""broker.check_s of the nodes that were measured."""
HEARTBEAT_S: Final = 2.0


def costs_from(measured: Mapping[str, float]) -> dict[str, float]:
    """The costs that these figures say, by name. Raises ``KeyError`` for a figure that is not there."""
    one = measured
    telling = _difference(one["redis_many_us"], one["redis_us"]) / (one["redis_many"] - 1)
    joined_us = _difference(one["us_per_delivery_1200"] * 1200 / 900, one["us_per_delivery_300"] * 300 / 900)
    bare, kept, met = ("bare", "kept", "met")
    return {
        "connect_us": one["us_per_connection"],
        "connection_bytes": one["bytes_per_connection"],
        "write_us": _difference(one["us_per_delivery_50"], joined_us),
        "message_us": joined_us,
        "publish_us": one["publish_us"],
        "hear_us": one["hear_us"],
        "subscribe_us": _difference(one[f"{kept}_us_per_connection"], one["us_per_connection"]),
        "presence_us": _difference(one[f"{met}_us_per_connection"], one[f"{bare}_us_per_connection"]),
        "channel_bytes": _difference(one[f"{kept}_bytes_per_connection"], one["bytes_per_connection"]),
        "rest_us": one[f"{kept}_rest_us"],
        "return_us": one["return_us"],
        "redis_publish_us": _difference(one["redis_us"], telling),
        "redis_hear_us": telling,
        "redis_recover_us": one["redis_recover_us"],
        "redis_subscribe_us": one[f"{kept}_redis_us"],
        "redis_presence_us": _difference(one[f"{met}_redis_us"], one[f"{bare}_redis_us"]),
        "redis_check_us": _difference(one[f"{kept}_redis_rest_us"], one[f"{bare}_redis_rest_us"]) * CHECK_S,
        "redis_publication_bytes": one["redis_publication_bytes"],
        "redis_followed_bytes": one[f"{bare}_redis_bytes"],
        "redis_presence_bytes": _difference(one[f"{met}_redis_bytes"], one[f"{bare}_redis_bytes"]),
    }


def _difference(more: float, less: float) -> float:
    return max(more - less, LEAST)


def with_values(text: str, costs: Mapping[str, float]) -> str:
    """The text of a costs.toml with these figures in their places, to three digits, and all else as it is."""
    for name, value in costs.items():
        text, found = re.subn(rf"(?m)^(\[{name}\]\nvalue = ).*$", rf"\g<1>{float(f'{value:.3g}'):g}", text)
        if found != 1:
            raise ValueError(f"{name} is not there once")
    return text
