"""Orders carried out: what some node asked of all nodes, done to the clients that are here."""

from typing import TYPE_CHECKING, assert_never

import msgspec

from vagus.kernel import codes, commands
from vagus.kernel.control import Attach, Deliver, Detach, Disconnect, Order, Renew
from vagus.kernel.errors import DisconnectError, RefusedError
from vagus.kernel.replies import Attached, Message, Renewed

from .client import NEVER, Client
from .connecting import attach_by_server
from .journal import log

if TYPE_CHECKING:
    from .hub import Hub


def carry_out(hub: "Hub", order: Order) -> None:
    for client in hub.registry.targets(order.target):
        match order:
            case Disconnect():
                client.disconnect(order.closure)
            case Detach():
                subscription = client.subscriptions.get(order.channel)
                if subscription is not None:
                    client.end(subscription, order.ending)
            case Attach():
                hub.run(attach_client(hub, client, order))
            case Renew():
                _renew(hub, client, order)
            case Deliver():
                client.push(Message(order.data))
            case _:
                assert_never(order)


async def attach_client(hub: "Hub", client: Client, order: Attach) -> None:
    """Subscribe a client on the server's behalf, unless it follows the channel already. What stands in the way is

    logged: nobody waits for an order to be carried out everywhere.
    """
    channel, since = order.channel, order.since
    if channel in client.subscriptions or not client.is_connected:
        return
    wanted = commands.Subscribe()
    if since is not None:
        wanted = commands.Subscribe(recover=True, epoch=since.epoch, offset=since.offset)
    try:
        attachment = await attach_by_server(hub, client, channel, order.grant, wanted)
        subscribed = attachment.begin()
    except RefusedError as error:
        log.info("attach_refused", channel=channel, client=client.id, reason=error.fault.message)
        return
    except DisconnectError as error:
        client.disconnect(error.closure)
        return
    dialect = client.encoding_for(channel).dialect
    client.push(Attached(channel, msgspec.structs.replace(subscribed, publications=())))
    for publication in subscribed.publications:  # this push has no place for what was missed
        client.enqueue(dialect.publication(dialect.opening(channel), publication))
    await attachment.complete()


def _renew(hub: "Hub", client: Client, order: Renew) -> None:
    if order.expired:
        client.disconnect(codes.CONNECTION_EXPIRED)
        return
    at = order.expires_at
    client.expires_at = NEVER if at is None else hub.loop_time(at) + hub.limits.expiry_grace_s
    client.set_timer()
    client.push(Renewed(at is not None, 0 if at is None else max(1, int(at - hub.now()))))
