"""Ports for servers of tests: out of those that the system gives to nobody's outgoing connections.

Thus a server finds its port free when it starts a moment later, and when it starts again on the same one.
"""

import contextlib
import random
import socket
from typing import Final

FIRST: Final = 12_000
COUNT: Final = 10_000

_random: Final = random.SystemRandom()  # Hypothesis gives every process the same numbers of the usual one


def free_port(beside: int = 0) -> int:
    """One that nobody listens on; with ``beside`` the one that lies so far above is free too."""
    while True:
        port = _random.randrange(FIRST, FIRST + COUNT)
        with socket.socket() as one, socket.socket() as other, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            if beside:
                other.bind(("127.0.0.1", port + beside))
            return port
