"""The types of @vagus/client that are made are what the server's source says now, and say it right."""

from pathlib import Path
from types import ModuleType
from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta

from tools import write_types
from tools.write_types import Types
from vagus.hub import Hub


class Wheel(msgspec.Struct, frozen=True):
    """One of several."""

    size_cm: Annotated[int, Meta(ge=0, description="Across.")] = 60


class Bicycle(msgspec.Struct, frozen=True, rename="camel"):
    frame_kind: Literal["city", "race"]
    wheels: tuple[Wheel, ...] = ()
    owner: str | None = None


class Spare(msgspec.Struct, frozen=True, omit_defaults=True):
    part: str
    count: int = 1


def interface(kind: type[msgspec.Struct], *, sent: bool = False) -> str:
    types = Types()
    types.of(kind, sent=sent)
    return types.interfaces[kind.__name__]


def test_files_that_are_made_are_fresh() -> None:
    assert write_types.stale_files() == []


def test_a_file_that_was_changed_by_hand_is_stale(tmp_path: Path) -> None:
    (tmp_path / "codes.ts").write_text(write_types.codes_file())
    (tmp_path / "messages.ts").write_text(write_types.messages_file() + "// by hand\n")
    assert write_types.stale_files(tmp_path) == ["messages.ts"]


@pytest.mark.parametrize("app", write_types.apps(), ids=lambda app: app.__name__)
def test_what_an_app_publishes_is_on_channels_that_it_has(app: ModuleType) -> None:
    hub = Hub()
    app.install(hub)
    assert set(app.PUBLISHED) <= {rule.pattern for rule in hub.rules.rules}


def test_channels_of_a_pattern_are_all_that_it_may_name() -> None:
    assert write_types.channel_key("site:{id}:cpu") == "[channel: `site:${string}:cpu`]"
    assert write_types.channel_key("user-activity") == '"user-activity"'


def test_fields_have_their_names_on_the_wire_and_what_they_may_hold() -> None:
    assert interface(Bicycle).splitlines() == [
        "export interface Bicycle {",
        '  readonly frameKind: "city" | "race";',
        "  readonly wheels: readonly Wheel[];",
        "  readonly owner: string | null;",
        "}",
    ]


def test_docstrings_and_descriptions_become_comments() -> None:
    lines = interface(Wheel).splitlines()
    assert lines[0] == "/** One of several. */"
    assert "  /** Across. */" in lines


def test_what_a_client_may_leave_out_is_optional() -> None:
    assert "  readonly wheels?: readonly Wheel[];" in interface(Bicycle, sent=True)
    assert '  readonly frameKind: "city"' in interface(Bicycle, sent=True)


def test_what_the_server_may_leave_out_is_optional() -> None:
    assert "  readonly count?: number;" in interface(Spare)
    assert "  readonly part: string;" in interface(Spare)


def test_two_types_of_one_name_are_refused() -> None:
    types = Types()
    types.of(Wheel)
    with pytest.raises(TypeError, match="Wheel is two types"):
        types.of(msgspec.defstruct("Wheel", [("spokes", int)]))


def test_a_type_without_a_counterpart_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="complex"):
        Types().of(complex)
