"""The HTTP routes of fusion, below ``/api/fusion``: the snapshot, how it does, the pace, the history, the sources.

Reading is for everybody with a role, the pace for operators, sources for admins; keys need the scope ``fusion``.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from litestar import Request, Response, Router, delete, get, post, put
from litestar.exceptions import ClientException, HTTPException, NotFoundException, ServiceUnavailableException
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath, HeaderParameter, QueryParameter
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK, HTTP_409_CONFLICT, HTTP_412_PRECONDITION_FAILED
from litestar.types import ControllerRouterHandler

from vagus.apps.bodies import JsonBody
from vagus.apps.callers import REFUSALS, SECURITY, Door, HttpCaller
from vagus.kernel.errors import ConflictError

from .book import ChangedSourceError, Entry, FixedSourceError, UnknownSourceError
from .channel import ADMINS, OPERATORS, READERS
from .history import Chart, Metric, file_name
from .kinds import moment
from .sources import SourceError
from .views import NobodyEmitsError, Topic

if TYPE_CHECKING:
    from .app import Fusion

PATH: Final = "/api/fusion"
SCOPE: Final = "fusion"
MAX_BODY_BYTES: Final = 65_536
DAY_MS: Final = 86_400_000
POINTS: Final = 600

Caller = Request[HttpCaller, Any, Any]
Source = dict[str, Any]
Seen = Annotated[
    str | None, HeaderParameter(name="If-Match", description="The source's `version`: it must still be that.")
]
Metrics = Annotated[list[str], QueryParameter(description="Names of metrics; may be repeated.")]


class Pacing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new pace, in minutes or in seconds: from one second to a day."""

    minutes: Annotated[float, msgspec.Meta(ge=1 / 60, le=1440)] | None = None
    seconds: Annotated[float, msgspec.Meta(ge=1, le=86_400)] | None = None

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.seconds is None):
            raise ValueError("give minutes or seconds")

    @property
    def interval_s(self) -> float:
        return round(self.minutes * 60, 3) if self.minutes is not None else self.seconds or 0.0


class Paced(msgspec.Struct, frozen=True, rename="camel"):
    """The pace that holds now."""

    minutes: float
    interval_seconds: float
    paused: bool
    ok: bool = True


class Tried(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a source said when it was asked once: its values, or why there are none. ``hints`` say what was done."""

    ok: bool
    values: dict[str, Any] | None = None
    error: str = ""
    hints: list[str] = []


class Sources(msgspec.Struct, frozen=True):
    """All sources, in their order. ``folder`` is where their paths begin.

    ``current`` is false while the store does not answer: then they are as they were when it did.
    """

    folder: str
    sources: list[Entry]
    current: bool = True


class KnownMetrics(msgspec.Struct, frozen=True):
    """All metrics of which something is kept."""

    metrics: list[Metric]


class ConflictException(HTTPException):
    """Something else is there already."""

    status_code = HTTP_409_CONFLICT


class ChangedException(HTTPException):
    """It is not as it was any more."""

    status_code = HTTP_412_PRECONDITION_FAILED


def routes(fusion: "Fusion", door: Door) -> Sequence[ControllerRouterHandler]:
    """The handlers, for this app and behind this door."""
    return [
        Router(
            PATH,
            route_handlers=[
                *_views(fusion, door),
                *_steering(fusion, door),
                *(_history(fusion, door) if fusion.keeps_history else ()),
                *_sources(fusion, door),
            ],
            tags=["Fusion"],
            dto=JsonBody,
            return_dto=None,
            request_max_body_size=MAX_BODY_BYTES,
        )
    ]


async def _doing(work: Awaitable[Any]) -> Any:
    """The result, or the refusal that says in HTTP what went wrong. Errors of broker and store go on."""
    try:
        return await work
    except NobodyEmitsError:
        text = "No node emits at this moment: another takes over."
        raise ServiceUnavailableException(text, headers={"retry-after": "5"}) from None
    except ConflictError as error:
        raise ConflictException(detail=str(error)) from None
    except FixedSourceError as error:
        text = f"The source {error} was not added over HTTP: change it where it comes from."
        raise ConflictException(detail=text) from None
    except ChangedSourceError as error:
        raise ChangedException(detail=f"{error}. Look at it anew before you change it.") from None
    except UnknownSourceError as error:
        raise NotFoundException(f"There is no source {error}.") from None
    except ValueError as error:
        raise ClientException(str(error)) from None


async def _told(fusion: "Fusion", topic: Topic) -> Response[bytes]:
    content = await _doing(fusion.views.ask(topic))
    return Response(bytes(content), media_type="application/json", headers={"cache-control": "no-store"})


def _views(fusion: "Fusion", door: Door) -> Sequence[ControllerRouterHandler]:
    guard = door.guard(allow=READERS, scope=SCOPE)
    reading = partial(get, guards=[guard], security=SECURITY, raises=REFUSALS)

    @reading("/stream")
    async def stream() -> Response[bytes]:
        """What all sources say now, and which of them answered."""
        return await _told(fusion, "snapshot")

    @reading("/health")
    async def health() -> Response[bytes]:
        """How each source does: whether it answers, how old its values are, what went wrong."""
        return await _told(fusion, "health")

    @reading("/emitter/health")
    async def emitter_health() -> Response[bytes]:
        """How the emitter does: whether it is active, how many pulses it has made, who listens."""
        return await _told(fusion, "emitter")

    @reading("/emitter/performance")
    async def emitter_performance() -> Response[bytes]:
        """What the emitter takes: processor, memory, the time to collect and to publish."""
        return await _told(fusion, "performance")

    return [stream, health, emitter_health, emitter_performance]


def _steering(fusion: "Fusion", door: Door) -> Sequence[ControllerRouterHandler]:
    guard = door.guard(allow=OPERATORS, scope=SCOPE)
    steering = partial(post, guards=[guard], security=SECURITY, raises=REFUSALS, status_code=HTTP_200_OK)
    example = Body(examples=[Example(value={"minutes": 3})])

    async def paced(*, by: str, interval_s: float | None = None, paused: bool | None = None) -> Paced:
        pace = await _doing(fusion.set_pace(interval_s=interval_s, paused=paused, by=by))
        return Paced(round(pace.interval_s / 60, 4), pace.interval_s, pace.paused)

    @steering("/emitter/interval")
    async def interval(data: Annotated[Pacing, example], request: Caller) -> Paced:
        """Change the pace, for good."""
        return await paced(by=request.user.name, interval_s=data.interval_s)

    @steering("/emitter/pause")
    async def pause(request: Caller) -> Paced:
        """Make no more pulses, but those that are asked for."""
        return await paced(by=request.user.name, paused=True)

    @steering("/emitter/resume")
    async def resume(request: Caller) -> Paced:
        """Make pulses again."""
        return await paced(by=request.user.name, paused=False)

    @steering("/refresh")
    async def refresh() -> Response[bytes]:
        """Have a pulse made now. Answers with what it says."""
        return await _told(fusion, "refresh")

    return [interval, pause, resume, refresh]


def _history(fusion: "Fusion", door: Door) -> Sequence[ControllerRouterHandler]:
    guard = door.guard(allow=READERS, scope=SCOPE)
    reading = partial(get, guards=[guard], security=SECURITY, raises=REFUSALS)

    def window(since: str | None, until: str | None) -> tuple[int, int]:
        try:
            end = fusion.now_ms() if until is None else moment(_number(until))
            return (end - DAY_MS if since is None else moment(_number(since))), end
        except ValueError as error:
            raise ClientException(f"from or to {error}") from None

    @reading("/history")
    async def chart(
        metric: Metrics,
        since: Annotated[str | None, QueryParameter(name="from", description="A day before `to` by default.")] = None,
        until: Annotated[str | None, QueryParameter(name="to", description="Now by default.")] = None,
        points: Annotated[int, QueryParameter(description="Steps of the chart at most.")] = POINTS,
    ) -> Chart:
        """Lines of metrics over a time, with the lowest, highest and mean value of each step."""
        start, end = window(since, until)
        drawn: Chart = await _doing(fusion.kept.query(metric, start, end, points))
        return drawn

    @reading("/history/metrics")
    async def metrics() -> KnownMetrics:
        """What there is to draw."""
        return KnownMetrics(await _doing(fusion.kept.metrics()))

    @reading("/history/export")
    async def export(
        metric: Metrics,
        since: Annotated[str | None, QueryParameter(name="from")] = None,
        until: Annotated[str | None, QueryParameter(name="to")] = None,
        form: Annotated[Literal["csv", "json"], QueryParameter(name="format")] = "csv",
        tier: Annotated[str, QueryParameter(description="raw, minutes or hours; else the finest one there is.")] = "",
    ) -> Stream:
        """All that is kept of metrics over a time, as a file."""
        start, end = window(since, until)
        pieces = await _doing(_begun(lambda: fusion.kept.export(metric, start, end, form, tier)))
        name = file_name(metric, start, end, form)
        headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
        return Stream(pieces, media_type=_KINDS[form], headers=headers)

    return [chart, metrics, export]


_KINDS: Final = {"csv": "text/csv", "json": "application/json"}


async def _begun(make: Callable[[], AsyncIterator[bytes]]) -> AsyncIterator[bytes]:
    """The pieces of a file, once the first one is there: what goes wrong before that can still be told."""
    pieces = make()
    return _joined(await anext(pieces), pieces)


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _number(text: str) -> object:
    """Digits alone are milliseconds since 1970."""
    return int(text) if text.isdecimal() and len(text) < 20 else text


def _sources(fusion: "Fusion", door: Door) -> Sequence[ControllerRouterHandler]:
    options: dict[str, Any] = {
        "guards": [door.guard(allow=ADMINS, scope=SCOPE)],
        "security": SECURITY,
        "raises": [*REFUSALS, ConflictException, ChangedException, NotFoundException],
    }
    example = Body(examples=[Example(value={"kind": "json_file", "name": "openOrders", "path": "orders.json"})])

    @get("/sources", **options)
    async def every() -> Sources:
        """All sources with their settings, without what is secret in them."""
        entries, is_current = await _doing(fusion.book.shown())
        return Sources(str(fusion.book.folder), entries, is_current)

    @post("/sources/test", **options, status_code=HTTP_200_OK)
    async def test(data: Annotated[Source, example]) -> Tried:
        """Ask a source once, whether it is in the book or not."""
        try:
            values, hints = await _doing(fusion.book.test(data))
            return Tried(True, values, hints=hints)
        except SourceError as error:
            return Tried(False, error=str(error))

    handlers: list[ControllerRouterHandler] = [every, test]
    if not fusion.keeps_history:
        return handlers

    @post("/sources", **options)
    async def add(data: Annotated[Source, example], request: Caller) -> Entry:
        """Add a source. A pulse follows at once."""
        entry: Entry = await _doing(fusion.book.add(data, by=request.user.name))
        await _doing(fusion.tell_others())
        return entry

    @put("/sources/{name:str}", **options)
    async def change(
        name: FromPath[str], data: Annotated[Source, example], request: Caller, seen: Seen = None
    ) -> Entry:
        """Change a source that was added. What is secret and left out stays as it was."""
        work = fusion.book.change(name, data, by=request.user.name, seen=_unquoted(seen))
        entry: Entry = await _doing(work)
        await _doing(fusion.tell_others())
        return entry

    @delete("/sources/{name:str}", **options)
    async def remove(name: FromPath[str], request: Caller, seen: Seen = None) -> None:
        """Forget a source that was added. What is kept of its values stays."""
        await _doing(fusion.book.remove(name, by=request.user.name, seen=_unquoted(seen)))
        await _doing(fusion.tell_others())

    return [*handlers, add, change, remove]


def _unquoted(seen: str | None) -> str | None:
    """The version in a header; a star stands for any."""
    return None if seen is None or seen.strip() == "*" else seen.strip().strip('"')
