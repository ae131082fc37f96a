"""Tokens of connections and of private channels: refused, expired, renewed."""

import asyncio
import time
from itertools import count
from typing import Any

import pytest

from tests.integration.client.conftest import OpenClient, Serve
from tests.integration.client.following import data
from tests.integration.native.tokens import EXPIRED, FORGED, channel_token, token, verifier
from tests.patience import DEADLINE_S
from vagus import Caller, ChannelRule, Hub, Limits
from vagus.client import Client, DisconnectError, RefusedError
from vagus.kernel.codes import SUBSCRIPTION_EXPIRED

EXPIRED_THERE = channel_token("$secret:a", lasts_s=-60)


def hub_with_secrets(**limits: Any) -> Hub:
    rules = [
        ChannelRule(pattern="{any*}", subscribe=("user",), publish=("user",)),
        ChannelRule(pattern="$secret:{name}", publish=("user",)),
    ]
    hub = Hub(verifier=verifier(), rules=rules, limits=Limits(**limits))

    @hub.call("expires_at", allow=("user",))
    def expires_at(caller: Caller) -> float:
        return caller.identity.expires_at or 0.0

    return hub


async def test_a_forged_token_is_the_end(serve: Serve, open_client: OpenClient) -> None:
    client = await open_client((await serve(hub_with_secrets())).url, token=FORGED)
    with pytest.raises(DisconnectError) as caught:
        await client.ready()
    assert caught.value.closure.code == 3500
    assert (client.status.state, client.status.code, client.status.reason) == ("error", 3500, "invalid token")
    with pytest.raises(DisconnectError):
        await client.subscribe("news").start()
    with pytest.raises(DisconnectError):
        await client.publish("news", 1)


async def test_an_expired_token_is_exchanged(serve: Serve, open_client: OpenClient) -> None:
    given = iter([EXPIRED, token("ada")])
    client = await open_client((await serve(hub_with_secrets())).url, token=EXPIRED, get_token=lambda: next(given))
    async with client.subscribe("news"):
        assert client.status.state == "connected"


async def test_an_expired_token_without_another_is_the_end(serve: Serve, open_client: OpenClient) -> None:
    client = await open_client((await serve(hub_with_secrets())).url, token=EXPIRED)
    with pytest.raises(RefusedError) as caught:
        await client.ready()
    assert caught.value.fault.code == 109


async def test_a_token_is_renewed_before_it_expires(serve: Serve, open_client: OpenClient) -> None:
    asked = count()

    async def get_token() -> str:
        return token(lasts_s=3600 if next(asked) else 1.5)

    server = await serve(hub_with_secrets(expiry_grace_s=DEADLINE_S))
    client = await open_client(server.url, get_token=get_token)
    await client.ready()
    first = client.status.client
    while await client.call("expires_at", returns=float) < time.time() + 3000:  # noqa: ASYNC110 - until it was renewed
        await asyncio.sleep(0.05)
    assert (next(asked), client.status.client) == (2, first)


async def test_a_function_that_fails_is_asked_again(serve: Serve, open_client: OpenClient) -> None:
    tries = count()

    def get_token() -> str:
        if not next(tries):
            raise OSError("no route to the bank")
        return token()

    client = await open_client((await serve(hub_with_secrets())).url, get_token=get_token)
    reasons = [now.reason async for now in _until_connected(client)]
    assert "get_token: OSError: no route to the bank" in reasons


async def _until_connected(client: Client) -> Any:
    async for now in client.watch():
        yield now
        if now.state == "connected":
            return


async def test_no_token_at_all_is_the_end(serve: Serve, open_client: OpenClient) -> None:
    client = await open_client((await serve(hub_with_secrets())).url, get_token=lambda: "")
    with pytest.raises(RefusedError, match="unauthorized"):
        await client.ready()


async def test_a_private_channel_takes_a_token_of_its_own(serve: Serve, open_client: OpenClient) -> None:
    client = await open_client((await serve(hub_with_secrets())).url, token=token())
    async with client.subscribe("$secret:a", token=channel_token("$secret:a")) as secret:
        await client.publish("$secret:a", 1)
        assert await data(secret, 1) == [1]
    with pytest.raises(RefusedError, match="permission denied"):
        await client.subscribe("$secret:a").start()


async def test_a_channels_token_is_renewed_before_it_expires(serve: Serve, open_client: OpenClient) -> None:
    asked = count()

    def get_token() -> str:
        return channel_token("$secret:a", lasts_s=3600 if next(asked) else 1.5)

    server = await serve(hub_with_secrets(expiry_grace_s=DEADLINE_S))
    client = await open_client(server.url, token=token())
    async with client.subscribe("$secret:a", token=EXPIRED_THERE, get_token=get_token) as secret:
        await server.on(renewed(server.hub, client.status.client))
        await client.publish("$secret:a", 1)
        assert await data(secret, 1) == [1]
    assert next(asked) == 2


async def renewed(hub: Hub, client: str) -> None:
    """Wait until a client's only subscription lasts longer than what its first token held."""
    (subscription,) = hub.clients[client].subscriptions.values()
    while subscription.expires_at < hub.loop.time() + 3000:  # noqa: ASYNC110 - the hub has no event for it
        await asyncio.sleep(0.05)


async def test_a_subscription_that_expired_comes_back_with_a_new_token(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(hub_with_secrets())
    asked, asked_again = count(), asyncio.Event()

    def get_token() -> str:
        if next(asked):
            asked_again.set()
        return channel_token("$secret:a", lasts_s=3600)

    client = await open_client(server.url, token=token())
    async with client.subscribe("$secret:a", get_token=get_token) as secret:
        await server.on(server.hub.unsubscribe("$secret:a", client=client.status.client, ending=SUBSCRIPTION_EXPIRED))
        await asked_again.wait()
        await client.publish("$secret:a", 1)
        assert await data(secret, 1) == [1]
