"""An application's functions as the hub calls them: which arguments they take, and what types they expect.

Looked at once, when they are registered; a wrong signature is a ``TypeError`` there and then, not at the first client.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, get_type_hints

import msgspec

from vagus.kernel import codes
from vagus.kernel.errors import RefusedError
from vagus.kernel.permissions import USER, Access, check_access
from vagus.kernel.publications import NOTHING, Json

from .requests import Caller
from .steps import call

Function = Callable[..., Any | Awaitable[Any]]

_GIVEN: Final = frozenset({"identity", "caller", "request"})


class Guard:
    """A function that decides about a channel: it takes any of ``identity``, ``caller``, ``request`` and the places of

    the channel's pattern, by name. A place with a type (``order_id: int``) is converted; one that does not fit refuses.
    """

    __slots__ = ("_function", "_places", "_takes")

    def __init__(self, function: Function, places: tuple[str, ...]) -> None:
        hints = get_type_hints(function)
        parameters = inspect.signature(function).parameters
        hidden = _GIVEN.intersection(places)
        if hidden:
            raise TypeError(
                f"{function.__qualname__}: a place cannot be named {min(hidden)!r}, which means something else"
            )
        unknown = [name for name in parameters if name not in _GIVEN and name not in places]
        if unknown:
            raise TypeError(f"{function.__qualname__}: {unknown[0]!r} is none of {sorted({*_GIVEN, *places})}")
        self._function = function
        self._takes = [name for name in parameters if name in _GIVEN]
        self._places = {name: hints.get(name, str) for name in parameters if name in places}

    async def decide(self, caller: Caller, request: object, places: Mapping[str, str], deadline_s: float) -> Any:
        given = {"identity": caller.identity, "caller": caller, "request": request}
        arguments: dict[str, object] = {name: given[name] for name in self._takes}
        for name, kind in self._places.items():
            arguments[name] = places[name] if kind is str else self._converted(places[name], kind)
        return await call(self._function, deadline_s=deadline_s, **arguments)

    @staticmethod
    def _converted(text: str, kind: Any) -> object:
        try:
            return msgspec.convert(text, kind, strict=False)
        except msgspec.ValidationError:
            raise RefusedError(codes.UNKNOWN_CHANNEL) from None


class Method:
    """A function that clients call by name: ``(caller)`` or ``(caller, request)``, with types for request and result.

    ``allow`` says who may call it. A request that does not fit its type is refused with the path of what is wrong.
    """

    __slots__ = ("_decode", "_function", "_takes_request", "allow", "doc", "name", "request", "result")

    def __init__(self, name: str, function: Function, allow: Access = (USER,)) -> None:
        check_access(allow, f"call {name!r}: allow")
        parameters = list(inspect.signature(function).parameters.values())
        if not 1 <= len(parameters) <= 2:
            raise TypeError(f"{function.__qualname__}: takes (caller) or (caller, request), not {len(parameters)}")
        hints = get_type_hints(function)
        self.name = name
        self.allow = allow
        self.doc = inspect.getdoc(function) or ""
        self.request: Any = hints.get(parameters[1].name, Any) if len(parameters) == 2 else None
        self.result: Any = hints.get("return", Any)
        self._function = function
        self._takes_request = len(parameters) == 2
        self._decode = msgspec.json.Decoder(self.request).decode if self._takes_request else None

    async def invoke(self, caller: Caller, data: Json, deadline_s: float) -> Json:
        arguments = [caller]
        if self._decode is not None:
            arguments.append(self._decoded(data))
        result = await call(self._function, *arguments, deadline_s=deadline_s)
        return NOTHING if result is None else msgspec.Raw(msgspec.json.encode(result))

    def _decoded(self, data: Json) -> Any:
        assert self._decode is not None
        try:
            return self._decode(data if data else b"null")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RefusedError(codes.Fault(codes.BAD_REQUEST.code, f"bad request: {error}")) from None
