"""One story, told to each framework: an order is followed, its status changes over HTTP, and nothing is missed."""

from collections.abc import AsyncIterator

import httpx
import pytest
from centrifuge import CentrifugeError

from tests.examples.driving import Follower, Server, Wire, connected, serving, soon
from tests.patience import DEADLINE_S

EXAMPLES = ("examples.fastapi_app", "examples.starlette_app", "examples.litestar_app", "examples.django_app.asgi")


@pytest.fixture(params=EXAMPLES)
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    async with serving(request.param) as running:
        yield running


async def change_status(server: Server, status: str, order_id: str = "42") -> int:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=DEADLINE_S) as http:
        response = await http.post(f"/orders/{order_id}/status", json={"status": status})
    assert response.is_success, response.text
    offset: int = response.json()["offset"]
    return offset


async def test_what_a_route_publishes_is_received_answered_and_recovered_after_a_cut(server: Server) -> None:
    follower = Follower()
    async with Wire(server.port) as wire, connected(wire.websocket_url, "sesame") as client:
        await follower.follow(client, "orders:42")
        await soon(follower.subscribed.get())
        assert await change_status(server, "paid") == 1
        assert await soon(follower.data.get()) == {"status": "paid"}

        wire.cut()
        assert await change_status(server, "packed") == 2
        assert await change_status(server, "shipped") == 3
        wire.mend()

        again = await soon(follower.subscribed.get())
        assert (again.was_recovering, again.recovered) == (True, True)
        assert [await soon(follower.data.get()) for _ in range(2)] == [{"status": "packed"}, {"status": "shipped"}]

        result = await soon(client.rpc("orders.cancel", {"order_id": "42"}))
        assert result.data == {"order_id": "42", "by": "alice"}
        assert await soon(follower.data.get()) == {"status": "cancelled"}


async def test_what_the_rule_the_types_or_the_token_refuse_is_refused(server: Server) -> None:
    follower = Follower()
    async with Wire(server.port) as wire:
        async with connected(wire.websocket_url, "sesame") as client:
            await follower.follow(client, "orders:43")
            assert (await soon(follower.unsubscribed.get())).code == 103
            with pytest.raises(CentrifugeError, match=r"Expected `str`, got `int` - at `\$\.order_id`"):
                await soon(client.rpc("orders.cancel", {"order_id": 42}))
        async with connected(wire.websocket_url, "a guess") as stranger:
            with pytest.raises(CentrifugeError):
                await soon(stranger.ready())


async def test_a_plain_request_to_the_hub_is_told_to_speak_websocket_or_not_found(server: Server) -> None:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=DEADLINE_S) as http:
        response = await http.get("/connection/websocket")
    assert response.status_code in (404, 426)  # Django answers every http request itself
