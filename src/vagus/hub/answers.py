"""What each command does: one function a command, over a hub and a client.

A function returns the reply or raises: ``RefusedError`` is answered as an error, ``DisconnectError`` closes, anything
else is our bug or the application's, logged and answered as an internal error. Where something must follow the reply
(who joined, what was published meanwhile), the function sends the reply itself and returns ``None``.
"""

from typing import TYPE_CHECKING, Final, assert_never

import msgspec

from vagus.kernel import codes, commands, replies
from vagus.kernel.channels import Match
from vagus.kernel.commands import Command
from vagus.kernel.errors import BrokerError, DisconnectError, RefusedError
from vagus.kernel.history import Query
from vagus.kernel.permissions import is_allowed
from vagus.kernel.publications import NOTHING, Json
from vagus.kernel.replies import Reply

from .attaching import attach, check_wishes
from .client import Client
from .connecting import connect, refresh, sub_refresh
from .functions import Callee, Given
from .journal import log
from .membership import release
from .publishing import publish

if TYPE_CHECKING:
    from .hub import Hub


FREE_TYPE: Final = 0
"""The only kind of channel here; the others are the native protocol's maps and polls."""


async def answer(hub: "Hub", client: Client, number: int, command: Command) -> None:
    """Carry a command out and answer it. Never raises."""
    hub.figures.commands[type(command).__name__] += 1
    try:
        reply = await _carry_out(hub, client, number, command)
        if reply is not None:
            client.reply(number, reply)
    except RefusedError as error:
        client.reply(number, error.fault)
    except DisconnectError as error:
        client.disconnect(error.closure)
    except BrokerError as error:
        log.warning("broker_failed", command=type(command).__name__, error=str(error))
        client.reply(number, codes.UNAVAILABLE)
    except Exception:
        log.exception("command_failed", command=type(command).__name__, client=client.id)
        client.reply(number, codes.INTERNAL)


async def _carry_out(hub: "Hub", client: Client, number: int, command: Command) -> Reply | None:
    match command:
        case commands.Publish():
            return await publish(hub, client, command)
        case commands.Call():
            return await call_method(hub, client, command)
        case commands.Subscribe():
            await subscribe(hub, client, number, command)
        case commands.Unsubscribe():
            return unsubscribe(hub, client, command)
        case commands.Connect():
            await connect(hub, client, number, command)
        case commands.Presence():
            await _may_read(hub, client, command.channel, presence=True)
            return replies.PresenceResult(await hub.broker.presence(command.channel))
        case commands.PresenceStats():
            await _may_read(hub, client, command.channel, presence=True)
            return await hub.broker.presence_stats(command.channel)
        case commands.History():
            return await history(hub, client, command)
        case commands.Send():
            await send(hub, client, command)
        case commands.Refresh():
            return await refresh(hub, client, command)
        case commands.SubRefresh():
            return await sub_refresh(hub, client, command)
        case commands.Invoke():
            return await invoke(hub, client, number, command)
        case commands.Pong() | commands.Answer() | commands.StreamItem() | commands.StreamEnd() | commands.Cancel():
            pass  # taken by the client itself
        case _:
            assert_never(command)
    return None


async def subscribe(hub: "Hub", client: Client, number: int, command: commands.Subscribe) -> None:
    channel = command.channel
    if not channel:
        raise DisconnectError(codes.MALFORMED)
    match = hub.match(channel)
    if channel in client.subscriptions:
        raise RefusedError(codes.ALREADY_SUBSCRIBED)
    if len(client.subscriptions) >= hub.limits.channels:
        raise RefusedError(codes.LIMIT_EXCEEDED)
    if command.type != FREE_TYPE:
        raise RefusedError(codes.NOT_AVAILABLE)
    wishes = check_wishes(client.encoding, match.rule, command)
    admission = await hub.policies.admit(client, match, command)
    if channel in client.subscriptions:  # the server was quicker while the application thought about it
        raise RefusedError(codes.ALREADY_SUBSCRIBED)
    attachment = await attach(hub, client, match, admission, command, wishes)
    client.reply(number, attachment.begin())
    await attachment.complete()


def unsubscribe(hub: "Hub", client: Client, command: commands.Unsubscribe) -> Reply:
    if not command.channel:
        raise DisconnectError(codes.MALFORMED)
    subscription = client.subscriptions.get(command.channel)
    if subscription is not None:
        release(hub, client, subscription, settle=True)
        client.set_timer()
    return replies.Unsubscribed()


async def _may_read(hub: "Hub", client: Client, channel: str, *, presence: bool) -> Match:
    if not channel:
        raise RefusedError(codes.BAD_REQUEST)
    match = hub.match(channel)
    rule = match.rule
    if not rule.presence if presence else rule.history is None:
        raise RefusedError(codes.NOT_AVAILABLE)
    access = rule.read_presence if presence else rule.read_history
    is_subscribed = channel in client.subscriptions
    if not hub.is_open and not is_allowed(access, client.identity, subscribed=is_subscribed):
        raise RefusedError(codes.PERMISSION_DENIED)
    return match


async def history(hub: "Hub", client: Client, command: commands.History) -> Reply:
    match = await _may_read(hub, client, command.channel, presence=False)
    since = command.since
    if command.reverse and since is not None and since.offset == 0:
        raise RefusedError(codes.BAD_REQUEST)
    limit = command.limit
    if limit < 0 or limit > hub.limits.history:
        limit = hub.limits.history
    assert match.rule.history is not None
    query = Query(limit, since, command.reverse)
    page = await hub.broker.history(command.channel, query, match.rule.history)
    if since is not None and since.epoch and since.epoch != page.top.epoch:
        raise RefusedError(codes.UNRECOVERABLE_POSITION)
    return replies.HistoryResult(page.publications, page.top.epoch, page.top.offset)


async def call_method(hub: "Hub", client: Client, command: commands.Call) -> Reply:
    callee = _callable(hub, client, hub.calls.get(command.method))
    return replies.CallResult(await callee.invoke(client.caller, command.data, hub.limits.answer_s))


def _callable(hub: "Hub", client: Client, callee: Callee | None) -> Callee:
    if callee is None:
        raise RefusedError(codes.METHOD_NOT_FOUND)
    if not hub.is_open and not is_allowed(callee.allow, client.identity):
        raise RefusedError(codes.PERMISSION_DENIED)
    return callee


async def invoke(hub: "Hub", client: Client, number: int, command: commands.Invoke) -> Reply | None:
    """Call with arguments in their order. A stream of results is begun and goes on by itself; so does a call that
    streams feed, for as long as they do.
    """
    streams, caller = command.streams, client.caller
    is_begun = False
    try:
        callee = _callable(hub, client, hub.find_call(command.target))
        given = Given(command.arguments, command.attachments, tuple(client.exchanges.fed(n) for n in streams))
        if command.wants_stream:
            values = callee.stream(caller, given)
            client.exchanges.start(number, values, streams)
            is_begun = True
            return None
        if callee.gives_stream:
            raise RefusedError(codes.GIVES_STREAM)
        if streams:
            client.exchanges.attend(number, callee.apply(caller, given, None), streams)
            is_begun = True
            return None
        result = await callee.apply(caller, given, hub.limits.answer_s)
        return replies.CallResult(result.data, result.attachments)
    finally:
        if streams and not is_begun:
            client.exchanges.forget(streams)


async def send(hub: "Hub", client: Client, command: commands.Send) -> None:
    """An event: ``{"type": …, "payload": …}``. One that nobody handles is ignored, since it asks for no reply."""
    event = event_of(command.data)
    method = hub.events.get(event.type)
    if method is not None and (hub.is_open or is_allowed(method.allow, client.identity)):
        await method.invoke(client.caller, event.payload, hub.limits.answer_s)


class Envelope(msgspec.Struct, frozen=True):
    type: str = ""
    payload: Json = NOTHING


def event_of(data: Json) -> Envelope:
    """Data that is no envelope is an event without a name."""
    try:
        return msgspec.json.decode(data, type=Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Envelope()
