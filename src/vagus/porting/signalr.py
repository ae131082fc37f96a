"""A SignalR server's API over a hub: hub classes with methods, clients, groups and a context.

===================================  ==================================================================
hub ``/hubs/chat``                   section ``chat`` of the hub (``vagus`` the root section)
connection, and its id               client, and its id
hub method ``Send``                  call ``chat.Send``, found in any case; ``send_text`` is ``SendText``
group ``lobby``                      channel ``chat:lobby``; ``clients.all`` is the channel ``chat``
``clients.user("ada")``              channel ``chat@ada``
``send``                             publication of an event; to one client, a message
``invoke`` of a client's method      question to the client
async generator                      stream of results
argument ``AsyncIterator[T]``        stream that the client feeds
===================================  ==================================================================

::

    class Chat(SignalRHub):
        async def send_message(self, text: str) -> None:
            await self.clients.group("lobby").send("Receive", self.context.user_identifier, text)

    chat = serve(hub, "chat", Chat)

Every invocation has an instance of the class of its own, so what shall last is kept in ``context.items`` or elsewhere.
Arguments are checked against their annotations. Only the text of a ``HubError`` (or ``RefusedError``) reaches a client.
Order holds within a group, and for what is sent to one client, but not between the two.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing
from functools import partial, wraps
from typing import Any, Final, Generic, TypeVar

import msgspec

from vagus.hub.hub import Hub
from vagus.hub.requests import Caller, Origin
from vagus.hub.sections import Section
from vagus.kernel import codes
from vagus.kernel.channels import ChannelOptions
from vagus.kernel.codes import Closure, Fault
from vagus.kernel.errors import RefusedError
from vagus.kernel.events import Event, event
from vagus.kernel.identity import Identity
from vagus.kernel.permissions import USER, Access
from vagus.kernel.publications import Json

from .members import Members
from .rooms import Recipients, Rooms, section_of

F = TypeVar("F", bound=Callable[..., Any])
H = TypeVar("H", bound="SignalRHub")

FAILED: Final = 400
ROOT_HUB: Final = "vagus"
"""The address of the root section."""

_ALLOWED: Final = "__vagus_allow__"


class HubError(RefusedError):
    """Raised in a hub method: its text reaches the client that invoked it. .NET's ``HubException``."""

    def __init__(self, message: str) -> None:
        super().__init__(Fault(FAILED, message))


def authorize(*allow: str) -> Callable[[F], F]:
    """Say who may invoke a method, in place of who may the others: ``@authorize("@admin")``."""

    def mark(function: F) -> F:
        setattr(function, _ALLOWED, allow)
        return function

    return mark


class ClientProxy:
    """Some clients, to whom something can be sent."""

    __slots__ = ("_tell",)

    def __init__(self, tell: Callable[[Event], Awaitable[None]]) -> None:
        self._tell = tell

    async def send(self, method: str, *arguments: object) -> None:
        """Invoke a method of theirs, without waiting for anything. Bytes in the arguments are binary."""
        await self._tell(event(method, *arguments))


class SingleClientProxy(ClientProxy):
    """One client, which can be asked too."""

    __slots__ = ("_hub", "_id")

    def __init__(self, rooms: Rooms, id: str) -> None:
        super().__init__(partial(rooms.tell_client, id))
        self._hub = rooms.hub
        self._id = id

    async def invoke(self, method: str, *arguments: object, timeout_s: float = 30.0) -> Any:
        """Invoke a method of the client and return its result.

        Raises ``AnswerError`` with the client's own error, ``TimeoutError``, ``RefusedError`` where it is not connected
        or speaks a dialect without results, and ``BrokerError`` where other nodes cannot be asked for it.
        """
        answer = await self._hub.ask(self._id, method, *arguments, timeout_s=timeout_s)
        return answer[0] if answer else None


class HubClients:
    """All clients of a hub, and parts of them."""

    __slots__ = ("_rooms",)

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    @property
    def all(self) -> ClientProxy:
        return self.all_except(())

    def all_except(self, connection_ids: Iterable[str]) -> ClientProxy:
        return self._members((self._rooms.everybody,), connection_ids)

    def client(self, connection_id: str) -> SingleClientProxy:
        return SingleClientProxy(self._rooms, connection_id)

    def group(self, name: str) -> ClientProxy:
        return self.groups((name,))

    def groups(self, names: Iterable[str]) -> ClientProxy:
        """Who is in any of the groups, each once."""
        return self._members(self._rooms.channels(names))

    def group_except(self, name: str, connection_ids: Iterable[str]) -> ClientProxy:
        return self._members(self._rooms.channels((name,)), connection_ids)

    def user(self, user: str) -> ClientProxy:
        """All connections of a user to this hub."""
        return self.users((user,))

    def users(self, users: Iterable[str]) -> ClientProxy:
        return ClientProxy(partial(self._rooms.tell_users, tuple(users)))

    def _members(self, channels: tuple[str, ...], left_out: Iterable[str] = ()) -> ClientProxy:
        return ClientProxy(partial(self._rooms.tell, Recipients(channels, frozenset(left_out))))


class CallerClients(HubClients):
    """The same as seen by one of them."""

    __slots__ = ("_id",)

    def __init__(self, rooms: Rooms, id: str) -> None:
        super().__init__(rooms)
        self._id = id

    @property
    def caller(self) -> SingleClientProxy:
        return self.client(self._id)

    @property
    def others(self) -> ClientProxy:
        return self.all_except((self._id,))

    def others_in_group(self, name: str) -> ClientProxy:
        return self.group_except(name, (self._id,))


class Groups:
    """Which connections are in which groups. A connection's groups end with it."""

    __slots__ = ("_rooms",)

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def add(self, connection_id: str, name: str) -> None:
        await self._rooms.enter(connection_id, self._rooms.channel(name))

    async def remove(self, connection_id: str, name: str) -> None:
        await self._rooms.leave(connection_id, self._rooms.channel(name))


class Context:
    """One connection, the same object from its beginning to its end."""

    __slots__ = ("_hub", "_identity", "connection_id", "items", "origin")

    def __init__(self, hub: Hub, connection_id: str, identity: Identity, origin: Origin) -> None:
        self.connection_id: Final = connection_id
        self.origin: Final = origin
        """Its address, headers and query."""
        self.items: Final[dict[str, Any]] = {}
        """For the application; gone with the connection."""
        self._hub = hub
        self._identity = identity

    @property
    def identity(self) -> Identity:
        """Who it is, by its newest token."""
        client = self._hub.clients.get(self.connection_id)
        return self._identity if client is None else client.identity

    @property
    def user_identifier(self) -> str | None:
        return self.identity.user or None

    async def abort(self) -> None:
        """End the connection; the client does not come back by itself."""
        await self._hub.disconnect(client=self.connection_id)


class SignalRHub:
    """A class whose methods clients invoke. Those that begin with an underscore are not theirs; nor are the two here.

    What ``on_connected`` raises ends the connection. ``on_disconnected`` is told the reason, unless the client went of
    its own accord.
    """

    clients: CallerClients
    groups: Groups
    context: Context

    async def on_connected(self) -> None: ...

    async def on_disconnected(self, error: str | None) -> None: ...


class HubContext(msgspec.Struct, frozen=True):
    """A hub as seen from outside of its methods. .NET's ``IHubContext``."""

    clients: HubClients
    groups: Groups


def serve(
    hub: Hub, name: str, kind: type[SignalRHub], *, allow: Access = (USER,), groups: ChannelOptions | None = None
) -> HubContext:
    """Serve a class at ``/hubs/<name>``. Called before the hub starts, once for each name.

    ``allow`` says who may connect and invoke; ``groups`` are options of the groups' channel rule, such as
    ``{"subscribe": ("user",)}`` so that clients of other dialects may follow them. Raises ``TypeError`` for a method
    that cannot be invoked by place, and ``ValueError`` for a name that is taken.
    """
    section = section_of(hub, "" if name.lower() == ROOT_HUB else name, allow)
    rooms = Rooms(hub, section, groups, has_users=True)
    serving = _Serving(section, rooms, kind)
    for method in dir(kind):
        function = getattr(kind, method)
        if method[0] != "_" and not hasattr(SignalRHub, method) and inspect.isfunction(function):
            section.call(pascal_case(method), allow=getattr(function, _ALLOWED, allow))(serving.action(function))
    return HubContext(HubClients(rooms), Groups(rooms))


class _Serving(Generic[H]):
    """One class that is served: makes an instance for each invocation (members.Household)."""

    def __init__(self, section: Section, rooms: Rooms, kind: type[H]) -> None:
        self._hub = section.hub
        self._kind = kind
        self._rooms = rooms
        self._groups = Groups(rooms)
        self._members: Members[Context] = Members(section, rooms, self)

    def action(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A method as a function of the hub's, whose caller stands where ``self`` does in its signature."""
        if inspect.isasyncgenfunction(function):

            @wraps(function)
            async def stream(caller: Caller, *arguments: Any) -> Any:
                instance = self._instance(await self._members.of(caller))
                async with aclosing(function(instance, *arguments)) as values:
                    async for value in values:
                        yield value

            return stream

        def invoke(context: Context, *arguments: Any) -> Any:
            return function(self._instance(context), *arguments)

        @wraps(function)
        def action(caller: Caller, *arguments: Any) -> Any:
            return self._members.call(caller, invoke, arguments)

        return action

    def _instance(self, context: Context) -> H:
        instance = self._kind()
        instance.context = context
        instance.clients = CallerClients(self._rooms, context.connection_id)
        instance.groups = self._groups
        return instance

    def member(self, client: str, identity: Identity, origin: Origin) -> Context:
        return Context(self._hub, client, identity, origin)

    async def admit(self, member: Context, data: Json) -> None:
        """Who may come is the section's to say."""

    async def greet(self, member: Context) -> None:
        await self._instance(member).on_connected()

    async def bid_farewell(self, member: Context, closure: Closure) -> None:
        error = None if closure is codes.CONNECTION_CLOSED else closure.reason
        await self._instance(member).on_disconnected(error)


def pascal_case(name: str) -> str:
    """``send_text`` as ``SendText``; a name without underscores stays what it is."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_")) if "_" in name else name
