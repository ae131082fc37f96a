"""The asyncio heart and the public API: hub, clients, audiences and timers.

Reading order: ``tick``, ``audience``, ``feeds``, ``topic`` (how publications reach subscribers), ``mailbox``,
``wheel``, ``membership``, ``client`` (one connection), ``policies``, ``attaching``, ``connecting``,
``publishing``, ``answers`` (what commands do), ``orders``, ``registry``, ``topics``, ``vitals``, ``hub``.
"""

from .hub import Hub

__all__ = ["Hub"]
