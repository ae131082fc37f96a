"""Who follows a channel: presence, its numbers, and the news of coming and going."""

from vagus import ChannelRule, Grant, Hub, Identity

from .conftest import OpenPeer, Serve
from .peers import refusal
from .tokens import channel_token, token, verifier


def hub_with(**options: object) -> Hub:
    rule = ChannelRule(pattern="room", subscribe=("user",), **options)  # type: ignore[arg-type]  # passed through
    return Hub(verifier=verifier(), rules=[rule])


async def test_presence_lists_who_follows(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with(presence=True))
    first, second = [await open_peer(server, connect=False, token=token(user)) for user in ("1", "2")]
    clients = [(await peer.connect())["client"] for peer in (first, second)]
    for peer in (first, second):
        await peer.subscribe("room")
    presence = await first.presence("room")
    assert {client: info["user"] for client, info in presence.items()} == dict(zip(clients, "12", strict=True))
    assert all(info["client"] == client for client, info in presence.items())


async def test_presence_shows_what_tokens_say_of_who_follows(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with(presence=True))
    peer = await open_peer(server, token=token(info=b'{"name":"Al"}'))
    await peer.subscribe("room", token=channel_token("room", info=b'{"seat":7}'))
    (info,) = (await peer.presence("room")).values()
    assert (info["conn_info"], info["chan_info"]) == ({"name": "Al"}, {"seat": 7})


async def test_presence_stats_count_clients_and_users(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with(presence=True))
    peers = [await open_peer(server, token=token(user)) for user in ("1", "1", "2")]
    for peer in peers:
        await peer.subscribe("room")
    assert await peers[0].presence_stats("room") == (3, 2)


async def test_who_unsubscribes_or_is_cut_is_present_no_more(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with(presence=True, join_leave=True))
    watcher, leaver, lost = [await open_peer(server, token=token(user)) for user in "123"]
    await watcher.subscribe("room", join_leave=True)
    for peer in (leaver, lost):
        await peer.subscribe("room")
    await leaver.unsubscribe("room")
    await lost.stop()
    for _ in range(2):
        await watcher.expect("leave", "room")
    assert [info["user"] for info in (await watcher.presence("room")).values()] == ["1"]


async def test_presence_that_is_not_kept_is_not_available(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(hub_with()), token=token())
    await peer.subscribe("room")
    assert await refusal(peer.presence("room")) == 108
    assert await refusal(peer.presence_stats("room")) == 108


async def test_presence_is_for_those_whom_the_rule_names(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(hub_with(presence=True)), token=token())
    assert await refusal(peer.presence("room")) == 103
    await peer.subscribe("room")
    assert len(await peer.presence("room")) == 1


async def test_coming_and_going_is_announced(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with(join_leave=True))
    watcher, visitor = await open_peer(server, token=token("1")), await open_peer(server, token=token("2"))
    await watcher.subscribe("room", join_leave=True)
    assert (await watcher.expect("join", "room"))["info"]["user"] == "1"
    await visitor.subscribe("room")
    assert (await watcher.expect("join", "room"))["info"]["user"] == "2"
    await visitor.unsubscribe("room")
    assert (await watcher.expect("leave", "room"))["info"]["user"] == "2"
    assert visitor.has_seen("join", "room") == []


async def test_coming_is_announced_to_who_did_not_ask_where_the_rule_forces_it(
    serve: Serve, open_peer: OpenPeer
) -> None:
    server = await serve(hub_with(join_leave=True, force_join_leave=True))
    peer = await open_peer(server, token=token("1"))
    await peer.subscribe("room")
    assert (await peer.expect("join", "room"))["info"]["user"] == "1"


async def test_the_application_lets_somebody_in_unseen(serve: Serve, open_peer: OpenPeer) -> None:
    hub = Hub(verifier=verifier())

    @hub.channel("room", presence=True, join_leave=True)
    async def may_follow(identity: Identity) -> Grant | bool:
        return Grant(presence=False, join_leave=False) if identity.user == "ghost" else True

    server = await serve(hub)
    watcher, ghost, visitor = [await open_peer(server, token=token(user)) for user in ("1", "ghost", "2")]
    await watcher.subscribe("room", join_leave=True)
    for peer in (ghost, visitor):
        await peer.subscribe("room")
    assert [(await watcher.expect("join", "room"))["info"]["user"] for _ in range(2)] == ["1", "2"]
    assert sorted(info["user"] for info in (await watcher.presence("room")).values()) == ["1", "2"]
