"""The end of a subscription and the news of its beginning: what others in a channel, and the application, are told."""

from typing import TYPE_CHECKING

from vagus.kernel import codes
from vagus.kernel.errors import BrokerError

from .journal import log

if TYPE_CHECKING:
    from .client import Client
    from .hub import Hub
    from .subscription import Subscription
    from .topic import Topic


async def announce(hub: "Hub", client: "Client", subscription: "Subscription") -> None:
    """Tell others that a client follows a channel now, unless that has ended already."""
    if client.subscriptions.get(subscription.channel) is not subscription:
        return
    subscription.is_announced = True
    info = client.info(subscription.info)
    try:
        if subscription.gives_presence:
            await hub.broker.enter(subscription.channel, info)
        if subscription.gives_join_leave:
            await hub.broker.announce(subscription.channel, info, joined=True)
    except BrokerError as error:  # the subscription stands, and others see it once the broker is back
        hub.excuse(error)
    hub.tell(hub.hooks.subscribe, client.caller, subscription.channel)


def release(hub: "Hub", client: "Client", subscription: "Subscription", *, settle: bool) -> None:
    """End a subscription. With ``settle``, what is due to the client still goes to it."""
    if client.subscriptions.get(subscription.channel) is not subscription:
        return
    del client.subscriptions[subscription.channel]
    topic, wishes = subscription.topic, subscription.wishes
    subscription.stop_holding()
    if wishes is not None:
        topic.leave(client, wishes, settle=settle)
    if subscription.hears_join_leave is not None:
        topic.leave_notices(client, subscription.hears_join_leave, settle=settle)
    hub.leave_topic(topic)
    if subscription.is_announced:
        hub.run(_retract(hub, client, subscription))


async def _retract(hub: "Hub", client: "Client", subscription: "Subscription") -> None:
    try:
        if subscription.gives_presence:
            await hub.broker.exit(subscription.channel, client.id)
        if subscription.gives_join_leave:
            await hub.broker.announce(subscription.channel, client.info(subscription.info), joined=False)
    except BrokerError as error:
        hub.excuse(error)
    hub.tell(hub.hooks.unsubscribe, client.caller, subscription.channel)


def tell_gap(hub: "Hub", topic: "Topic") -> None:
    """Publications were lost on the way here: positioned subscribers are told, and recover."""
    log.warning("gap_found", channel=topic.channel)
    for member in topic.positioned:
        client = hub.clients.get(member.id)
        subscription = client.subscriptions.get(topic.channel) if client is not None else None
        if client is None or subscription is None:
            continue
        if subscription.is_attached:
            client.disconnect(codes.INSUFFICIENT_STATE)
        else:
            client.end(subscription, codes.INSUFFICIENT)
