"""``GET /metrics``: what the hub counts, in Prometheus' text form or OpenMetrics, whichever is asked for.

Nothing is counted here. A collector reads the hub's figures when somebody asks, so that the fast path does not know of
it. Labels are codes, never channels or users: there would be too many.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from vagus.asgi import Response
from vagus.hub.hub import Hub
from vagus.hub.vitals import cpu_seconds, memory_bytes

TOTALS: Final = {
    "connections": "Clients that were let in.",
    "subscriptions": "Subscriptions that were made.",
    "received_bytes": "Bytes of messages from clients.",
    "published": "Publications taken from clients and servers.",
    "delivered": "Publications handed to subscribers.",
    "dropped": "Publications that subscribers did not get because they read too slowly.",
    "slow": "Clients that read too slowly.",
    "recovered": "Subscriptions that got everything they had missed.",
    "unrecovered": "Subscriptions that were told that they missed something.",
}
"""Counters of one number, by their names in the hub's figures."""

BROKER_TOTALS: Final = {
    "reconnections": "Connections to the broker that were lost and made anew.",
    "caught_up": "Publications that did not come by themselves and were read again.",
    "lost": "Channels of which subscribers were told that publications are lost.",
}

CODED: Final = {
    "commands": ("command", "Commands from clients."),
    "closures": ("code", "Connections closed by the server."),
    "endings": ("code", "Subscriptions ended by the server."),
    "faults": ("code", "Commands answered with an error."),
}
"""Counters with a label."""


class HubCollector(Collector):
    """Reads a hub's figures as they are in the moment of asking."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterable[Metric]:
        build = {"version": self._hub.version, "node": self._hub.node_id}
        yield InfoMetricFamily("vagus_build", "What runs here.", build)
        yield from self._counters()
        yield from self._gauges()

    def _counters(self) -> Iterator[Metric]:
        figures = self._hub.figures
        for name, text in TOTALS.items():
            yield CounterMetricFamily(f"vagus_{name}", text, getattr(figures, name))
        for name, (label, text) in CODED.items():
            family = CounterMetricFamily(f"vagus_{name}", text, labels=[label])
            for value, count in sorted(getattr(figures, name).items()):
                family.add_metric([str(value)], count)
            yield family
        yield CounterMetricFamily("vagus_process_cpu_seconds", "Processor time used.", cpu_seconds())
        broker = self._hub.broker.condition
        for name, text in BROKER_TOTALS.items():
            yield CounterMetricFamily(f"vagus_broker_{name}", text, getattr(broker, name))

    def _gauges(self) -> Iterator[Metric]:
        hub, lag = self._hub, self._hub.vitals.lag
        yield GaugeMetricFamily("vagus_clients", "Clients connected to this node.", len(hub.clients))
        yield self._by_dialect()
        yield GaugeMetricFamily("vagus_users", "Users with a client here.", hub.num_users)
        yield GaugeMetricFamily("vagus_active_subscriptions", "Subscriptions held here.", hub.num_subscriptions)
        yield GaugeMetricFamily("vagus_channels", "Channels with subscribers here.", len(hub.topics))
        broker = hub.broker.condition
        yield GaugeMetricFamily("vagus_broker_up", "Whether the broker carries what it is given.", int(broker.is_up))
        yield GaugeMetricFamily("vagus_broker_lag_seconds", "From this node through the broker and back.", broker.lag_s)
        yield GaugeMetricFamily("vagus_nodes", "Nodes that are alive.", broker.nodes)
        late = GaugeMetricFamily("vagus_loop_lag_seconds", "How late the loop ran, last ten seconds.", labels=["stat"])
        late.add_metric(["median"], lag.median)
        late.add_metric(["max"], lag.highest)
        yield late
        yield GaugeMetricFamily("vagus_uptime_seconds", "Since the start.", max(0.0, hub.now() - hub.started_at))
        yield GaugeMetricFamily("vagus_process_resident_memory_bytes", "Memory in use.", memory_bytes())

    def _by_dialect(self) -> Metric:
        """Counted when somebody asks, a few milliseconds for ten thousand clients."""
        spoken = Counter(
            (client.encoding.dialect.name, client.origin.transport) for client in self._hub.clients.values()
        )
        text = "Clients connected to this node, by what they speak and over what."
        family = GaugeMetricFamily("vagus_clients_by_dialect", text, labels=["dialect", "transport"])
        for labels, count in sorted(spoken.items()):
            family.add_metric(labels, count)
        return family


def registry_of(hub: Hub) -> CollectorRegistry:
    """A registry with the hub's collector; others may be registered in it as well."""
    registry = CollectorRegistry()
    registry.register(HubCollector(hub))
    return registry


def metrics_response(registry: CollectorRegistry, accept: str) -> Response:
    encode, content_type = choose_encoder(accept)
    return Response(200, encode(registry), content_type.encode(), ((b"cache-control", b"no-store"),))
