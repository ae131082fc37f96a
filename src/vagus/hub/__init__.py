"""The asyncio heart and the public API: hub, clients, audiences and timers.

Reading order: ``tick``, ``audience``, ``feeds``, ``topic`` (how publications reach subscribers), ``mailbox``,
``wheel``, ``client`` (one connection), ``policies``, ``attaching``, ``connecting``, ``answers`` (what commands do),
``hub``.
"""

from .hub import Hub

__all__ = ["Hub"]
