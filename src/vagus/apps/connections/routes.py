"""The HTTP routes of connections, below ``/api/connections``: what is seen of nodes, clients and channels, and one to

disconnect. Viewers see the nodes; reading the rest is for whoever oversees, since it names users and addresses;
disconnecting is for admins. Keys need the scope ``connections``.
"""

from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Annotated, Any, Final, TypeVar

import msgspec
from litestar import Request, Router, get, post
from litestar.exceptions import ClientException, NotFoundException, ServiceUnavailableException
from litestar.openapi.spec import Example
from litestar.params import Body, Parameter
from litestar.status_codes import HTTP_200_OK
from litestar.types import ControllerRouterHandler

from vagus.apps.bodies import JsonBody
from vagus.apps.callers import REFUSALS, SECURITY, Door, HttpCaller
from vagus.kernel import codes
from vagus.kernel.codes import Closure
from vagus.kernel.errors import BrokerError

from .channel import ADMINS, READERS, VIEWERS
from .choosing import (
    CHANNEL_ORDERS,
    CLIENT_ORDERS,
    MAX_CURSOR,
    MAX_PATTERN,
    ChannelsWanted,
    ClientsWanted,
    key_in,
    ordering,
)
from .values import ChannelsPage, ClientsPage, Disconnected, FoundClient, Nodes, SlowClients
from .views import NotFoundError, UnsureError, Views

PATH: Final = "/api/connections"
SCOPE: Final = "connections"
MAX_BODY_BYTES: Final = 16_384
MAX_REASON_BYTES: Final = 123
"""What fits into the closing frame of a WebSocket."""
REASON: Final = "disconnected by an administrator"

T = TypeVar("T")
Caller = Request[HttpCaller, Any, Any]
Limit = Annotated[int, Parameter(ge=1, le=500, description="How many at most.")]
Id = Annotated[str, Parameter(max_length=MAX_PATTERN, description="Of a client.")]


class Disconnect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to disconnect, a client or all clients of a user, and what they are told.

    Client libraries reconnect by themselves after 3000 to 3499 and 4000 to 4499, and do not after the other codes.
    """

    client: Annotated[str, msgspec.Meta(max_length=MAX_PATTERN)] = ""
    user: str = ""
    code: Annotated[int, msgspec.Meta(ge=3000, le=4999)] = codes.FORCE_DISCONNECT.code
    reason: str = REASON

    def __post_init__(self) -> None:
        if bool(self.client) == bool(self.user):
            raise ValueError("give a client or a user")
        if len(self.reason.encode()) > MAX_REASON_BYTES:
            raise ValueError(f"reason has at most {MAX_REASON_BYTES} bytes")
        if not self.reason.isprintable():
            raise ValueError("reason holds no control characters")


def routes(views: Views, door: Door) -> Sequence[ControllerRouterHandler]:
    """The handlers, for these views and behind this door."""
    return [
        Router(
            PATH,
            route_handlers=[_nodes(views, door), *_lists(views, door), _disconnect(views, door)],
            tags=["Connections"],
            dto=JsonBody,
            return_dto=None,
            request_max_body_size=MAX_BODY_BYTES,
        )
    ]


async def _doing(work: Awaitable[T]) -> T:
    """The result, or the refusal that says in HTTP what went wrong."""
    try:
        return await work
    except NotFoundError:
        raise NotFoundException("Nobody like that is connected.") from None
    except UnsureError:
        text = "Nobody like that was found, but not all nodes have answered."
        raise ServiceUnavailableException(text, headers={"retry-after": "2"}) from None
    except BrokerError as error:
        raise ServiceUnavailableException(str(error), headers={"retry-after": "2"}) from None


def _nodes(views: Views, door: Door) -> ControllerRouterHandler:
    @get("/nodes", guards=[door.guard(allow=VIEWERS, scope=SCOPE)], security=SECURITY, raises=REFUSALS)
    async def nodes() -> Nodes:
        """All nodes: how they do, and what comes and goes."""
        return await views.nodes()

    return nodes


def _lists(views: Views, door: Door) -> Sequence[ControllerRouterHandler]:
    guard = door.guard(allow=READERS, scope=SCOPE)
    reading = partial(get, guards=[guard], security=SECURITY, raises=REFUSALS)

    @reading("/clients")
    async def clients(
        node: Annotated[str, Parameter(max_length=64, description="The id of a node.")] = "",
        user: Annotated[str, Parameter(max_length=MAX_PATTERN, description="A name, or a pattern with * and ?.")] = "",
        channel: Annotated[str, Parameter(max_length=MAX_PATTERN, description="One that they follow.")] = "",
        dialect: Annotated[str, Parameter(max_length=MAX_PATTERN, description="Such as centrifuge-json.")] = "",
        slow: Annotated[bool | None, Parameter(description="Only those that read too slowly, or only others.")] = None,
        sort: Annotated[
            str, Parameter(max_length=32, description="A number or text of a row; - before it turns it round.")
        ] = "-connectedAt",
        limit: Limit = 100,
        cursor: Annotated[str, Parameter(max_length=MAX_CURSOR, description="Of the page before.")] = "",
    ) -> ClientsPage:
        """Clients of all nodes, a page at a time. Rates are known from the second look on."""
        try:
            order, descending = ordering(sort, CLIENT_ORDERS)
            after = key_in(cursor, order, descending=descending) if cursor else None
        except ValueError as error:
            raise ClientException(str(error)) from None
        wanted = ClientsWanted(
            user=user,
            channel=channel,
            dialect=dialect,
            slow=slow,
            order=order,
            descending=descending,
            limit=limit,
            after=after,
        )
        return await _doing(views.clients(wanted, node))

    @reading("/clients/{client:str}", raises=[*REFUSALS, NotFoundException])
    async def client(client: Id) -> FoundClient:
        """A client, and all that it follows."""
        return await _doing(views.client(client))

    @reading("/channels")
    async def channels(
        pattern: Annotated[str, Parameter(max_length=MAX_PATTERN, description="Names, with * and ?.")] = "",
        sort: Annotated[
            str,
            Parameter(
                max_length=32,
                description="name, subscribers, publications or publicationsPerSecond; - before it turns it round.",
            ),
        ] = "-subscribers",
        limit: Annotated[int, Parameter(ge=1, le=1000, description="How many at most.")] = 100,
    ) -> ChannelsPage:
        """Channels that somebody follows."""
        try:
            order, descending = ordering(sort, CHANNEL_ORDERS)
        except ValueError as error:
            raise ClientException(str(error)) from None
        wanted = ChannelsWanted(pattern=pattern, order=order, descending=descending, limit=limit)
        return await _doing(views.channels(wanted))

    @reading("/slow")
    async def slow(limit: Limit = 100) -> SlowClients:
        """Clients that read too slowly now, the largest queue first, and what becomes of them when it is full."""
        return await _doing(views.slow(limit))

    return [clients, client, channels, slow]


def _disconnect(views: Views, door: Door) -> ControllerRouterHandler:
    example = Body(examples=[Example(value={"user": "ada", "reason": "Maintenance"})])

    @post(
        "/disconnect",
        guards=[door.guard(allow=ADMINS, scope=SCOPE)],
        security=SECURITY,
        raises=[*REFUSALS, NotFoundException],
        status_code=HTTP_200_OK,
    )
    async def disconnect(data: Annotated[Disconnect, example], request: Caller) -> Disconnected:
        """Close a client's connection, or all of a user's. They are told the code and the reason."""
        closure = Closure(data.code, data.reason)
        whom = {"client": data.client} if data.client else {"user": data.user}
        return await _doing(views.disconnect(**whom, closure=closure, by=request.user.name))

    return disconnect
