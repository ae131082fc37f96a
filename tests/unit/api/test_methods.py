"""What each method of the server API does to a hub, and what it refuses."""

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from vagus.api.app import Api, api_app
from vagus.api.methods import METHODS
from vagus.broker.memory import MemoryBroker
from vagus.hub import Hub
from vagus.kernel.channels import ChannelRule, Last
from vagus.kernel.errors import BrokerError
from vagus.kernel.publications import Draft, Receipt
from vagus.kernel.replies import Attached, Ended, Renewed
from vagus.testing import Received, World, in_memory

Ask = Callable[..., Any]

BAD_REQUEST, NOT_AVAILABLE, UNKNOWN_CHANNEL = 107, 108, 102


def b64(text: bytes) -> str:
    return base64.b64encode(text).decode()


async def test_a_publication_reaches_subscribers_and_has_a_position(world: World, ask: Ask) -> None:
    ada = await world.connect(user="ada")
    await ada.subscribe("orders:1")
    answer = await ask("publish", {"channel": "orders:1", "data": {"n": 1}, "tags": {"region": "eu"}})
    received = await ada.next_publication()
    assert answer["result"]["offset"] == 1
    assert len(answer["result"]["epoch"]) == 8
    assert (received.data, received.tags) == ({"n": 1}, {"region": "eu"})


async def test_without_history_the_offset_is_0(ask: Ask) -> None:
    assert await ask("publish", {"channel": "plain:1", "data": None}) == {"result": {"offset": 0, "epoch": ""}}


async def test_a_publication_that_skips_history_is_delivered_only(world: World, ask: Ask) -> None:
    ada = await world.connect(user="ada")
    await ada.subscribe("orders:1")
    await ask("publish", {"channel": "orders:1", "data": "passing", "skip_history": True})
    assert (await ada.next_publication()).data == "passing"
    assert (await ask("history", {"channel": "orders:1", "limit": -1}))["result"]["publications"] == []


async def test_the_excluded_client_does_not_get_it(world: World, ask: Ask) -> None:
    ada, bob = await world.connect(user="ada"), await world.connect(user="bob")
    await ada.subscribe("plain:1")
    await bob.subscribe("plain:1")
    await ask("publish", {"channel": "plain:1", "data": 1, "exclude": ada.id})
    assert (await bob.next_publication()).data == 1
    await ada.assert_nothing_more()


async def test_a_repeated_key_and_an_old_version_are_dropped(ask: Ask) -> None:
    keyed = {"channel": "orders:1", "data": 1, "idempotency_key": "k"}
    first = await ask("publish", keyed)
    assert await ask("publish", keyed) == first
    await ask("publish", {"channel": "orders:2", "data": "new", "version": 7})
    await ask("publish", {"channel": "orders:2", "data": "old", "version": 6})
    kept = (await ask("history", {"channel": "orders:2", "limit": -1}))["result"]["publications"]
    assert [publication["data"] for publication in kept] == ["new"]


async def test_data_in_base64_is_json_too(ask: Ask) -> None:
    await ask("publish", {"channel": "orders:1", "b64data": b64(b'{"a":\n 1}')})
    page = await ask("history", {"channel": "orders:1", "limit": 1})
    assert page["result"]["publications"][0]["data"] == {"a": 1}


@pytest.mark.parametrize(
    "body",
    [
        {"channel": "orders:1"},
        {"channel": "", "data": 1},
        {"channel": "orders:" + "x" * 300, "data": 1},
        {"channel": "orders:1", "b64data": "***"},
        {"channel": "orders:1", "b64data": b64(b"\xff\xff")},
        {"channel": "orders:1", "b64data": b64(b"not json")},
        {"channel": "orders:1", "b64data": b64(b'"\xff"')},
        {"channel": "orders:1", "b64data": b64(b"[" * 100_000)},
    ],
)
async def test_what_cannot_be_published_is_a_bad_request(ask: Ask, body: object) -> None:
    assert (await ask("publish", body))["error"]["code"] == BAD_REQUEST


async def test_a_channel_without_a_rule_is_unknown(ask: Ask) -> None:
    unknown = {"error": {"code": UNKNOWN_CHANNEL, "message": "unknown channel"}}
    assert await ask("publish", {"channel": "nope", "data": 1}) == unknown
    assert await ask("history", {"channel": "nope"}) == unknown
    assert await ask("subscribe", {"channel": "nope", "user": "ada"}) == unknown


async def test_a_broadcast_answers_for_each_channel(ask: Ask) -> None:
    channels = ["orders:1", "nope", "plain:1", "orders:1"]
    answer = await ask("broadcast", {"channels": channels, "data": 1})
    first, unknown, plain, again = answer["result"]["responses"]
    assert (first["result"]["offset"], again["result"]["offset"]) == (1, 2)
    assert unknown["error"]["code"] == UNKNOWN_CHANNEL
    assert plain["result"] == {"offset": 0, "epoch": ""}


async def test_data_on_many_lines_is_one_line_for_clients(world: World, http: httpx.AsyncClient) -> None:
    ada = await world.connect(user="ada")
    await ada.subscribe("plain:1")
    body = b'{"channel":"plain:1","data":{\n"text":\r\n"a\\nb"}}'
    await http.post("/api/publish", content=body, headers={"X-API-Key": "all"})
    assert (await ada.next_publication()).data == {"text": "a\nb"}


async def test_the_server_subscribes_and_unsubscribes(world: World, ask: Ask) -> None:
    ada = await world.connect(user="ada")
    assert await ask("subscribe", {"user": "ada", "channel": "orders:1", "data": {"role": "guest"}}) == {"result": {}}
    attached = await ada.next()
    assert isinstance(attached, Attached)
    assert bytes(attached.subscribed.data) == b'{"role":"guest"}'
    await ask("publish", {"channel": "orders:1", "data": 1})
    assert any(isinstance(heard, Received) for heard in await ada.heard())
    assert await ask("unsubscribe", {"user": "ada", "channel": "orders:1"}) == {"result": {}}
    assert any(isinstance(heard, Ended) for heard in await ada.heard())


async def test_a_subscription_may_begin_in_the_past_and_have_its_own_options(world: World, ask: Ask) -> None:
    position = (await ask("publish", {"channel": "orders:1", "data": 1}))["result"]
    await ask("publish", {"channel": "orders:1", "data": 2})
    ada = await world.connect(user="ada")
    wishes = {"recover_since": position, "b64info": b64(b'{"from":"api"}'), "override": {"presence": {"value": True}}}
    await ask("subscribe", {"user": "ada", "client": ada.id, "channel": "orders:1", **wishes})
    attached = await ada.next()
    assert isinstance(attached, Attached)
    assert attached.subscribed.recovered
    assert (await ada.next_publication()).data == 2
    present = (await ask("presence", {"channel": "orders:1"}))["result"]["presence"]
    assert present == {ada.id: {"user": "ada", "client": ada.id, "chan_info": {"from": "api"}}}


async def test_a_user_is_disconnected_but_for_the_clients_that_stay(world: World, ask: Ask) -> None:
    phone, laptop = await world.connect(user="ada"), await world.connect(user="ada")
    closing = {"code": 4500, "reason": "moved"}
    await ask("disconnect", {"user": "ada", "whitelist": [laptop.id], "disconnect": closing})
    closure = await phone.closure()
    assert (closure.code, closure.reason) == (4500, "moved")
    assert laptop.is_open


async def test_the_usual_closure_tells_clients_to_stay_away(world: World, ask: Ask) -> None:
    ada = await world.connect(user="ada")
    await ask("disconnect", {"user": "ada", "client": ada.id, "disconnect": {"code": 0, "reason": ""}})
    assert (await ada.closure()).code == 3503


async def test_expiry_is_moved_or_comes_now(world: World, ask: Ask) -> None:
    ada = await world.connect(user="ada")
    await ask("refresh", {"user": "ada", "expire_at": int(world.hub.now()) + 3600})
    renewed = await ada.next()
    assert isinstance(renewed, Renewed)
    assert renewed.expires
    await ask("refresh", {"user": "ada", "expired": True})
    assert (await ada.closure()).code == 3005


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("subscribe", {"channel": "orders:1"}, BAD_REQUEST),
        ("subscribe", {"channel": "orders:1", "user": "ada", "b64info": "*"}, BAD_REQUEST),
        ("unsubscribe", {"channel": "orders:1"}, BAD_REQUEST),
        ("unsubscribe", {"channel": "", "user": "ada"}, BAD_REQUEST),
        ("disconnect", {}, BAD_REQUEST),
        ("disconnect", {"user": "ada", "disconnect": {"code": 1000}}, BAD_REQUEST),
        ("disconnect", {"user": "ada", "disconnect": {"code": 4500, "reason": "x" * 124}}, BAD_REQUEST),
        ("refresh", {"expired": True}, BAD_REQUEST),
        ("presence", {"channel": "plain:1"}, NOT_AVAILABLE),
        ("presence_stats", {"channel": "plain:1"}, NOT_AVAILABLE),
        ("history", {"channel": "plain:1"}, NOT_AVAILABLE),
        ("history_remove", {"channel": "plain:1"}, NOT_AVAILABLE),
    ],
)
async def test_what_makes_no_sense_is_refused(ask: Ask, name: str, body: object, code: int) -> None:
    assert (await ask(name, body))["error"]["code"] == code


async def test_an_order_for_a_session_that_is_nowhere_touches_nobody(world: World, ask: Ask) -> None:
    ada = await world.connect(user="ada")
    for name in ("subscribe", "unsubscribe"):
        assert await ask(name, {"user": "ada", "session": "s", "channel": "orders:1"}) == {"result": {}}
    for name, more in (("refresh", {"expired": True}), ("disconnect", {})):
        assert await ask(name, {"user": "ada", "session": "s", **more}) == {"result": {}}
    await world.settle()
    assert ada.is_open
    assert not await ada.heard()


async def test_presence_names_and_counts(world: World, ask: Ask) -> None:
    for user in ("ada", "ada", "bob"):
        await (await world.connect(user=user)).subscribe("orders:1")
    present = (await ask("presence", {"channel": "orders:1"}))["result"]["presence"]
    assert sorted(info["user"] for info in present.values()) == ["ada", "ada", "bob"]
    assert await ask("presence_stats", {"channel": "orders:1"}) == {"result": {"num_clients": 3, "num_users": 2}}


async def test_history_is_read_from_any_place_and_side(ask: Ask) -> None:
    positions = [(await ask("publish", {"channel": "orders:1", "data": number}))["result"] for number in range(1, 6)]
    top = positions[-1]

    async def numbers(**query: object) -> list[int]:
        page = (await ask("history", {"channel": "orders:1", **query}))["result"]
        assert {"offset": page["offset"], "epoch": page["epoch"]} == top
        return [publication["data"] for publication in page["publications"]]

    since = {"offset": 3, "epoch": top["epoch"]}
    assert await numbers() == await numbers(limit=0) == []
    assert await numbers(limit=-1) == [1, 2, 3, 4, 5]
    assert await numbers(limit=2) == [1, 2]
    assert await numbers(limit=2, reverse=True) == [5, 4]
    assert await numbers(limit=-1, since=since) == [4, 5]
    assert await numbers(limit=-1, since=since, reverse=True) == [2, 1]
    assert await numbers(limit=-1, since={"offset": 2**53 - 1}) == []


async def test_a_position_of_another_stream_is_unrecoverable(ask: Ask) -> None:
    await ask("publish", {"channel": "orders:1", "data": 1})
    query = {"channel": "orders:1", "limit": -1, "since": {"offset": 1, "epoch": "other"}}
    assert (await ask("history", query))["error"]["code"] == 112


async def test_history_is_removed_and_offsets_go_on(ask: Ask) -> None:
    await ask("publish", {"channel": "orders:1", "data": 1})
    assert await ask("history_remove", {"channel": "orders:1"}) == {"result": {}}
    assert (await ask("history", {"channel": "orders:1", "limit": -1}))["result"]["publications"] == []
    assert (await ask("publish", {"channel": "orders:1", "data": 2}))["result"]["offset"] == 2


async def test_channels_are_found_by_a_glob(world: World, ask: Ask) -> None:
    ada = await world.connect(user="ada")
    for channel in ("orders:1", "orders:2", "plain:1"):
        await ada.subscribe(channel)
    assert len((await ask("channels"))["result"]["channels"]) == 3
    found = await ask("channels", {"pattern": "orders:*"})
    assert found == {"result": {"channels": {"orders:1": {"num_clients": 1}, "orders:2": {"num_clients": 1}}}}


async def test_info_tells_what_the_node_does(world: World, ask: Ask) -> None:
    await (await world.connect(user="ada")).subscribe("orders:1")
    (node,) = (await ask("info"))["result"]["nodes"]
    assert (node["uid"], node["name"], node["version"]) == (world.hub.node_id, "node-1", world.hub.version)
    assert [node[f"num_{what}"] for what in ("clients", "users", "subs", "channels")] == [1, 1, 1, 1]
    assert node["metrics"]["items"]["connections"] == 1
    assert node["process"]["rss"] > 1_000_000


@pytest.mark.parametrize("parallel", [False, True])
async def test_a_batch_answers_each_command_in_order(ask: Ask, parallel: bool) -> None:
    commands = [
        {"publish": {"channel": "orders:1", "data": 1}},
        {"publish": {"channel": "nope", "data": 1}},
        {"history": {"channel": "orders:1", "limit": -1}},
        {},
        {"map_publish": {}},
    ]
    replies = (await ask("batch", {"commands": commands, "parallel": parallel}))["replies"]
    assert [list(reply) for reply in replies] == [["publish"], ["error"], ["history"], ["error"], ["error"]]
    assert replies[2]["history"]["publications"][0]["data"] == 1
    assert [reply["error"]["code"] for reply in replies if "error" in reply] == [UNKNOWN_CHANNEL, 104, 104]


async def test_each_command_of_a_batch_needs_its_own_scope(ask: Ask) -> None:
    commands = [{"publish": {"channel": "plain:1", "data": 1}}, {"disconnect": {"user": "ada"}}]
    replies = (await ask("batch", {"commands": commands}, key="publisher"))["replies"]
    assert "publish" in replies[0]
    assert replies[1]["error"]["code"] == 103


class WaitingBroker(MemoryBroker):
    """Publishes when it is let, as a broker behind a network does."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = 0
        self.all_here = asyncio.Event()

    async def publish(self, channel: str, draft: Draft, keep: Last | None) -> Receipt:
        self.waiting += 1
        if self.waiting == 3:
            self.all_here.set()
        await self.all_here.wait()
        return await super().publish(channel, draft, keep)


@pytest.mark.parametrize("name", ["batch", "broadcast"])
async def test_parallel_commands_wait_for_the_broker_together(http_to: Callable[..., Any], name: str) -> None:
    hub = Hub(rules=[ChannelRule(pattern="plain:{id}")], broker=WaitingBroker())
    channels = [f"plain:{number}" for number in range(3)]
    publishes = [{"publish": {"channel": channel, "data": 1}} for channel in channels]
    bodies = {
        "batch": {"commands": publishes, "parallel": True},
        "broadcast": {"channels": channels, "data": 1},
    }
    async with in_memory(hub), http_to(api_app(hub, keys=None)) as http:
        answer = (await http.post(f"/api/{name}", json=bodies[name])).json()
    assert len(answer.get("replies") or answer["result"]["responses"]) == 3


class BrokenBroker(MemoryBroker):
    """Cannot, and says so in one of two ways."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    async def publish(self, channel: str, draft: Draft, keep: Last | None) -> Receipt:
        raise self.error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (BrokerError("redis://secret@host"), {"code": 120, "message": "temporarily unavailable"}),
        (RuntimeError("a bug"), {"code": 100, "message": "internal server error"}),
    ],
)
async def test_what_breaks_inside_is_told_without_reasons(
    http_to: Callable[..., Any], error: Exception, told: dict[str, Any]
) -> None:
    hub = Hub(rules=[ChannelRule(pattern="plain:{id}")], broker=BrokenBroker(error))
    async with in_memory(hub), http_to(api_app(hub, keys=None)) as http:
        with capture_logs() as logs:
            one = (await http.post("/api/publish", json={"channel": "plain:1", "data": 1})).json()
            many = (await http.post("/api/broadcast", json={"channels": ["plain:1"], "data": 1})).json()
    assert (one, many["result"]["responses"]) == ({"error": told}, [{"error": told}])
    assert [line["method"] for line in logs] == ["publish", "broadcast"]


@pytest.mark.parametrize("name", METHODS)
async def test_the_example_of_every_method_is_taken(name: str, api: Api, ask: Ask) -> None:
    row = METHODS[name]
    assert isinstance(msgspec.json.decode(msgspec.json.encode(row.example), type=row.request), row.request)
    answer = await ask(name, row.example)
    assert "error" not in answer
    assert row.doc
