"""What clients publish: one publication a command, or many in one call, ``vagus.publish``.

The call is for clients that keep what they could not send. It carries publications out in their order and stops at the
first that may succeed later, so the answer has as many results as were decided. Each has a key of the client's own
making, so that one whose answer was lost is sent again and made once.
"""

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

from vagus.kernel import codes
from vagus.kernel.codes import Fault
from vagus.kernel.commands import Publish
from vagus.kernel.errors import BrokerError, RefusedError
from vagus.kernel.permissions import ANYONE
from vagus.kernel.publications import NOTHING, Draft, Json, Receipt
from vagus.kernel.replies import Published

from .functions import Method
from .journal import log
from .requests import Caller

if TYPE_CHECKING:
    from .client import Client
    from .hub import Hub

PUBLISH: Final = "vagus.publish"
MOST: Final = 100
"""Publications of one call, which hold up the client's other commands until they are made."""

Tags = Annotated[dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=256)]], Meta(max_length=16)]


class KeyedPublication(msgspec.Struct, frozen=True):
    """One publication of a call. ``key`` names it among those of its user in its channel."""

    channel: str
    data: Json = NOTHING
    key: Annotated[str, Meta(max_length=64)] = ""
    tags: Tags | None = None


class PublicationBatch(msgspec.Struct, frozen=True):
    """Publications in the order in which they are to be made."""

    publications: Annotated[tuple[KeyedPublication, ...], Meta(min_length=1, max_length=MOST)]


class PublicationMade(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a publication stands, by ``epoch`` and ``offset``. ``repeated``: one with its key was there already."""

    offset: int
    epoch: str
    repeated: bool = False


class PublicationRefused(msgspec.Struct, frozen=True):
    """Why a publication was not made."""

    error: Fault


class PublicationResults(msgspec.Struct, frozen=True):
    """One result for each publication, up to and including the first that failed for the moment."""

    results: list[PublicationMade | PublicationRefused]


async def publish(hub: "Hub", client: "Client", command: Publish) -> Published:
    """Carry a client's command out."""
    await _publish(hub, client, command)
    return Published()


def publish_call(hub: "Hub") -> Method:
    """The call ``vagus.publish``, for everybody whom the channels' rules let publish."""

    async def publish_many(caller: Caller, batch: PublicationBatch) -> PublicationResults:
        """Make publications in their order, each once however often its key is sent."""
        client = hub.clients.get(caller.client)
        results: list[PublicationMade | PublicationRefused] = []
        for place, wanted in enumerate(batch.publications):
            if client is None or not client.is_connected:
                break
            if place and not client.is_within_rates():  # the first was counted as the call itself
                results.append(PublicationRefused(codes.TOO_MANY_REQUESTS))
                break
            result = await _result(hub, client, wanted)
            results.append(result)
            if isinstance(result, PublicationRefused) and result.error.temporary:
                break
        return PublicationResults(results)

    return Method(PUBLISH, publish_many, (ANYONE,))


async def _result(hub: "Hub", client: "Client", wanted: KeyedPublication) -> PublicationMade | PublicationRefused:
    key = f"{client.identity.user}\n{wanted.key}" if wanted.key else ""
    try:
        receipt = await _publish(hub, client, Publish(wanted.channel, wanted.data), key, wanted.tags)
    except RefusedError as error:
        return PublicationRefused(error.fault)
    except BrokerError as error:
        log.warning("broker_failed", command=PUBLISH, error=str(error))
        return PublicationRefused(codes.UNAVAILABLE)
    return PublicationMade(receipt.position.offset, receipt.position.epoch, receipt.dropped)


async def _publish(
    hub: "Hub", client: "Client", command: Publish, key: str = "", tags: dict[str, str] | None = None
) -> Receipt:
    if not command.data:
        raise RefusedError(codes.BAD_REQUEST)
    match = hub.match(command.channel)
    await hub.policies.allow_publish(client, match, command)
    subscription = client.subscriptions.get(command.channel)
    draft = Draft(
        data=checked(command.data, is_json=not client.encoding.dialect.binary),
        info=client.info(subscription.info) if subscription is not None else client.info(),
        time=hub.now_ms(),
        tags=tags or None,
        idempotency_key=key,
    )
    receipt = await hub.broker.publish(command.channel, draft, match.rule.history)
    hub.figures.published += 1
    return receipt


def checked(data: Json, *, is_json: bool) -> Json:
    """A client's data as JSON on one line, detached from the message that it came in.

    A dialect in JSON has checked it already; others carry any bytes, of which only JSON may enter a channel.
    """
    text = bytes(data)
    if not is_json:
        try:
            text.decode()
            msgspec.json.decode(text, type=msgspec.Raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise RefusedError(codes.Fault(codes.BAD_REQUEST.code, "bad request: data must be JSON")) from None
    if b"\n" in text or b"\r" in text:
        try:
            text = msgspec.json.format(text, indent=-1)
        except RecursionError:
            raise RefusedError(codes.Fault(codes.BAD_REQUEST.code, "bad request: data is nested too deep")) from None
    return msgspec.Raw(text)
