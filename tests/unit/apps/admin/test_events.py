"""Events are valid or refused, have names of their own, and come out of channels as they went in."""

from typing import Any

import msgspec
import pytest

from vagus.apps.admin.events import (
    EVENTS,
    AdminEvent,
    Alert,
    AnalyticsUpdate,
    GenerationMetrics,
    PerformanceAlert,
    PlatformUpdate,
    RevenueUpdate,
    RoleAssignment,
    SystemEvent,
    UserActivity,
    UserCountUpdate,
    checked,
    envelope_of,
    event_in,
)
from vagus.kernel.events import event_of
from vagus.kernel.publications import Json

ONE_OF_EACH: list[AdminEvent] = [
    UserActivity(user_id="42", action="signed_in"),
    AnalyticsUpdate(metric="conversion", value=-1.5, change_percent=0.0),
    PlatformUpdate(status="operational", error_rate=1.0),
    UserCountUpdate(total=0),
    GenerationMetrics(total=3, failed=1),
    RevenueUpdate(amount=0.5, currency="EUR"),
    Alert(severity="success", title="Back"),
    PerformanceAlert(metric="p99", value=840, threshold=500),
    RoleAssignment(user_id="42", role="operator"),
    SystemEvent(event="deployment"),
]

WRONG: list[tuple[AdminEvent, str]] = [
    (UserActivity(user_id="", action="x"), "$.userId"),
    (UserActivity(user_id="1", action="x", detail="x" * 2001), "$.detail"),
    (AnalyticsUpdate(metric="m", value=float("nan")), "$.value"),
    (PlatformUpdate(status="fine"), "$.status"),  # type: ignore[arg-type]
    (PlatformUpdate(status="outage", error_rate=1.01), "$.errorRate"),
    (UserCountUpdate(total=-1), "$.total"),
    (UserCountUpdate(total=2**53), "$.total"),
    (GenerationMetrics(total=1, average_ms=-0.1), "$.averageMs"),
    (RevenueUpdate(amount=1, currency="euro"), "$.currency"),
    (RevenueUpdate(amount=1, currency="EUR\n"), "$.currency"),
    (Alert(severity="fatal", title="x"), "$.severity"),  # type: ignore[arg-type]
    (Alert(severity="info", title="x", id="x" * 65), "$.id"),
    (PerformanceAlert(metric="m", value=1, threshold=1, severity="info"), "$.severity"),  # type: ignore[arg-type]
    (RoleAssignment(user_id="1", role="x", change="given"), "$.change"),  # type: ignore[arg-type]
    (SystemEvent(event="x", at=-1), "$.at"),
]


def data_of(event: AdminEvent) -> Json:
    return msgspec.Raw(msgspec.json.encode(envelope_of(event)))


def test_there_is_an_example_of_every_event() -> None:
    assert tuple(type(event) for event in ONE_OF_EACH) == EVENTS


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: type(event).__name__)
def test_an_event_comes_out_of_a_channel_as_it_went_in(event: AdminEvent) -> None:
    assert event_in(data_of(checked(event))) == event


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: type(event).__name__)
def test_dialects_with_named_events_get_its_name_and_one_argument(event: AdminEvent) -> None:
    named = event_of(data_of(event))
    assert named is not None
    assert named.type == type(event).__name__
    assert msgspec.json.decode(named.arguments, type=list[type(event)]) == [event]  # type: ignore[misc]


@pytest.mark.parametrize(("event", "path"), WRONG, ids=lambda one: one if isinstance(one, str) else type(one).__name__)
def test_an_event_that_is_not_valid_is_refused_with_the_place(event: AdminEvent, path: str) -> None:
    with pytest.raises(ValueError, match=type(event).__name__) as caught:
        checked(event)
    assert path in str(caught.value)


def test_fields_are_in_camel_case_and_all_there() -> None:
    fields: dict[str, Any] = msgspec.to_builtins(RoleAssignment(user_id="42", role="viewer"))
    assert fields == {"id": "", "at": 0, "userId": "42", "role": "viewer", "change": "assigned", "changedBy": ""}


@pytest.mark.parametrize(
    "data",
    [
        b"1",
        b"{",
        b"{}",
        b'{"type":"Alert"}',
        b'{"type":"Nothing","payload":{}}',
        b'{"type":"Alert","payload":{"severity":"info"}}',
        b'{"type":"Alert","payload":{"severity":"info","title":"\xff"}}',
        b'{"type":"Alert","payload":' + b"[" * 100_000,
    ],
)
def test_what_is_no_event_is_none(data: bytes) -> None:
    assert event_in(msgspec.Raw(data)) is None
