"""Settings of fusion: how often its sources are collected, and what they are, each kind a table of its own."""

from typing import Annotated, ClassVar, Final, Literal

import msgspec

from .history import History
from .section import Count, Positive, Section

Kind = Literal["number", "text", "flag", "moment", "list"]
Combine = Literal["count", "sum", "min", "max", "average"]
Shape = Literal["count", "amount"]

NAME: Final = "^[a-z][A-Za-z0-9]{0,63}$"
Name = Annotated[str, msgspec.Meta(pattern=NAME)]
Unit = Annotated[str, msgspec.Meta(max_length=32)]
FilePath = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
Url = Annotated[str, msgspec.Meta(pattern="^https?://", max_length=2048)]

MAX_BYTES: Final = 16 * 1024 * 1024


class PlainField(Section, frozen=True, kw_only=True):
    """A value by its name."""

    name: Name
    """What it is called in snapshots and charts, in camelCase: letters and digits."""
    kind: Kind = "number"
    """What it is."""
    unit: Unit = ""
    """What it counts, such as EUR, ms or orders."""


class JsonField(PlainField, frozen=True, kw_only=True):
    """A value in a JSON document."""

    select: Annotated[str, msgspec.Meta(max_length=500)] = ""
    """Where it is: $.orders.open, $['any name'], $.list[0], $.tasks[?@.state == 'done'], $.items[:50]. Empty: a number
    is how many elements there are, a list is the one that is found, anything else the whole document."""
    combine: Combine | None = None
    """How several values become one number; without it they are counted."""
    look_for: Shape | None = None
    """What a number without select is: count, how many elements there are; or amount, what is under mrr, revenue, total
    or the like, also as text with a currency. Without it: count."""


class PrometheusField(Section, frozen=True, kw_only=True):
    """A value of a Prometheus endpoint; always a number."""

    name: Name
    """What it is called in snapshots and charts, in camelCase: letters and digits."""
    unit: Unit = ""
    """What it counts, such as requests or s."""
    metric: Annotated[str, msgspec.Meta(pattern="^[a-zA-Z_:][a-zA-Z0-9_:]*$", max_length=256)]
    """The metric's name, as the endpoint writes it."""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    """Labels that it must have; it may have others."""
    combine: Combine | None = None
    """How several that match become one number. Without it more than one is an error."""


class _Source(Section, frozen=True, kw_only=True, tag_field="kind"):
    name: Name
    """What it is called, in camelCase. Its health is shown as this and Available."""
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=300)] = 5.0
    """How long it may take."""
    freshness_s: Positive | None = None
    """From which age on its values count as stale. Without it: never."""
    every_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """It is asked at most this often, however often all are collected. 0 is each time."""


class JsonFileSource(_Source, frozen=True, kw_only=True, tag="json_file"):
    """Values in a JSON file, which is read when it changed."""

    path: FilePath
    """The file; what does not begin with / is in fusion.folder."""
    fields: tuple[JsonField, ...] = ()
    """The values in it. Without any: one number with the source's name, how many elements there are."""
    max_bytes: Count = MAX_BYTES
    """A larger file is refused."""


class JsonListSource(_Source, frozen=True, kw_only=True, tag="json_list"):
    """A list in a JSON file, shown as it is."""

    path: FilePath
    """The file; what does not begin with / is in fusion.folder."""
    select: Annotated[str, msgspec.Meta(max_length=500)] = ""
    """Where the list is. Empty: the document itself, or the list in it."""
    unit: Unit = ""
    """What it lists."""
    max_bytes: Count = MAX_BYTES
    """A larger file is refused."""


class LogFileSource(_Source, frozen=True, kw_only=True, tag="log_file"):
    """Values in the last line of a log that matches a pattern. Rotation is followed, and only what is new is read."""

    path: FilePath
    """The file; what does not begin with / is in fusion.folder."""
    pattern: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    """A regular expression with a named group for each value: ``(?P<files>\\d+) files in (?P<seconds>[\\d.]+) s``.
    Empty: the last line that tells a status, as status=... or by a word such as ERROR or completed, counts."""
    fields: tuple[PlainField, ...] = ()
    """What the groups are. A group that is not here is text. Without a pattern, a text is the status and a moment its
    time; without any field, the status has the source's name."""
    max_bytes: Count = MAX_BYTES
    """How far back the line is looked for."""


class HttpJsonSource(_Source, frozen=True, kw_only=True, tag="http_json"):
    """Values in a JSON document that a server answers with."""

    secrets: ClassVar[frozenset[str]] = frozenset({"url", "headers"})

    url: Url
    """Where it is."""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    """What to send with the request, such as Authorization. Not sent on to another host."""
    fields: tuple[JsonField, ...] = ()
    """The values in it. Without any: one number with the source's name, how many elements there are."""
    max_bytes: Count = MAX_BYTES
    """A larger answer is refused."""
    ca_file: str = ""
    """Certificates of authorities, in PEM form, that are believed beside the system's."""


class PrometheusSource(_Source, frozen=True, kw_only=True, tag="prometheus"):
    """Numbers of an endpoint in the text format of Prometheus."""

    secrets: ClassVar[frozenset[str]] = frozenset({"url", "headers"})

    url: Url
    """Where it is, such as http://127.0.0.1:9100/metrics."""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    """What to send with the request, such as Authorization. Not sent on to another host."""
    fields: Annotated[tuple[PrometheusField, ...], msgspec.Meta(min_length=1)]
    """The numbers."""
    max_bytes: Count = MAX_BYTES
    """A larger answer is refused."""
    ca_file: str = ""
    """Certificates of authorities, in PEM form, that are believed beside the system's."""


class SqlSource(_Source, frozen=True, kw_only=True, tag="sql"):
    """What a query gives: one row, whose columns are the values, or rows of two columns, a name and its value."""

    secrets: ClassVar[frozenset[str]] = frozenset({"url"})

    url: Annotated[str, msgspec.Meta(pattern="^(sqlite|postgresql|postgres)://", max_length=2048)]
    """sqlite:///path or postgresql://user:password@host/database. It is opened for reading only."""
    query: Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
    """The statement."""
    fields: tuple[PlainField, ...] = ()
    """The columns or names that are values. Without any: one number with the source's name, the first column."""


class GitActivitySource(_Source, frozen=True, kw_only=True, tag="git_activity"):
    """Commits of a git repository: of the last day and the last week, and the moment and subject of the last one.

    Its values are the source's name and CommitsDay, CommitsWeek, LastCommit and LastSubject.
    """

    path: FilePath
    """The repository's folder; what does not begin with / is in fusion.folder."""
    branch: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}$")] = "HEAD"
    """Whose commits are counted."""
    every_s: Annotated[float, msgspec.Meta(ge=0)] = 60.0
    """It is asked at most this often, however often all are collected."""


SourceSettings = (
    JsonFileSource | JsonListSource | LogFileSource | HttpJsonSource | PrometheusSource | SqlSource | GitActivitySource
)


class Fusion(Section, frozen=True, kw_only=True):
    """Values of many sources, collected side by side and published as pulses."""

    enabled: bool = True
    """Whether it is there."""
    interval_s: Annotated[float, msgspec.Meta(ge=1, le=86_400)] | None = None
    """How often the sources are collected, until somebody changes it while it runs. Without it: 300, in a demo 5."""
    folder: str = ""
    """Where paths of sources begin. Empty: the data folder."""
    default_sources: bool = True
    """Collect memo_index.json, revenue_snapshot.json, drive_sync.log and ERIC_recommendations.json in that folder."""
    sources: tuple[SourceSettings, ...] = ()
    """More sources, each a table with its kind."""
    history: History = History()
    """What is kept of their numbers."""
    requests_per_s: Positive = 50.0
    """How often one caller, a user or a key, may ask over HTTP in the long run; the answer beyond it is 429."""
    requests_burst: Count = 200
    """How often at once after a pause."""
