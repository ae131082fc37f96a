"""Who connects, and for how long: the connect command, and the renewal of connections and subscriptions."""

from math import ceil
from typing import TYPE_CHECKING

from vagus.kernel import codes, commands
from vagus.kernel.errors import DisconnectError, RefusedError
from vagus.kernel.identity import Grant, Identity
from vagus.kernel.permissions import is_allowed
from vagus.kernel.replies import Connected, Refreshed, Reply, SubRefreshed, Subscribed
from vagus.kernel.states import Event, State

from .attaching import Attachment, attach, check_wishes
from .client import NEVER, Client
from .journal import log
from .policies import Admission
from .requests import ConnectRequest
from .steps import call

if TYPE_CHECKING:
    from .hub import Hub
    from .sections import Section

MAX_NAME_LENGTH = 16
MAX_VERSION_LENGTH = 64


async def connect(hub: "Hub", client: Client, number: int, command: commands.Connect) -> None:
    if len(command.name) > MAX_NAME_LENGTH or len(command.version) > MAX_VERSION_LENGTH:
        raise DisconnectError(codes.MALFORMED)
    client.become(Event.CONNECT)
    request = _request(client, command)
    try:
        identity = await hub.policies.identify(request)
        section = hub.sections[client.section]
        if not hub.is_open and not is_allowed(section.allow, identity):
            raise RefusedError(codes.PERMISSION_DENIED)
        for hook in (*hub.hooks.connect, *section.connecting):
            await call(hook, request, identity, deadline_s=hub.limits.answer_s)
        if client.state is not State.GREETING:
            return  # gone meanwhile
        client.identity = identity
        hub.remember(client)
        attachments = await _attach_all(hub, client, command)
    except RefusedError as error:
        if client.state is State.GREETING:  # else it is gone, and nobody is there to be told
            client.refuse(number, error.fault)
        return
    if attachments is None:
        return
    _set_expiry(hub, client, identity)
    client.become(Event.ACCEPTED)
    client.reply(number, _connected(hub, client, {channel: a.begin() for channel, a in attachments.items()}))
    client.start_pinging()
    for attachment in attachments.values():
        await attachment.complete()
    await _greet(hub, client, section, request)


async def _greet(hub: "Hub", client: Client, section: "Section", request: ConnectRequest) -> None:
    """Tell the section of its client. One that cannot be served as the application means it to be is sent away."""
    for hook in section.connected:
        try:
            await call(hook, client.caller, request, deadline_s=hub.limits.answer_s)
        except DisconnectError:
            raise
        except RefusedError:
            raise DisconnectError(codes.CONNECTION_DENIED) from None
        except Exception:
            log.exception("greeting_failed", client=client.id, section=section.name)
            raise DisconnectError(codes.SERVER_ERROR) from None


def _request(client: Client, command: commands.Connect) -> ConnectRequest:
    headers = dict(client.origin.headers)
    if command.headers:
        headers = {**{name.lower(): value for name, value in command.headers.items()}, **headers}
    return ConnectRequest(
        client=client.id,
        origin=client.origin,
        token=command.token,
        section=client.section,
        data=command.data,
        headers=headers,
        name=command.name,
        version=command.version,
    )


def _connected(hub: "Hub", client: Client, subs: dict[str, Subscribed]) -> Connected:
    identity, pinging = client.identity, client.pinging
    expires = identity.refreshable and identity.expires_at is not None
    return Connected(
        client=client.id,
        version=hub.version,
        expires=expires,
        ttl=max(1, int((identity.expires_at or 0) - hub.now())) if expires else 0,
        data=identity.data,
        subs=subs or None,
        ping=0 if client.encoding.pings_natively else ceil(pinging.ping_interval_s),
        pong=bool(pinging.ping_interval_s) and not client.encoding.pings_natively,
    )


def _set_expiry(hub: "Hub", client: Client, identity: Identity) -> None:
    if identity.expires_at is None:
        client.expires_at = NEVER
        return
    grace = hub.limits.expiry_grace_s if identity.refreshable else 0.0
    client.expires_at = hub.loop_time(identity.expires_at) + grace


async def _attach_all(hub: "Hub", client: Client, command: commands.Connect) -> dict[str, Attachment] | None:
    """The subscriptions that the server makes, each recovered from where the client says it stood."""
    channels = dict(client.identity.channels)
    personal = hub.personal_channel(client.identity)
    if personal:
        channels.setdefault(personal, Grant())
    if len(channels) > hub.limits.channels:
        raise DisconnectError(codes.CHANNEL_LIMIT)
    attachments: dict[str, Attachment] = {}
    for channel, grant in channels.items():
        wanted = (command.subs or {}).get(channel, commands.Subscribe())
        attachments[channel] = await attach_by_server(hub, client, channel, grant, wanted)
        if client.state is State.CLOSED:
            return None
    return attachments


async def attach_by_server(
    hub: "Hub", client: Client, channel: str, grant: Grant, wanted: commands.Subscribe
) -> Attachment:
    """Subscribe a client on the server's behalf. ``wanted`` holds the position to recover from."""
    match = hub.rules.match(channel)
    if match is None:
        raise RefusedError(codes.UNKNOWN_CHANNEL)
    command = commands.Subscribe(
        channel=channel,
        recover=wanted.recover,
        epoch=wanted.epoch,
        offset=wanted.offset,
        positioned=True,
        recoverable=True,
        join_leave=True,
    )
    wishes = check_wishes(client.encoding, match.rule, command)
    return await attach(hub, client, match, Admission(grant), command, wishes, is_attached=True)


async def refresh(hub: "Hub", client: Client, command: commands.Refresh) -> Reply:
    if not command.token:
        raise DisconnectError(codes.MALFORMED)
    try:
        identity = await hub.policies.identity_from(command.token)
    except RefusedError as error:
        if error.fault is codes.TOKEN_EXPIRED:
            raise DisconnectError(codes.CONNECTION_EXPIRED) from None
        raise
    if identity.user != client.identity.user:
        raise DisconnectError(codes.INVALID_TOKEN)
    if identity.channels.keys() != client.identity.channels.keys():
        raise DisconnectError(codes.INSUFFICIENT_STATE)
    client.identity = identity
    _set_expiry(hub, client, identity)
    client.set_timer()
    expires_at = identity.expires_at
    if expires_at is None:
        return Refreshed()
    return Refreshed(expires=True, ttl=max(1, int(expires_at - hub.now())))


async def sub_refresh(hub: "Hub", client: Client, command: commands.SubRefresh) -> Reply:
    if not command.channel or not command.token:
        raise DisconnectError(codes.MALFORMED)
    subscription = client.subscriptions.get(command.channel)
    if subscription is None:
        raise RefusedError(codes.PERMISSION_DENIED)
    try:
        admission = await hub.policies.admission_from(client, command.channel, command.token)
    except RefusedError as error:
        if error.fault is codes.PERMISSION_DENIED:
            raise DisconnectError(codes.INVALID_TOKEN) from None
        raise
    expires_at = admission.grant.expires_at
    subscription.info = admission.grant.info
    subscription.expires_at = NEVER
    if expires_at is not None:
        subscription.expires_at = hub.loop_time(expires_at) + hub.limits.expiry_grace_s
    client.set_timer()
    if expires_at is None:
        return SubRefreshed()
    return SubRefreshed(expires=True, ttl=max(1, int(expires_at - hub.now())))
