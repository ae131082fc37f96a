"""Responses that go on behind ASGI servers that are not ours, with the hub mounted as an application."""

import asyncio

import msgspec
import pytest

from tests.integration.test_asgi import SERVERS, Serving
from tests.patience import DEADLINE_S
from vagus import Hub, asgi_app

from .incoming import Incoming


@pytest.fixture(params=SERVERS)
def serving(request: pytest.FixtureRequest) -> Serving:
    return SERVERS[request.param]


async def test_channels_are_listened_to(serving: Serving) -> None:
    hub = Hub(open_to_all=True)
    async with serving(asgi_app(hub)) as port:
        reader = await Incoming.get(port, "/events?channel=a")
        await hub.publish("a", 1)
        event = await reader.event()
        reader.drop()
        await hub.publish("a", 2)
        back = await Incoming.get(port, "/mounted/events?channel=a", last_event_id=event["id"])
        assert back.status == 404
        back.drop()
        back = await Incoming.get(port, "/events?channel=a", last_event_id=event["id"])
        assert await back.data(1) == [2]
        back.drop()


async def test_the_native_dialect_is_spoken(serving: Serving) -> None:
    hub, gone = Hub(open_to_all=True), asyncio.Event()
    hub.on_disconnect(lambda caller, closure: gone.set())
    async with serving(asgi_app(hub)) as port:
        stream = await Incoming.post(port, "/connection/http_stream", b'{"id":1,"connect":{}}')
        session = (await stream.json())["connect"]
        command = '{"id":2,"subscribe":{"channel":"a"}}'
        body = {"session": session["session"], "node": session["node"], "data": command}
        answer = await Incoming.post(port, "/emulation", body)
        assert answer.status == 204
        answer.drop()
        assert (await stream.json())["id"] == 2
        await hub.publish("a", 1)
        assert (await stream.json())["push"]["pub"]["data"] == 1
        stream.drop()
        await asyncio.wait_for(gone.wait(), DEADLINE_S)


async def test_refusals_are_problem_documents(serving: Serving) -> None:
    async with serving(asgi_app(Hub(allow_anonymous=True))) as port:
        reader = await Incoming.get(port, "/events?channel=a")
        assert (reader.status, msgspec.json.decode(await reader.rest())["code"]) == (404, 102)
        reader.drop()


async def test_the_end_of_the_hub_ends_them(serving: Serving) -> None:
    hub = Hub(open_to_all=True)
    async with serving(asgi_app(hub)) as port:
        reader = await Incoming.get(port, "/events?channel=a")
        await reader.block()
        (client,) = hub.clients
        await hub.disconnect(client=client)
        assert (await reader.event())["event"] == "disconnect"
        assert (await reader.rest()).strip() == b""
        reader.drop()
