"""Fusion: what many sources say, collected into one pulse, with a history of its numbers.

A source is a file, a log, an endpoint, a query or a function. All are asked side by side at a pace that may change
while it runs; what they say goes out on the channel ``fusion``, and to clients of Socket.IO as ``fusionUpdate``::

    fusion = install(hub, settings, store=store, folder=Path("data"))

Reading order: ``kinds`` and ``values`` (fields, states, snapshots), ``channel`` (the pulse and who hears it),
``sources`` (the contract, each kind of source, and the fence around those from the network), ``collector``,
``promptness`` (how long the store is waited for), ``book`` (which sources there are), ``emitter`` (when, and on which
node), ``history``, ``past`` (of a demo), ``views``, ``routes`` (the only one with Litestar), ``app``.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from .app import NAME, Fusion, install
from .channel import CHANNEL, UPDATE, FusionUpdate, PulseMark, SourceMark
from .values import Field, Reading, SourceState, Terms

PUBLISHED: Final[Mapping[str, Mapping[str, type[msgspec.Struct]]]] = {CHANNEL: {UPDATE: FusionUpdate}}
"""See ``vagus.apps``."""

__all__ = [
    "CHANNEL",
    "NAME",
    "PUBLISHED",
    "Field",
    "Fusion",
    "FusionUpdate",
    "PulseMark",
    "Reading",
    "SourceMark",
    "SourceState",
    "Terms",
    "install",
]
