"""What the hub counts about itself. Plain integers, so that counting on the fast path costs next to nothing."""

from collections import Counter


class Figures:
    """Totals since the start. ``closures``, ``endings`` and ``faults`` count by their codes."""

    __slots__ = (
        "closures",
        "commands",
        "connections",
        "delivered",
        "dropped",
        "endings",
        "faults",
        "published",
        "received_bytes",
        "recovered",
        "slow",
        "subscriptions",
        "unrecovered",
    )

    def __init__(self) -> None:
        self.connections = 0
        self.subscriptions = 0
        self.commands: Counter[str] = Counter()
        self.received_bytes = 0
        self.published = 0
        self.delivered = 0
        self.dropped = 0
        self.slow = 0
        self.recovered = 0
        self.unrecovered = 0
        self.closures: Counter[int] = Counter()
        self.endings: Counter[int] = Counter()
        self.faults: Counter[int] = Counter()
