"""Centrifugo's own Python library, PyPI ``cent``, unmodified, against a real server: every method that we serve.

The server runs in a thread with its own event loop. A client of the native protocol is connected where a method acts on
clients, so that its effect is seen and not only its answer.
"""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import cent
import pytest
import uvicorn
from centrifuge import Client, ClientState, ServerSubscribedContext, ServerUnsubscribedContext

from tests.patience import DEADLINE_S
from vagus.api.app import api_app
from vagus.auth.keys import KeyRing, KeyRow
from vagus.gateway.asgi import asgi_app
from vagus.hub import Hub
from vagus.hub.requests import ConnectRequest
from vagus.kernel.channels import ChannelRule, Last
from vagus.kernel.identity import Identity
from vagus.kernel.permissions import ANYONE

UNKNOWN = cent.PublishRequest(channel="nope", data=1)


def furnished_hub() -> Hub:
    rule = ChannelRule(pattern="orders:{id}", history=Last(100, hours=1), presence=True, subscribe=(ANYONE,))
    hub = Hub(rules=[rule])

    @hub.authenticate
    def who(request: ConnectRequest) -> Identity:
        return Identity(user="ada")

    return hub


def whole_application(hub: Hub) -> Callable[..., Any]:
    """The API for HTTP, the gateway for sockets; the gateway's lifespan is the hub's."""
    rows = [
        KeyRow(name="all", secret="all", scopes=frozenset("*")),
        KeyRow(name="publisher", secret="publisher", scopes=frozenset({"publish"})),
    ]
    keys = KeyRing.from_rows(rows, now=time.time)
    api, gateway = api_app(hub, keys=keys, node_name="node-1"), asgi_app(hub)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await (api if scope["type"] == "http" else gateway)(scope, receive, send)

    return application


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server on a port that the system chose. Its socket listens already, so nobody need wait for it."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        whole_application(furnished_hub()), log_level="warning", access_log=False, ws="websockets-sansio", lifespan="on"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture
def client(address: str) -> Iterator[cent.Client]:
    with cent.Client(f"http://{address}/api", "all", timeout=DEADLINE_S) as client:
        yield client


@pytest.fixture
async def async_client(address: str) -> AsyncIterator[cent.AsyncClient]:
    async with cent.AsyncClient(f"http://{address}/api", "all", timeout=DEADLINE_S) as client:
        yield client


@pytest.fixture
async def ada(address: str) -> AsyncIterator[Client]:
    """A connected client of the native protocol."""
    client = Client(f"ws://{address}/connection/websocket", timeout=DEADLINE_S)
    await client.connect()
    await client.ready()
    yield client
    await client.disconnect()


def test_a_publication_is_numbered_and_kept(client: cent.Client) -> None:
    channel = "orders:sync"
    first = client.publish(cent.PublishRequest(channel=channel, data={"n": 1}, tags={"region": "eu"}))
    second = client.publish(cent.PublishRequest(channel=channel, data={"n": 2}))
    assert (first.offset, second.offset) == (1, 2)
    assert first.epoch == second.epoch != ""
    page = client.history(cent.HistoryRequest(channel=channel, limit=-1))
    assert [(one.offset, one.data, one.tags) for one in page.publications] == [
        (1, {"n": 1}, {"region": "eu"}),
        (2, {"n": 2}, None),
    ]


def test_options_of_a_publication_are_taken(client: cent.Client) -> None:
    channel = "orders:options"
    keyed = cent.PublishRequest(channel=channel, data=1, idempotency_key="k")
    assert client.publish(keyed) == client.publish(keyed)
    client.publish(cent.PublishRequest(channel=channel, data=2, skip_history=True))
    client.publish(cent.PublishRequest(channel=channel, data=None, b64data="eyJuIjozfQ=="))
    page = client.history(cent.HistoryRequest(channel=channel, limit=-1, reverse=True))
    assert [one.data for one in page.publications] == [{"n": 3}, 1]


def test_a_broadcast_answers_for_each_channel(client: cent.Client) -> None:
    result = client.broadcast(cent.BroadcastRequest(channels=["orders:b1", "nope"], data=1))
    good, bad = result.responses
    assert good.error is None
    assert good.result is not None
    assert good.result.offset == 1
    assert bad.error is not None
    assert bad.error.code == 102


def test_history_is_read_from_a_position_and_removed(client: cent.Client) -> None:
    channel = "orders:history"
    requests = [cent.PublishRequest(channel=channel, data=number) for number in range(3)]
    *_, top = [client.publish(request) for request in requests]
    empty = client.history(cent.HistoryRequest(channel=channel))
    assert (empty.publications, empty.offset, empty.epoch) == ([], top.offset, top.epoch)
    since = cent.StreamPosition(offset=1, epoch=top.epoch)
    page = client.history(cent.HistoryRequest(channel=channel, limit=10, since=since))
    assert [one.data for one in page.publications] == [1, 2]
    client.history_remove(cent.HistoryRemoveRequest(channel=channel))
    assert client.history(cent.HistoryRequest(channel=channel, limit=-1)).publications == []


def test_info_tells_of_the_node(client: cent.Client) -> None:
    (node,) = client.info(cent.InfoRequest()).nodes
    assert node.name == "node-1"
    assert node.process is not None
    assert node.process.rss > 0
    assert node.metrics is not None
    assert node.metrics.items["published"] >= 0


@pytest.mark.parametrize("parallel", [False, True])
def test_a_batch_answers_in_order(client: cent.Client, parallel: bool) -> None:
    channel = f"orders:batch-{parallel}"
    requests = [
        cent.PublishRequest(channel=channel, data=1),
        cent.PublishRequest(channel=channel, data=2),
        cent.HistoryRequest(channel=channel, limit=1),
        cent.PresenceStatsRequest(channel=channel),
        cent.ChannelsRequest(),
    ]
    first, second, page, stats, channels = client.batch(cent.BatchRequest(requests=requests, parallel=parallel)).replies
    assert isinstance(first, cent.PublishResult)
    assert isinstance(second, cent.PublishResult)
    assert isinstance(page, cent.HistoryResult)
    assert isinstance(stats, cent.PresenceStatsResult)
    assert isinstance(channels, cent.ChannelsResult)
    assert (first.offset, second.offset, page.publications[0].data, stats.num_clients) == (1, 2, 1, 0)


def test_an_error_has_its_code_and_message(client: cent.Client) -> None:
    with pytest.raises(cent.CentApiResponseError) as caught:
        client.publish(UNKNOWN)
    assert (caught.value.code, caught.value.message) == (102, "unknown channel")


def test_a_wrong_key_is_unauthorized(address: str) -> None:
    for key in ("", "wrong"):
        with (
            cent.Client(f"http://{address}/api", key, timeout=DEADLINE_S) as client,
            pytest.raises(cent.CentUnauthorizedError),
        ):
            client.info(cent.InfoRequest())


def test_a_key_without_the_scope_is_denied(address: str) -> None:
    with cent.Client(f"http://{address}/api", "publisher", timeout=DEADLINE_S) as client:
        assert client.publish(cent.PublishRequest(channel="orders:scope", data=1)).offset == 1
        with pytest.raises(cent.CentApiResponseError) as caught:
            client.info(cent.InfoRequest())
    assert caught.value.code == 103


def test_what_we_do_not_serve_is_not_available(client: cent.Client) -> None:
    calls: list[Callable[[], object]] = [
        lambda: client.connections(cent.ConnectionsRequest(user="ada", expression="")),
        lambda: client.block_user(cent.BlockUserRequest(user="ada")),
        lambda: client.update_user_status(cent.UpdateUserStatusRequest(users=["ada"])),
        lambda: client.device_list(cent.DeviceListRequest()),
    ]
    for call in calls:
        with pytest.raises(cent.CentApiResponseError) as caught:
            call()
        assert caught.value.code == 108


async def test_the_asynchronous_client_publishes_and_reads(async_client: cent.AsyncClient) -> None:
    channel = "orders:async"
    result = await async_client.publish(cent.PublishRequest(channel=channel, data="é✓"))
    assert result.offset == 1
    sent = await async_client.broadcast(cent.BroadcastRequest(channels=[channel], data=2))
    assert sent.responses[0].result is not None
    page = await async_client.history(cent.HistoryRequest(channel=channel, limit=-1))
    assert [one.data for one in page.publications] == ["é✓", 2]
    await async_client.history_remove(cent.HistoryRemoveRequest(channel=channel))
    assert (await async_client.info(cent.InfoRequest())).nodes[0].num_clients == 0
    batch = await async_client.batch(cent.BatchRequest(requests=[cent.PublishRequest(channel=channel, data=3)]))
    assert isinstance(batch.replies[0], cent.PublishResult)


async def test_the_asynchronous_client_hears_of_errors(address: str, async_client: cent.AsyncClient) -> None:
    with pytest.raises(cent.CentApiResponseError):
        await async_client.publish(UNKNOWN)
    async with cent.AsyncClient(f"http://{address}/api", "wrong", timeout=DEADLINE_S) as stranger:
        with pytest.raises(cent.CentUnauthorizedError):
            await stranger.publish(UNKNOWN)


async def test_a_client_is_subscribed_seen_unsubscribed_and_closed(async_client: cent.AsyncClient, ada: Client) -> None:
    channel = "orders:steered"
    news: asyncio.Queue[object] = asyncio.Queue()
    ada.events.on_subscribed = news.put
    ada.events.on_unsubscribed = news.put
    ada.events.on_publication = news.put
    ada.events.on_disconnected = news.put

    await async_client.subscribe(cent.SubscribeRequest(user="ada", channel=channel, info={"seat": 1}))
    assert isinstance(await asyncio.wait_for(news.get(), DEADLINE_S), ServerSubscribedContext)
    presence = (await async_client.presence(cent.PresenceRequest(channel=channel))).presence
    assert [(info.user, info.chan_info) for info in presence.values()] == [("ada", {"seat": 1})]
    stats = await async_client.presence_stats(cent.PresenceStatsRequest(channel=channel))
    assert (stats.num_clients, stats.num_users) == (1, 1)
    found = (await async_client.channels(cent.ChannelsRequest(pattern="orders:st*"))).channels
    assert {name: one.num_clients for name, one in found.items()} == {channel: 1}

    await async_client.publish(cent.PublishRequest(channel=channel, data={"n": 1}))
    heard: Any = await asyncio.wait_for(news.get(), DEADLINE_S)
    assert heard.pub.data == {"n": 1}
    await async_client.unsubscribe(cent.UnsubscribeRequest(user="ada", channel=channel))
    assert isinstance(await asyncio.wait_for(news.get(), DEADLINE_S), ServerUnsubscribedContext)

    (client,) = presence
    await async_client.refresh(cent.RefreshRequest(user="ada", client=client, expire_at=int(time.time()) + 60))
    farewell = cent.Disconnect(code=4501, reason="enough")
    await async_client.disconnect(cent.DisconnectRequest(user="ada", disconnect=farewell))
    gone: Any = await asyncio.wait_for(news.get(), DEADLINE_S)
    assert (gone.code, gone.reason) == (4501, "enough")
    assert ada.state is ClientState.DISCONNECTED


async def test_an_expired_client_is_told_so(async_client: cent.AsyncClient, ada: Client) -> None:
    closed: asyncio.Queue[Any] = asyncio.Queue()
    ada.events.on_connecting = closed.put
    await async_client.refresh(cent.RefreshRequest(user="ada", expired=True))
    assert (await asyncio.wait_for(closed.get(), DEADLINE_S)).code == 3005
