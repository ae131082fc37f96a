"""What a line of tail looks like, and where it begins."""

import json

import click
import pytest

from vagus.cli.tail import EnoughError, Printer, Since, since_from

PUBLICATION = {"data": {"a": [1]}, "offset": 3, "time": 0, "tags": {"region": "eu"}}


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("10m", Since(ago_s=600)),
        ("2d", Since(ago_s=172_800)),
        ("120", Since(offset=120)),
        ("120:ab:c", Since(offset=120, epoch="ab:c")),
    ],
)
def test_a_beginning_is_a_time_or_a_position(text: str, since: Since) -> None:
    assert since_from(text) == since


@pytest.mark.parametrize("text", ["", "m", "-1", "1w", "1:", "1.5h"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        since_from(text)


def test_a_line_has_channel_number_tags_and_data(capsys: pytest.CaptureFixture[str]) -> None:
    Printer(as_json=False, count=None).show("orders:1", PUBLICATION, "e")
    assert click.unstyle(capsys.readouterr().out)[8:] == ' orders:1 #3 region=eu {"a":[1]}\n'


def test_json_holds_all_that_is_needed_to_go_on_from_there(capsys: pytest.CaptureFixture[str]) -> None:
    Printer(as_json=True, count=None).show("orders:1", PUBLICATION, "e")
    assert json.loads(capsys.readouterr().out) == {"channel": "orders:1", "epoch": "e", **PUBLICATION}


def test_it_stops_after_as_many_as_were_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    printer = Printer(as_json=True, count=2)
    printer.show("c", {"data": 1}, "")
    with pytest.raises(EnoughError):
        printer.show("c", {"data": 2}, "")
    assert capsys.readouterr().out.count("\n") == 2
