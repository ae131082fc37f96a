"""How clients connect, and how they are turned away."""

import asyncio

import pytest

from tests.patience import DEADLINE_S, LEISURE
from vagus import ConnectRequest, DisconnectError, Hub, Identity, Limits, Rate, RefusedError
from vagus.kernel import codes

from .conftest import OpenPeer, OpenRaw, Serve
from .tokens import EXPIRED, FORGED, token, verifier


async def test_anybody_connects_to_an_open_hub(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server, connect=False)
    connected = await peer.connect()
    assert list(server.hub.clients) == [connected["client"]]


async def test_a_client_brings_data_and_is_given_some(serve: Serve, open_peer: OpenPeer) -> None:
    hub = Hub()
    requests: list[ConnectRequest] = []

    @hub.authenticate
    def who(request: ConnectRequest) -> Identity:
        requests.append(request)
        return Identity(user="42", data=request.data)

    peer = await open_peer(await serve(hub), connect=False, data={"hello": 1}, name="probe", version="1.2")
    assert (await peer.connect())["data"] == {"hello": 1}
    assert [(request.name, request.version) for request in requests] == [("probe", "1.2")]


async def test_headers_reach_the_application(serve: Serve, open_peer: OpenPeer) -> None:
    hub = Hub()

    @hub.authenticate
    def who(request: ConnectRequest) -> Identity:
        return Identity(user=request.headers["x-team"])

    server = await serve(hub)
    await open_peer(server, headers={"X-Team": "night"})
    assert [client.identity.user for client in server.hub.clients.values()] == ["night"]


async def test_a_token_says_who_connects(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(verifier=verifier()))
    await open_peer(server, token=token("42"))
    assert [client.identity.user for client in server.hub.clients.values()] == ["42"]


async def test_an_expired_token_is_replaced_and_the_client_connects(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(verifier=verifier()))
    peer = await open_peer(server, connect=False, token=EXPIRED, tokens=[token("42")])
    await peer.connect()
    await peer.expect("token_asked")
    assert [client.identity.user for client in server.hub.clients.values()] == ["42"]


async def test_an_expired_token_that_cannot_be_replaced_ends_it(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(verifier=verifier()))
    peer = await open_peer(server, connect=False, token=EXPIRED, tokens=[])
    await peer.start()
    await peer.expect("disconnected", code=1, reason="unauthorized")


@pytest.mark.parametrize("forged", [FORGED, "not a token", token()[:-3]], ids=["forged", "nonsense", "cut"])
async def test_an_invalid_token_ends_it(serve: Serve, open_peer: OpenPeer, forged: str) -> None:
    server = await serve(Hub(verifier=verifier()))
    peer = await open_peer(server, connect=False, token=forged)
    await peer.start()
    await peer.expect("disconnected", code=3500, reason="invalid token")


async def test_no_credentials_end_it(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(verifier=verifier()))
    peer = await open_peer(server, connect=False)
    await peer.start()
    await peer.expect("disconnected", code=3501, reason="bad request")


async def test_the_application_refuses_for_a_reason_of_its_own(serve: Serve, open_peer: OpenPeer) -> None:
    hub = Hub()

    @hub.authenticate
    def who(request: ConnectRequest) -> Identity:
        raise DisconnectError.because(4501, "not on Sundays")

    peer = await open_peer(await serve(hub), connect=False)
    await peer.start()
    await peer.expect("disconnected", code=4501, reason="not on Sundays")


async def test_a_hook_refuses_and_the_client_gives_up(serve: Serve, open_peer: OpenPeer) -> None:
    hub = Hub(open_to_all=True)

    @hub.on_connect
    async def check(request: ConnectRequest, identity: Identity) -> None:
        raise RefusedError.because(1403, "closed today")

    peer = await open_peer(await serve(hub), connect=False)
    await peer.start()
    await peer.expect("disconnected", code=1403, reason="closed today")


async def test_who_leaves_while_it_is_being_refused_is_no_failure(serve: Serve, open_raw: OpenRaw) -> None:
    hub, asked, decided = Hub(), asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    @hub.authenticate
    async def who(request: ConnectRequest) -> Identity:
        loop.call_soon_threadsafe(asked.set)
        await decided.wait()
        raise RefusedError.because(1403, "not you")

    server = await serve(hub)
    raw = await open_raw(server, connect=False)
    await raw.send({"id": 1, "connect": {}})
    await asyncio.wait_for(asked.wait(), DEADLINE_S)
    await raw.close()
    await server.alone()
    hub.loop.call_soon_threadsafe(decided.set)
    await server.stop()  # waits for what still runs
    assert (hub.figures.faults, hub.clients) == ({}, {})


async def test_a_hook_that_refuses_for_now_is_asked_again(serve: Serve, open_peer: OpenPeer) -> None:
    hub, attempts = Hub(open_to_all=True), []

    @hub.on_connect
    async def check(request: ConnectRequest, identity: Identity) -> None:
        attempts.append(request.client)
        if len(attempts) < 3:
            raise RefusedError.because(1503, "in a moment", temporary=True)

    await open_peer(await serve(hub))
    assert len(set(attempts)) == 3


async def test_an_application_that_fails_is_asked_again(serve: Serve, open_peer: OpenPeer) -> None:
    hub, attempts = Hub(), []

    @hub.authenticate
    async def who(request: ConnectRequest) -> Identity:
        attempts.append(request.client)
        if len(attempts) < 3:
            raise ZeroDivisionError
        return Identity(user="42")

    server = await serve(hub)
    await open_peer(server)
    assert (len(set(attempts)), hub.figures.faults[100]) == (3, 2)


async def test_a_busy_server_lets_clients_in_one_after_another(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True, limits=Limits(connecting=Rate(per_s=20, burst=1))))
    for _ in range(3):
        await open_peer(server)
    assert len(server.hub.clients) == 3


async def test_a_full_server_takes_nobody_more(serve: Serve, open_peer: OpenPeer, open_raw: OpenRaw) -> None:
    server = await serve(Hub(open_to_all=True, limits=Limits(connections=1)))
    await open_raw(server)
    peer = await open_peer(server, connect=False)
    await peer.start()
    await peer.expect("disconnected", code=3504, reason="connection limit")


async def test_one_connection_too_many_of_a_user_is_refused(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(verifier=verifier(), limits=Limits(connections_per_user=1)))
    await open_peer(server, token=token("42"))
    second = await open_peer(server, connect=False, token=token("42"))
    await second.start()
    await second.expect("disconnected", code=3504, reason="connection limit")


@pytest.mark.parametrize("too_long", [{"name": "n" * 17}, {"version": "v" * 65}], ids=["name", "version"])
async def test_a_name_or_version_that_is_too_long_ends_it(
    serve: Serve, open_peer: OpenPeer, too_long: dict[str, str]
) -> None:
    peer = await open_peer(await serve(Hub(open_to_all=True)), connect=False, **too_long)
    await peer.start()
    await peer.expect("disconnected", code=3501)


async def test_the_longest_name_and_version_are_taken(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server, connect=False, name="n" * 16, version="v" * 64)
    await peer.connect()


async def test_a_client_that_leaves_is_forgotten(serve: Serve, open_peer: OpenPeer) -> None:
    hub = Hub(open_to_all=True)
    gone: list[str] = []
    hub.on_disconnect(lambda caller, closure: gone.append(caller.client))
    server = await serve(hub)
    peer = await open_peer(server, connect=False)
    client = (await peer.connect())["client"]
    await peer.stop()
    await peer.expect("disconnected", code=0)
    await server.stop()
    assert gone == [client]


async def test_a_client_comes_back_when_its_socket_is_cut(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server)
    await server.cut()
    await peer.expect("connecting", code=1)
    await peer.expect("connected")


async def test_a_client_waits_for_a_server_that_restarts(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server)
    await server.stop()
    await peer.expect("connecting", code=3001, reason="shutdown")
    await server.start(Hub(open_to_all=True))
    await peer.expect("connected")


async def test_the_server_forces_a_client_off_for_good(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(verifier=verifier()))
    peer = await open_peer(server, token=token("42"))
    await server.on(server.hub.disconnect(user="42"))
    await peer.expect("disconnected", code=3503, reason="force disconnect")


async def test_the_server_sends_a_client_round(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(verifier=verifier()))
    peer = await open_peer(server, token=token("42"))
    await server.on(server.hub.disconnect(user="42", closure=codes.FORCE_RECONNECT))
    await peer.expect("connecting", code=3011, reason="force reconnect")
    await peer.expect("connected")


@pytest.mark.parametrize(("code", "kind"), [(4100, "connecting"), (4600, "disconnected")])
async def test_the_application_closes_with_a_code_of_its_own(
    serve: Serve, open_peer: OpenPeer, code: int, kind: str
) -> None:
    server = await serve(Hub(verifier=verifier()))
    peer = await open_peer(server, token=token("42"))
    await server.on(server.hub.disconnect(user="42", closure=codes.Closure(code, "tea time")))
    await peer.expect(kind, code=code, reason="tea time")


async def test_a_client_whose_state_is_invalidated_asks_for_a_new_token(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(verifier=verifier()))
    peer = await open_peer(server, token=token("42"), tokens=[token("42")])
    await server.on(server.hub.disconnect(user="42", closure=codes.STATE_INVALIDATED))
    await peer.expect("connecting", code=3014)
    await peer.expect("token_asked")
    await peer.expect("connected")


async def test_one_of_a_users_clients_may_be_spared(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(verifier=verifier()))
    kept = await open_peer(server, connect=False, token=token("42"))
    client = (await kept.connect())["client"]
    other = await open_peer(server, token=token("42"))
    await server.on(server.hub.disconnect(user="42", spare=[client]))
    await other.expect("disconnected", code=3503)
    assert list(server.hub.clients) == [client]


async def test_a_client_that_does_not_say_who_it_is_is_closed(serve: Serve, open_raw: OpenRaw) -> None:
    server = await serve(Hub(open_to_all=True, limits=Limits(stale_s=0.2)))
    raw = await open_raw(server, connect=False)
    assert await raw.closed() == (3502, "stale")


async def test_a_refused_client_is_not_listened_to_and_closed_in_the_end(serve: Serve, open_raw: OpenRaw) -> None:
    server = await serve(Hub(verifier=verifier(), limits=Limits(stale_s=0.5 * LEISURE)))
    raw = await open_raw(server, connect=False)
    assert await raw.error("connect", token=EXPIRED) == 109
    await raw.send({"id": 2, "subscribe": {"channel": "news"}})
    assert await raw.closed() == (3502, "stale")
    assert raw.pushes == []
