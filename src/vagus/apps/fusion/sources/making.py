"""Sources from settings, and the four that come ready."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar, assert_never

from vagus.apps.fusion.threads import Threads
from vagus.apps.fusion.values import Field, Terms
from vagus.settings.fusion import (
    GitActivitySource,
    HttpJsonSource,
    JsonField,
    JsonFileSource,
    JsonListSource,
    LogFileSource,
    PlainField,
    PrometheusSource,
    SourceSettings,
    SqlSource,
)

from . import Source, prometheus
from .fence import Fence
from .fetched import Fetched
from .files import Looks
from .git_activity import GitActivity, fields_of
from .http import Endpoint
from .json_file import JsonFile
from .log_file import Interpret, LogFile, Pattern
from .picking import Pick, pick_of, picked
from .shapes import sync_status
from .sql import Rows, Sql, SqliteRows

S = TypeVar("S")
T = TypeVar("T")


class Surroundings:
    """What sources share: the folder where their paths begin, looks at files, and threads.

    Those for disks are not those for hosts, so that a name server that hangs keeps nobody from reading a file.
    """

    def __init__(self, folder: Path, private: Iterable[Path] = ()) -> None:
        self.folder = folder.absolute()
        self.fence = Fence(folder, private)
        self.disks = Threads()
        self.hosts = Threads()
        self.looks = Looks(self.disks)

    async def close(self) -> None:
        await self.looks.close()
        self.disks.close()
        self.hosts.close()

    def path(self, text: str) -> Path:
        """Raises ``ValueError`` for what is no path."""
        if "\0" in text:
            raise ValueError("path: has a character that no path has")
        return self.folder / text


def source_of(settings: SourceSettings, around: Surroundings, fence: Fence | None = None) -> Source:
    """Raises ``ValueError`` with the option that is wrong; connects to nothing and reads nothing.

    ``fence`` is that of ``around`` for a source from the network, which reads what that allows alone.
    """
    if fence is not None:
        fence.check(settings)
    match settings:
        case JsonFileSource():
            return _json_file(settings, _picks(settings.name, settings.fields), around, fence)
        case JsonListSource():
            listed = JsonField(name=settings.name, kind="list", unit=settings.unit, select=settings.select)
            return _json_file(settings, [pick_of(listed)], around, fence)
        case LogFileSource():
            found, interpret = _lines(settings)
            path, terms = around.path(settings.path), _plain_terms(settings, found)
            return LogFile(terms, path, interpret, around.looks, max_bytes=settings.max_bytes, fence=fence)
        case HttpJsonSource():
            picks = _picks(settings.name, settings.fields)
            endpoint = _endpoint(settings, around, "application/json")
            return Fetched(_terms(settings, picks), endpoint, partial(picked, picks), around.disks)
        case PrometheusSource():
            metrics = _each(settings.fields, prometheus.Metric.of)
            terms = _plain_terms(settings, tuple(metric.field for metric in metrics))
            endpoint = _endpoint(settings, around, prometheus.ACCEPT)
            return Fetched(terms, endpoint, partial(prometheus.values_in, metrics), around.disks)
        case SqlSource():
            fields = settings.fields or (PlainField(name=settings.name),)
            terms = _plain_terms(settings, tuple(_each(fields, _plain_field)))
            return Sql(terms, _rows(settings, around, fence))
        case GitActivitySource():
            terms = _plain_terms(settings, fields_of(settings.name))
            return GitActivity(terms, around.path(settings.path), settings.branch, fence=fence)
    assert_never(settings)


def _json_file(
    settings: JsonFileSource | JsonListSource, picks: Sequence[Pick], around: Surroundings, fence: Fence | None
) -> JsonFile:
    path, terms = around.path(settings.path), _terms(settings, picks)
    return JsonFile(terms, path, picks, around.looks, max_bytes=settings.max_bytes, fence=fence)


def _picks(name: str, fields: Sequence[JsonField]) -> list[Pick]:
    return _each(fields, pick_of) if fields else [pick_of(JsonField(name=name))]


def _each(specs: Sequence[S], make: Callable[[S], T]) -> list[T]:
    """What is made of each field. Raises ``ValueError``, which says of which."""
    made: list[T] = []
    for index, spec in enumerate(specs):
        try:
            made.append(make(spec))
        except ValueError as error:
            raise ValueError(f"fields[{index}].{error}") from None
    return made


def _plain_field(spec: PlainField) -> Field:
    return Field(spec.name, spec.kind, spec.unit)


def _terms(settings: SourceSettings, picks: Sequence[Pick]) -> Terms:
    return _plain_terms(settings, tuple(pick.field for pick in picks))


def _plain_terms(settings: SourceSettings, fields: tuple[Field, ...]) -> Terms:
    return Terms(settings.name, fields, settings.timeout_s, settings.freshness_s, settings.every_s)


def _lines(settings: LogFileSource) -> tuple[tuple[Field, ...], Interpret]:
    """What the lines of a log give, and how."""
    if settings.pattern:
        pattern = Pattern(settings.pattern)
        return _fields_of_groups(pattern, settings.fields), pattern
    told = settings.fields or (PlainField(name=settings.name, kind="text"),)
    if not {field.kind for field in told} <= {"text", "moment"}:
        raise ValueError("fields: without a pattern a field is a text, the status, or a moment, its time")
    fields = tuple(_each(told, _plain_field))
    return fields, partial(_status_in, fields)


def _status_in(fields: Sequence[Field], line: str) -> Mapping[str, object] | None:
    found = sync_status(line)
    if found is None:
        return None
    status, at = found
    return {field.name: at if field.kind == "moment" else status for field in fields}


def _fields_of_groups(pattern: Pattern, fields: Sequence[PlainField]) -> tuple[Field, ...]:
    described = {field.name: field for field in fields}
    unknown = described.keys() - set(pattern.groups)
    if unknown:
        raise ValueError(f"fields: the pattern has no group named {', '.join(sorted(unknown))}")
    told = [described.get(group) or PlainField(name=group, kind="text") for group in pattern.groups]
    try:
        return tuple(map(_plain_field, told))
    except ValueError as error:
        raise ValueError(f"pattern: of a group, {error}") from None


def _endpoint(settings: HttpJsonSource | PrometheusSource, around: Surroundings, accept: str) -> Endpoint:
    return Endpoint(
        settings.url,
        around.hosts,
        headers=settings.headers,
        accept=accept,
        max_bytes=settings.max_bytes,
        ca_file=str(around.path(settings.ca_file)) if settings.ca_file else "",
    )


def _rows(settings: SqlSource, around: Surroundings, fence: Fence | None) -> Rows:
    scheme, _, rest = settings.url.partition("://")
    if scheme != "sqlite":
        from .postgresql import PostgresqlRows

        return PostgresqlRows(settings.url, settings.query, is_fenced=fence is not None)
    if not rest.startswith("/") or len(rest) < 2:
        raise ValueError("url: must be like sqlite:///orders.db, or sqlite:////var/lib/orders.db")
    return SqliteRows(around.path(rest[1:]), settings.query, around.disks, fence)


READY: Final[Sequence[SourceSettings]] = (
    JsonFileSource(name="memoIndex", path="memo_index.json", fields=(JsonField(name="memos", unit="memos"),)),
    JsonFileSource(
        name="revenue", path="revenue_snapshot.json", fields=(JsonField(name="revenue", look_for="amount"),)
    ),
    LogFileSource(
        name="driveSyncLog",
        path="drive_sync.log",
        fields=(PlainField(name="driveSync", kind="text"), PlainField(name="driveSyncLastSync", kind="moment")),
    ),
    JsonListSource(name="recommendations", path="ERIC_recommendations.json"),
)
"""Those that come ready; ``shapes`` says what is understood of their files."""
