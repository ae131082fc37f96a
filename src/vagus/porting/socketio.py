"""A Socket.IO server's API over a hub: namespaces, sockets, rooms and acks.

===================================  ==================================================================
namespace ``/chat``                  section ``chat`` of the hub (``/`` the root section)
socket, and its id                   client, and its id
event with handler                   call ``chat.<event>``; what the handler returns is the ack
room ``lobby`` of ``/chat``          channel ``chat:lobby``; everybody in ``/chat`` is in ``chat``
emit to a room, or to all            publication of an event there
emit to one socket                   message to its client
emit with an ack (``socket.call``)   question to the client
===================================  ==================================================================

::

    chat = Namespace(hub, "/chat")

    @chat.on_connected
    async def enter(socket: Socket) -> None:
        await socket.join("lobby")

    @chat.on("message")
    async def message(socket: Socket, text: str) -> str:
        await socket.to("lobby").emit("message", socket.user, text)
        return "delivered"

Unlike there, events of one socket are handled one after the other, and a handler's types are checked: an argument that
does not fit is refused in the ack. A room has no socket by its id alone in it: ``namespace.socket(id)`` is the way to
one. Order holds within a room, and for what is emitted to one socket, but not between the two.
"""

import inspect
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any, Final, TypeVar

import msgspec

from vagus.hub.hub import Hub
from vagus.hub.requests import Caller, Origin
from vagus.kernel import codes
from vagus.kernel.channels import ChannelOptions
from vagus.kernel.codes import Closure, Fault
from vagus.kernel.errors import RefusedError
from vagus.kernel.events import Event, event
from vagus.kernel.identity import Identity
from vagus.kernel.permissions import USER, Access
from vagus.kernel.publications import NOTHING, Json

from .members import Members, outcome
from .rooms import Recipients, Rooms, section_of

F = TypeVar("F", bound=Callable[..., Any])

REFUSED: Final = 403

RESERVED: Final = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)
"""Names that clients keep for themselves."""

REASONS: Final = {
    codes.CONNECTION_CLOSED: "transport close",
    codes.NO_PONG: "ping timeout",
    codes.FORCE_DISCONNECT: "server namespace disconnect",
    codes.SHUTDOWN: "server shutting down",
    codes.MALFORMED: "parse error",
}
"""Why a socket is gone, in Socket.IO's words. Anything else keeps the hub's."""


class ConnectionRefused(RefusedError):
    """Raised in ``on_connect``: the client's ``connect_error`` has the message, and ``data``."""

    def __init__(self, message: str = "not authorized", data: object = None) -> None:
        details = NOTHING if data is None else msgspec.Raw(msgspec.json.encode(data))
        super().__init__(Fault(REFUSED, message, data=details))


class RemoteSocket:
    """A socket by its id, wherever it is connected. Nothing says whether it is."""

    __slots__ = ("_namespace", "id")

    def __init__(self, namespace: "Namespace", id: str) -> None:
        self.id: Final = id
        self._namespace = namespace

    async def emit(self, type: str, *arguments: object) -> None:
        """Send it an event."""
        await self._do(partial(self._namespace.rooms.tell_client, self.id, new_event(type, arguments)))

    async def join(self, room: str) -> None:
        rooms = self._namespace.rooms
        await self._do(partial(rooms.enter, self.id, rooms.channel(room)))

    async def leave(self, room: str) -> None:
        rooms = self._namespace.rooms
        await self._do(partial(rooms.leave, self.id, rooms.channel(room)))

    async def disconnect(self) -> None:
        """Send it away; it does not come back by itself."""
        await self._do(partial(self._namespace.hub.disconnect, client=self.id))

    async def _do(self, act: Callable[[], Awaitable[None]]) -> None:
        await act()


class Socket(RemoteSocket):
    """A socket of this server, the same object for as long as it is connected.

    In ``on_connect`` it is not let in yet: what it is told to do there is done when it is.
    """

    __slots__ = ("__weakref__", "_due", "_identity", "auth", "data", "origin")

    def __init__(self, namespace: "Namespace", id: str, identity: Identity, origin: Origin) -> None:
        super().__init__(namespace, id)
        self.origin: Final = origin
        """Its address, headers and query."""
        self.auth: Any = None
        """What the client sent along when it connected."""
        self.data: Final[dict[str, Any]] = {}
        """For the application; gone with the connection."""
        self._identity = identity
        self._due: list[Callable[[], Awaitable[None]]] | None = []

    @property
    def identity(self) -> Identity:
        """Who it is, by its newest token."""
        client = self._namespace.hub.clients.get(self.id)
        return self._identity if client is None else client.identity

    @property
    def user(self) -> str:
        """Empty for one without a name."""
        return self.identity.user

    @property
    def rooms(self) -> frozenset[str]:
        return self._namespace.rooms.of(self.id)

    @property
    def broadcast(self) -> "Broadcast":
        """Everybody in the namespace but this socket."""
        return Broadcast(self._namespace, left_out=frozenset({self.id}))

    def to(self, *rooms: str) -> "Broadcast":
        """Who is in any of the rooms, but for this socket."""
        return self.broadcast.to(*rooms)

    async def call(self, type: str, *arguments: object, timeout_s: float = 30.0) -> Any:
        """Emit an event and wait for the client's ack: its argument, ``None`` for none, a tuple for several.

        Raises ``TimeoutError``, and ``RefusedError`` where the client is gone, not let in yet or speaks a dialect
        without acks.
        """
        answer = await self._namespace.hub.ask(self.id, checked(type), *arguments, timeout_s=timeout_s)
        return tuple(answer) if len(answer) > 1 else next(iter(answer), None)

    async def _do(self, act: Callable[[], Awaitable[None]]) -> None:
        if self._due is None:
            await act()
        else:
            self._due.append(act)

    async def be_let_in(self) -> None:
        """Do what was put off. Called by the namespace alone."""
        due, self._due = self._due or [], None
        for act in due:
            await act()


class Broadcast:
    """Whom an event goes to. A value: each step gives another one."""

    __slots__ = ("_left_out", "_namespace", "_rooms")

    def __init__(
        self, namespace: "Namespace", rooms: tuple[str, ...] = (), left_out: frozenset[str] = frozenset()
    ) -> None:
        self._namespace = namespace
        self._rooms = rooms
        self._left_out = left_out

    def to(self, *rooms: str) -> "Broadcast":
        """Who is in any of these rooms too. Raises ``ValueError`` for a socket's id."""
        for room in rooms:
            if room in self._namespace.members.here:
                raise ValueError(f"{room!r} is the id of a socket, not a room: use socket(id).emit")
        return Broadcast(self._namespace, (*self._rooms, *rooms), self._left_out)

    def except_(self, *ids: str) -> "Broadcast":
        """But for the sockets with these ids."""
        return Broadcast(self._namespace, self._rooms, self._left_out | set(ids))

    async def emit(self, type: str, *arguments: object) -> None:
        """Send them the event, each once. Bytes in the arguments are binary."""
        rooms = self._namespace.rooms
        channels = rooms.channels(self._rooms) if self._rooms else (rooms.everybody,)
        await rooms.tell(Recipients(channels, self._left_out), new_event(type, arguments))


class Namespace:
    """See the module. ``allow`` says who may connect and emit, where a handler does not say so itself.

    ``rooms`` are options of the rooms' channel rule, such as ``{"subscribe": ("user",)}`` so that clients of other
    dialects may follow them. A namespace is made before the hub starts, once for each name.
    """

    def __init__(
        self, hub: Hub, name: str = "/", *, allow: Access = (USER,), rooms: ChannelOptions | None = None
    ) -> None:
        if name[:1] != "/":
            raise ValueError(f"a namespace is named like '/chat', not {name!r}")
        self.hub = hub
        self.name = name
        self.allow = allow
        section = section_of(hub, name[1:], allow)
        self._section = section
        self.rooms = Rooms(hub, section, rooms)
        self.members: Members[Socket] = Members(section, self.rooms, self)
        self._connecting: Callable[..., Any] | None = None
        self._connected: Callable[..., Any] | None = None
        self._disconnected: Callable[..., Any] | None = None

    # furnishing

    def on_connect(self, function: F) -> F:
        """``(socket, auth)``, before a client is let in. It refuses by raising ``ConnectionRefused``."""
        self._connecting = function
        return function

    def on_connected(self, function: F) -> F:
        """``(socket)``, once the client is let in and before any of its events."""
        self._connected = function
        return function

    def on_disconnect(self, function: F) -> F:
        """``(socket, reason)``, after a socket that was let in has gone, and its rooms with it."""
        self._disconnected = function
        return function

    def on(self, type: str, *, allow: Access | None = None) -> Callable[[F], F]:
        """Handle an event: ``(socket, *arguments)``, plain or async.

        What the handler returns is the ack's argument, ``None`` none. Only ``RefusedError`` tells the client why it
        failed; the ack is ``{"error": {"code", "message"}}`` then.
        """
        checked(type)

        def register(function: F) -> F:
            if inspect.isasyncgenfunction(function):
                raise TypeError(f"{function.__qualname__}: an ack is given once, not by a generator")

            @wraps(function)
            def action(caller: Caller, *arguments: Any) -> Any:
                return self.members.call(caller, function, arguments)

            self._section.call(type, allow=self.allow if allow is None else allow)(action)
            return function

        return register

    # emitting

    def to(self, *rooms: str) -> Broadcast:
        """Who is in any of the rooms."""
        return Broadcast(self).to(*rooms)

    def except_(self, *ids: str) -> Broadcast:
        """Everybody but the sockets with these ids."""
        return Broadcast(self).except_(*ids)

    async def emit(self, type: str, *arguments: object) -> None:
        """Send an event to everybody in the namespace."""
        await Broadcast(self).emit(type, *arguments)

    def socket(self, id: str) -> RemoteSocket:
        """One socket, wherever it is connected."""
        return self.members.here.get(id) or RemoteSocket(self, id)

    async def sockets(self, room: str | None = None) -> list[str]:
        """The ids of those who are there, on all nodes: in a room, or in the namespace."""
        channel = self.rooms.everybody if room is None else self.rooms.channel(room)
        return list(await self.rooms.members(channel))

    # members.Household

    def member(self, client: str, identity: Identity, origin: Origin) -> Socket:
        return Socket(self, client, identity, origin)

    async def admit(self, member: Socket, data: Json) -> None:
        member.auth = msgspec.json.decode(data) if data else None
        if self._connecting is not None:
            await outcome(self._connecting(member, member.auth))

    async def greet(self, member: Socket) -> None:
        await member.be_let_in()
        if self._connected is not None:
            await outcome(self._connected(member))

    async def bid_farewell(self, member: Socket, closure: Closure) -> None:
        if self._disconnected is not None:
            await outcome(self._disconnected(member, REASONS.get(closure, closure.reason)))


def new_event(type: str, arguments: tuple[object, ...]) -> Event:
    return event(checked(type), *arguments)


def checked(type: str) -> str:
    """The name of an event. Raises ``ValueError`` for one that clients keep for themselves."""
    if not type or type in RESERVED:
        raise ValueError(f"an event cannot be named {type!r}")
    return type
