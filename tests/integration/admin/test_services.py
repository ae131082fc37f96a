"""ADM-4: an application of one's own broadcasts through the service interface, in the process of the server."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.integration.admin.conftest import OpenDashboard
from tests.integration.admin.house import House

APPLICATION: Final = """
from vagus import Hub
from vagus.apps.admin import Alert, install

hub = Hub()
admin = install(hub)

@hub.call("orders.pay")
async def pay(caller):
    alert = Alert(severity="error", title="Payment failed", source="shop")
    return await admin.broadcasts.alert(alert, by=f"user:{caller.user}")
"""


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "shop_for_admins.py").write_text(APPLICATION)
    house = House(folder, "--app", "shop_for_admins:hub")
    yield house
    house.end()


async def test_adm_4_what_an_application_broadcasts_reaches_dashboards(house: House, dashboard: OpenDashboard) -> None:
    ada, customer = await dashboard(), await dashboard("native", token=house.token("7"))
    await ada.run("join", group="Alerts")
    done = await customer.run("call", method="orders.pay")
    (payload,) = (await ada.expect("event", "Alert"))["args"]
    assert (payload["id"], payload["title"]) == (done["id"], "Payment failed")


async def test_adm_4_the_servers_routes_know_what_the_application_broadcast(
    house: House, dashboard: OpenDashboard
) -> None:
    customer = await dashboard("native", token=house.token("7"))
    await customer.run("call", method="orders.pay")
    async with house.http() as http:
        events = (await http.get("/api/admin/realtime/status")).json()["events"]
    assert events["Alert"] >= 1
