"""ADM-10: several nodes on one Redis are one hub to dashboards and to those who broadcast."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.admin.conftest import OpenDashboard
from tests.integration.admin.house import House, two_on_redis

pytestmark = pytest.mark.timeout(60)  # two servers, which start one after the other


@pytest.fixture
def houses(tmp_path: Path, installed_program: Callable[[str], Path]) -> Iterator[tuple[House, House]]:
    """Two nodes with the same data folder."""
    with two_on_redis(House, tmp_path, installed_program("redis-server")) as nodes:
        yield nodes


async def test_adm_10_a_broadcast_at_one_node_reaches_the_dashboards_of_all(
    houses: tuple[House, House], dashboard: OpenDashboard
) -> None:
    first, second = houses
    signalr, native = await dashboard(at=second), await dashboard("native", at=second)
    await signalr.run("join", group="Alerts")
    await native.run("follow", channel="alerts")
    await first.say("alert/error", {"title": "Disk full"})
    for peer in (signalr, native):
        assert (await peer.expect("event", "Alert"))["args"][0]["title"] == "Disk full"


async def test_adm_10_every_node_shows_what_was_said_at_any(houses: tuple[House, House]) -> None:
    first, second = houses
    await first.say("broadcast/user-count", {"total": 7, "online": 3})
    async with second.http() as http:
        snapshot = (await http.get("/api/admin/realtime/platform-snapshot")).json()
    assert snapshot["userCount"]["total"] == 7
