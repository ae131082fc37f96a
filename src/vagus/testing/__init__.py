"""What Vagus ships for tests: a hub in memory with clients, a clock that jumps, transcripts, and the brokers' contract.

Start with ``in_memory``; add ``FakeClock`` where time matters. ``vagus.testing.broker_contract.BrokerContract`` is for
those who write a broker. Nothing here opens a socket or needs a test framework.
"""

from .clock import FakeClock, FakeLoop
from .link import MemoryLink
from .reading import Received
from .transcripts import TranscriptError, play
from .world import Heard, MemoryClient, World, in_memory

__all__ = [
    "FakeClock",
    "FakeLoop",
    "Heard",
    "MemoryClient",
    "MemoryLink",
    "Received",
    "TranscriptError",
    "World",
    "in_memory",
    "play",
]
