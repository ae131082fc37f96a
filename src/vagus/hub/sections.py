"""Sections: parts of a hub's calls with a name and rules of their own.

A client comes for one section; those of the native dialect for the root section, whose name is empty. Elsewhere a
section is what Socket.IO calls a namespace (``/chat``) and SignalR a hub (``/hubs/chat``). Its calls are ordinary calls
named ``chat.send``, which every client may use, as far as ``allow`` lets it.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from vagus.kernel.permissions import USER, Access, check_access

from .functions import Action, Function

if TYPE_CHECKING:
    from .hub import Hub

F = TypeVar("F", bound=Callable[..., Any])

_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")

RESERVED: Final = frozenset({"vagus"})
"""The root section's name where an address needs one."""


class Section:
    """See the module. ``allow`` says who may come for it, and who may call where a call does not say so itself."""

    def __init__(self, hub: "Hub", name: str, allow: Access = (USER,)) -> None:
        check_access(allow, f"section {name!r}: allow")
        if name and (not _NAME.fullmatch(name) or name.lower() in RESERVED):
            raise ValueError(f"section {name!r}: a name has letters, digits, - _ . and is none of {sorted(RESERVED)}")
        self.hub = hub
        self.name = name
        self.allow = allow
        self.names: set[str] = set()
        """The calls that are its own, without its name."""
        self.connecting: list[Function] = []
        self.connected: list[Function] = []
        self.disconnected: list[Function] = []

    def target(self, name: str) -> str:
        """The call's name in the hub."""
        return f"{self.name}.{name}" if self.name else name

    def call(self, name: str, *, allow: Access | None = None) -> Callable[[F], F]:
        """Answer calls: ``(Caller, *arguments)``, each argument of the type that it is annotated with.

        An async generator gives a stream of results; an argument annotated ``AsyncIterator[T]`` is a stream that the
        client feeds; bytes are binary both ways. What the function raises is answered as ``hub.call`` does.
        """

        def register(function: F) -> F:
            target = self.target(name)
            self.hub.add_call(Action(target, function, self.allow if allow is None else allow))
            self.names.add(name)
            return function

        return register

    def on_connecting(self, function: F) -> F:
        """``(ConnectRequest, Identity)``, before a client is let in; what it raises refuses the client."""
        self.connecting.append(function)
        return function

    def on_connected(self, function: F) -> F:
        """``(Caller, ConnectRequest)``, once a client is let in and before anything else it sends is looked at."""
        self.connected.append(function)
        return function

    def on_disconnected(self, function: F) -> F:
        """``(Caller, Closure)``, after a client that was let in has gone."""
        self.disconnected.append(function)
        return function
