"""The methods of the server API: one table, from which routes, batches, scopes and documentation are made.

A method is a function from a request of ``messages`` to a result; its docstring is its documentation. What it raises is
answered as an API error. To add a method, write its function and register it with ``serves``.
"""

import binascii
import inspect
from base64 import b64decode
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any, Final, get_type_hints

import msgspec
import structlog
from msgspec import Meta

from vagus.auth.keys import ServiceKey
from vagus.hub.hub import Hub, json_of
from vagus.hub.steps import together
from vagus.hub.vitals import memory_bytes
from vagus.kernel import codes
from vagus.kernel.codes import Closure, Fault
from vagus.kernel.control import Question
from vagus.kernel.errors import BrokerError, RefusedError
from vagus.kernel.history import Query
from vagus.kernel.identity import Grant
from vagus.kernel.publications import Draft, Json, Position
from vagus.kernel.replies import HistoryResult, PresenceResult, PresenceStatsResult

from . import messages
from .messages import Done, Place

log = structlog.get_logger()

NODE_FIGURES: Final = "node figures"
"""What nodes ask each other for ``info``."""

UNAVAILABLE: Final = frozenset(
    """
    map_publish map_remove map_read_state map_read_stream map_stats map_clear shared_poll_publish rpc connections
    update_user_status get_user_status delete_user_status block_user unblock_user revoke_token invalidate_user_tokens
    device_register device_update device_remove device_list device_topic_list device_topic_update user_topic_list
    user_topic_update send_push_notification update_push_status cancel_push
    """.split()
)
"""What Centrifugo's client libraries can ask for besides; it is answered as not available."""


class Call(msgspec.Struct, frozen=True):
    """Where a method works, and with which key it was asked for; ``None`` where no key is needed."""

    hub: Hub
    node_name: str
    key: ServiceKey | None = None


class Failure(msgspec.Struct, frozen=True):
    """Why it was not done. The codes are those that clients are told."""

    code: int
    message: str


class Method(msgspec.Struct, frozen=True):
    """One row of the table. An empty ``scope`` needs a key, but none in particular."""

    name: str
    scope: str
    request: type[msgspec.Struct]
    result: type[msgspec.Struct]
    run: Callable[[Call, Any], Awaitable[msgspec.Struct]]
    doc: str
    example: dict[str, Any]
    group: str


METHODS: Final[dict[str, Method]] = {}


def serves(
    name: str, *, scope: str, group: str, example: dict[str, Any]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter ``async (call, asked: request) -> result`` into the table. ``group`` is a heading of the documentation."""

    def register(run: Callable[..., Any]) -> Callable[..., Any]:
        hints = get_type_hints(run)
        doc = inspect.getdoc(run) or ""
        METHODS[name] = Method(name, scope, hints["asked"], hints["return"], run, doc, example, group)
        return run

    return register


async def carry_out(call: Call, method: Method, asked: Any) -> msgspec.Struct:
    """Run a method, if the key has its scope. Returns the result, or the ``Failure`` to be answered; never raises."""
    if call.key is not None and method.scope and not call.key.allows(method.scope):
        return failure(codes.PERMISSION_DENIED)
    return await _settled(method.name, method.run(call, asked))


async def _settled(name: str, work: Awaitable[msgspec.Struct]) -> msgspec.Struct:
    try:
        return await work
    except RefusedError as error:
        return failure(error.fault)
    except BrokerError as error:
        log.warning("broker_failed", method=name, error=str(error))
        return failure(codes.UNAVAILABLE)
    except Exception:
        log.exception("method_failed", method=name)
    return failure(codes.INTERNAL)


def failure(fault: Fault) -> Failure:
    return Failure(fault.code, fault.message)


# publishing


@serves("publish", scope="publish", group="Publishing", example={"channel": "orders:42", "data": {"status": "paid"}})
async def publish(call: Call, asked: messages.Publish) -> Place:
    """Publish to a channel.

    When the answer comes, the publication is kept and on its way. Without history, `offset` is 0.
    """
    position = (await call.hub.publish_draft(asked.channel, _draft(call, asked))).position
    return Place(position.offset, position.epoch)


@serves(
    "broadcast",
    scope="publish",
    group="Publishing",
    example={"channels": ["orders:42", "orders:43"], "data": {"status": "paid"}},
)
async def broadcast(call: Call, asked: messages.Broadcast) -> messages.Broadcasted:
    """Publish the same data to many channels.

    Each channel has an answer of its own, in the order of the request.
    """
    draft = _draft(call, asked)

    async def one(channel: str) -> msgspec.Struct:
        return (await call.hub.publish_draft(channel, draft)).position

    answers = await together(_settled("broadcast", one(channel)) for channel in asked.channels)
    return messages.Broadcasted([{_side(answer): answer} for answer in answers])


def _side(answer: msgspec.Struct, name: str = "result") -> str:
    return "error" if type(answer) is Failure else name


def _draft(call: Call, asked: messages.Publish | messages.Broadcast) -> Draft:
    data = _json(asked.data, asked.b64data)
    if not data:
        raise _bad("data is missing")
    return Draft(
        data=data,
        tags=asked.tags or None,
        time=call.hub.now_ms(),
        idempotency_key=asked.idempotency_key,
        version=asked.version,
        version_epoch=asked.version_epoch,
        exclude=asked.exclude,
        skip_history=asked.skip_history,
    )


def _json(data: Json, encoded: str) -> Json:
    """Data on one line, detached from the body that it came in, so that history does not hold whole batches."""
    if not encoded:
        return json_of(data.copy())
    try:
        text = b64decode(encoded, validate=True)
        text.decode()
        return json_of(msgspec.json.decode(text, type=msgspec.Raw))
    except (binascii.Error, ValueError, RecursionError):
        raise _bad("the base64 field does not hold JSON") from None


def _bad(why: str) -> RefusedError:
    return RefusedError(Fault(codes.BAD_REQUEST.code, f"{codes.BAD_REQUEST.message}: {why}"))


# steering clients

_Steering = messages.Subscribe | messages.Unsubscribe | messages.Disconnect | messages.Refresh


def _target(asked: _Steering) -> dict[str, Any]:
    """Whom an order means."""
    if not asked.user and not asked.client and not asked.session:
        raise _bad("a user, a client or a session is needed")
    return {"user": asked.user or None, "client": asked.client, "session": asked.session}


@serves("subscribe", scope="subscribe", group="Clients", example={"user": "7", "channel": "orders:42"})
async def subscribe(call: Call, asked: messages.Subscribe) -> Done:
    """Subscribe clients that are connected now, without their asking."""
    since = asked.recover_since
    await call.hub.subscribe(
        asked.channel,
        **_target(asked),
        grant=_grant(asked),
        since=Position(since.offset, since.epoch) if since is not None else None,
    )
    return Done()


def _grant(asked: messages.Subscribe) -> Grant:
    override = asked.override or messages.Override()

    def chosen(option: messages.BoolValue | None) -> bool | None:
        return None if option is None else option.value

    return Grant(
        info=_json(asked.info, asked.b64info),
        data=_json(asked.data, asked.b64data),
        expires_at=asked.expire_at or None,
        presence=chosen(override.presence),
        join_leave=chosen(override.join_leave),
        force_push_join_leave=chosen(override.force_push_join_leave),
        recovery=chosen(override.force_recovery),
        positioning=chosen(override.force_positioning),
    )


@serves("unsubscribe", scope="subscribe", group="Clients", example={"user": "7", "channel": "orders:42"})
async def unsubscribe(call: Call, asked: messages.Unsubscribe) -> Done:
    """End the subscriptions of clients to a channel."""
    if not asked.channel:
        raise _bad("channel is empty")
    await call.hub.unsubscribe(asked.channel, **_target(asked))
    return Done()


@serves("disconnect", scope="disconnect", group="Clients", example={"user": "7"})
async def disconnect(call: Call, asked: messages.Disconnect) -> Done:
    """Close the connections of a user, or one client's."""
    await call.hub.disconnect(**_target(asked), spare=asked.whitelist, closure=_closure(asked.disconnect))
    return Done()


def _closure(wanted: messages.CloseReason | None) -> Closure:
    if wanted is None or not wanted.code:
        return codes.FORCE_DISCONNECT
    if wanted.code < 3000 or len(wanted.reason.encode()) > 123:
        raise _bad("disconnect needs a code from 3000 to 4999 and a reason of at most 123 bytes")
    return Closure(wanted.code, wanted.reason)


@serves("refresh", scope="refresh", group="Clients", example={"user": "7", "expire_at": 1924991999})
async def refresh(call: Call, asked: messages.Refresh) -> Done:
    """Move the time at which connections expire, take it away, or close them as expired."""
    await call.hub.refresh(**_target(asked), expires_at=asked.expire_at or None, expired=asked.expired)
    return Done()


# asking


@serves("presence", scope="presence", group="Channels and nodes", example={"channel": "orders:42"})
async def presence(call: Call, asked: messages.OfChannel) -> PresenceResult:
    """Who follows a channel now: clients by their ids."""
    return PresenceResult(await call.hub.presence(asked.channel))


@serves("presence_stats", scope="presence", group="Channels and nodes", example={"channel": "orders:42"})
async def presence_stats(call: Call, asked: messages.OfChannel) -> PresenceStatsResult:
    """How many clients and users follow a channel now."""
    return await call.hub.presence_stats(asked.channel)


@serves(
    "history",
    scope="history",
    group="Channels and nodes",
    example={"channel": "orders:42", "limit": 10, "reverse": True},
)
async def history(call: Call, asked: messages.History) -> HistoryResult:
    """Publications that a channel keeps, and the position of its newest one.

    Refused with 112 if `since` names an epoch that is over.
    """
    since = None if asked.since is None else Position(asked.since.offset, asked.since.epoch)
    limit = None if asked.limit < 0 else asked.limit
    page = await call.hub.history(asked.channel, Query(limit, since, asked.reverse))
    if since is not None and since.epoch and since.epoch != page.top.epoch:
        raise RefusedError(codes.UNRECOVERABLE_POSITION)
    return HistoryResult(page.publications, page.top.epoch, page.top.offset)


@serves("history_remove", scope="history_remove", group="Channels and nodes", example={"channel": "orders:42"})
async def history_remove(call: Call, asked: messages.OfChannel) -> Done:
    """Forget what a channel keeps. Its offsets go on."""
    await call.hub.remove_history(asked.channel)
    return Done()


@serves("channels", scope="channels", group="Channels and nodes", example={"pattern": "orders:*"})
async def channels(call: Call, asked: messages.Channels) -> messages.ChannelsFound:
    """Channels that have subscribers, on whichever node."""
    found = await call.hub.all_channels(asked.pattern)
    return messages.ChannelsFound({one.name: messages.ChannelFigures(one.num_clients) for one in found})


@serves("info", scope="info", group="Channels and nodes", example={})
async def info(call: Call, asked: messages.Info) -> messages.InfoFound:
    """What the nodes do and how they are."""
    answers = await call.hub.ask_nodes(Question(NODE_FIGURES))
    nodes = (msgspec.json.decode(answer.content, type=messages.NodeFigures) for answer in answers)
    return messages.InfoFound(sorted(nodes, key=lambda node: (node.name, node.uid)))


def answer_for_node(call: Call) -> None:
    """Let this node answer when one of them is asked for ``info``."""

    async def figures(_: bytes) -> bytes:
        return msgspec.json.encode(_figures(call))

    call.hub.answers[NODE_FIGURES] = figures


def _figures(call: Call) -> messages.NodeFigures:
    hub = call.hub
    uptime = max(0.0, hub.now() - hub.started_at)
    return messages.NodeFigures(
        uid=hub.node_id,
        name=call.node_name,
        version=hub.version,
        num_clients=len(hub.clients),
        num_users=hub.num_users,
        num_subs=hub.num_subscriptions,
        num_channels=len(hub.topics),
        uptime=int(uptime),
        metrics=messages.Metrics(uptime, totals(hub)),
        process=messages.Process(call.hub.vitals.cpu_percent, memory_bytes()),
    )


def totals(hub: Hub) -> dict[str, float]:
    """Everything that the hub counts in one number each."""
    figures = hub.figures
    return {name: float(value) for name in figures.__slots__ if isinstance(value := getattr(figures, name), int)}


# many at once

Command: Final = msgspec.defstruct(
    "Command",
    [
        (row.name, Annotated[row.request | None, Meta(description=f"As for `{row.name}`.")], None)
        for row in METHODS.values()
    ],
    frozen=True,
    module=__name__,
)
Command.__doc__ = "One of the fields, named like the method."

_ROWS: Final = tuple(METHODS.values())


class Batch(msgspec.Struct, frozen=True):
    commands: Annotated[list[Command], Meta(description='At most one method each, such as `{"publish": {…}}`.')]  # type: ignore[valid-type]  # made from the table
    parallel: Annotated[bool, Meta(description="Do not wait for one command before the next.")] = False


class Replies(msgspec.Struct, frozen=True):
    """Stands for itself: it is not wrapped in ``result``."""

    replies: Annotated[
        list[Any], Meta(description="For each command, in order: its result under the method's name, or `error`.")
    ]


@serves(
    "batch",
    scope="",
    group="Publishing",
    example={"commands": [{"publish": {"channel": "orders:42", "data": 1}}, {"info": {}}]},
)
async def batch(call: Call, asked: Batch) -> Replies:
    """Carry out many commands in one request.

    Each needs its method's scope and has a reply of its own; one that fails does not stop the others.
    """
    replies: list[dict[str, msgspec.Struct]] = []
    for at_once in [asked.commands] if asked.parallel else _runs(asked.commands):
        replies += await together(_reply(call, command) for command in at_once)
    return Replies(replies)


def _runs(commands: list[Any]) -> Iterator[list[Any]]:
    """Commands in order, those together that keep their order also when they are not waited for: publications."""
    run: list[Any] = []
    for command in commands:
        if command.publish is None:
            yield run
            yield [command]
            run = []
        else:
            run.append(command)
    yield run


async def _reply(call: Call, command: object) -> dict[str, msgspec.Struct]:
    for row in _ROWS:
        asked = getattr(command, row.name)
        if asked is not None:
            answer = await carry_out(call, row, asked)
            return {_side(answer, row.name): answer}
    return {"error": failure(codes.METHOD_NOT_FOUND)}
