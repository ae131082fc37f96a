"""An application's functions as the hub calls them: which arguments they take, and what types they expect.

Looked at once, when they are registered; a wrong signature is a ``TypeError`` there and then, not at the first client.
"""

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final, Protocol, cast, get_args, get_origin, get_type_hints

import msgspec

from vagus.kernel import codes
from vagus.kernel.errors import RefusedError
from vagus.kernel.events import in_plain_json, packed, single_argument, unpacked
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


class Given(msgspec.Struct, frozen=True):
    """What a function is called with: a JSON array, the binary values in it, and streams that come after them."""

    arguments: Json
    attachments: tuple[bytes, ...] = ()
    streams: tuple[AsyncIterator[Any], ...] = ()


class Result(msgspec.Struct, frozen=True):
    """JSON, and the binary values in it."""

    data: Json = NOTHING
    attachments: tuple[bytes, ...] = ()


class Callee(Protocol):
    """What is called by name. ``gives_stream`` says that ``stream`` gives its results, else ``invoke`` or ``apply``."""

    @property
    def name(self) -> str: ...

    @property
    def allow(self) -> Access: ...

    @property
    def doc(self) -> str: ...

    @property
    def gives_stream(self) -> bool: ...

    async def invoke(self, caller: Caller, data: Json, deadline_s: float | None) -> Json:
        """Call with one value, or nothing."""
        ...

    async def apply(self, caller: Caller, given: Given, deadline_s: float | None) -> Result:
        """Call with arguments in their order."""
        ...

    def stream(self, caller: Caller, given: Given) -> AsyncIterator[Any]: ...


class Method:
    """A function that clients call by name: ``(caller)`` or ``(caller, request)``, with types for request and result.

    ``allow`` says who may call it. A request that does not fit its type is refused with the path of what is wrong.
    """

    __slots__ = ("_decode", "_function", "_takes_request", "allow", "doc", "name", "request", "result")

    gives_stream: Final = False

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

    async def invoke(self, caller: Caller, data: Json, deadline_s: float | None) -> Json:
        arguments = [caller]
        if self._decode is not None:
            arguments.append(self._decoded(data))
        result = await call(self._function, *arguments, deadline_s=deadline_s)
        return NOTHING if result is None else msgspec.Raw(msgspec.json.encode(result))

    async def apply(self, caller: Caller, given: Given, deadline_s: float | None) -> Result:
        """One argument is the request; several are, as a list."""
        try:
            array = in_plain_json(given.arguments, given.attachments)
            single = NOTHING if bytes(array) == b"[]" else single_argument(array)
        except _UNREADABLE as error:
            raise _bad(str(error)) from None
        return Result(await self.invoke(caller, array if single is None else single, deadline_s))

    def stream(self, caller: Caller, given: Given) -> AsyncIterator[Any]:
        raise RefusedError(codes.GIVES_NO_STREAM)

    def _decoded(self, data: Json) -> Any:
        assert self._decode is not None
        try:
            return self._decode(data if data else b"null")
        except _UNREADABLE as error:
            raise _bad(str(error)) from None


_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What reading a client's data raises, be it no JSON, no text, of another type or nested too deep."""

_STREAMS: Final = (AsyncIterator, AsyncIterable)


class Action:
    """A function that takes its arguments in their order: ``(caller, *arguments)``, each of its annotated type.

    Arguments that are missing take their defaults; too many, or one that does not fit, are refused with the place.
    """

    __slots__ = ("_feeds", "_function", "_kinds", "_least", "_others", "allow", "doc", "gives_stream", "name")

    def __init__(self, name: str, function: Function, allow: Access = (USER,)) -> None:
        check_access(allow, f"call {name!r}: allow")
        hints = get_type_hints(function)
        self.name = name
        self.allow = allow
        self.doc = inspect.getdoc(function) or ""
        self.gives_stream = inspect.isasyncgenfunction(function)
        self._function = function
        self._kinds: list[Any] = []
        self._feeds: list[Any] = []
        self._others: Any = None
        self._least = 0
        parameters = list(inspect.signature(function).parameters.values())
        if not parameters:
            raise TypeError(f"{function.__qualname__}: takes (caller, *arguments), not nothing")
        for parameter in parameters[1:]:
            self._take(parameter, hints.get(parameter.name, Any))
        if self._feeds and self._least < len(self._kinds):
            raise TypeError(f"{function.__qualname__}: who feeds streams gives all arguments, so none has a default")

    def _take(self, parameter: inspect.Parameter, kind: Any) -> None:
        if parameter.kind is parameter.VAR_POSITIONAL and not self._feeds:
            self._others = kind
        elif parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            raise TypeError(f"{self._function.__qualname__}: {parameter.name!r} cannot be given by its place")
        elif get_origin(kind) in _STREAMS or kind in _STREAMS:
            self._feeds.append((get_args(kind) or (Any,))[0])
        elif self._feeds:
            raise TypeError(f"{self._function.__qualname__}: streams come after the other arguments")
        else:
            self._kinds.append(kind)
            self._least += parameter.default is parameter.empty

    async def invoke(self, caller: Caller, data: Json, deadline_s: float | None) -> Json:
        """A JSON array is the arguments, another value the only one; ``null`` is none where none is taken."""
        text = bytes(data)
        if text == b"null" and not self._kinds and self._others is None:
            text = b""
        array = data if text[:1] == b"[" else msgspec.Raw(b"[%b]" % text)
        if self.gives_stream:
            raise RefusedError(codes.GIVES_STREAM)
        result = await self.apply(caller, Given(array), deadline_s)
        return in_plain_json(result.data, result.attachments)

    async def apply(self, caller: Caller, given: Given, deadline_s: float | None) -> Result:
        result = await call(self._function, caller, *self._converted(given), deadline_s=deadline_s)
        return Result() if result is None else Result(*packed(result))

    def stream(self, caller: Caller, given: Given) -> AsyncIterator[Any]:
        if not self.gives_stream:
            raise RefusedError(codes.GIVES_NO_STREAM)
        values: Any = self._function(caller, *self._converted(given))
        return cast("AsyncIterator[Any]", values)

    def _converted(self, given: Given) -> list[Any]:
        try:
            values = unpacked(given.arguments, given.attachments)
        except _UNREADABLE as error:
            raise _bad(str(error)) from None
        if len(values) < self._least:
            raise _bad(f"{self._least} arguments are needed, not {len(values)}")
        if len(values) > len(self._kinds) and self._others is None:
            raise _bad(f"{len(self._kinds)} arguments are taken, not {len(values)}")
        if len(given.streams) != len(self._feeds):
            raise _bad(f"{len(self._feeds)} streams are taken, not {len(given.streams)}")
        kinds = [*self._kinds, *[self._others] * (len(values) - len(self._kinds))]
        taken = [
            self._fitted(value, kind, place) for place, (value, kind) in enumerate(zip(values, kinds, strict=False))
        ]
        return [*taken, *map(_typed, given.streams, self._feeds)]

    @staticmethod
    def _fitted(value: Any, kind: Any, place: int) -> Any:
        if kind is Any:
            return value
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            raise _bad(f"argument {place + 1}: {error}") from None


async def _typed(stream: AsyncIterator[Any], kind: Any) -> AsyncIterator[Any]:
    async for value in stream:
        try:
            yield value if kind is Any else msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            raise _bad(f"an item of the stream: {error}") from None


def _bad(reason: str) -> RefusedError:
    return RefusedError(codes.Fault(codes.BAD_REQUEST.code, f"bad request: {reason}"))
