"""The command of bench/scaling, and how its figures come out of the benchmarks' and into the page."""

import json

import pytest

from bench.scaling.__main__ import main
from bench.scaling.costs import FILE, read
from bench.scaling.deriving import LEAST, costs_from, with_values
from bench.scaling.model import Machines, Workload
from bench.scaling.report import MARK, as_text, costs_table, plan, with_tables

MEASURED = {
    "us_per_connection": 150,
    "bytes_per_connection": 3_600,
    "us_per_delivery_50": 10.1,
    "us_per_delivery_300": 2.5,
    "us_per_delivery_1200": 0.7,
    "publish_us": 30,
    "hear_us": 9,
    "redis_us": 12,
    "redis_many_us": 15,
    "redis_many": 4,
    "redis_publication_bytes": 80,
    "return_us": 200,
    "redis_recover_us": 25,
} | {
    f"{channel}_{key}": value
    for channel, key, value in (
        ("bare", "us_per_connection", 200),
        ("kept", "us_per_connection", 250),
        ("met", "us_per_connection", 230),
        ("kept", "bytes_per_connection", 5_600),
        ("kept", "rest_us", 2),
        ("bare", "redis_us", 5),
        ("kept", "redis_us", 20),
        ("met", "redis_us", 30),
        ("bare", "redis_rest_us", 1),
        ("kept", "redis_rest_us", 1.1),
        ("bare", "redis_bytes", 90),
        ("met", "redis_bytes", 900),
    )
}


def test_costs_are_differences_of_what_was_measured() -> None:
    costs = costs_from(MEASURED)
    assert costs["subscribe_us"] == 100
    assert costs["presence_us"] == 30
    assert costs["redis_hear_us"] == 1  # three nodes more for 3 µs more
    assert costs["redis_publish_us"] == 11
    assert costs["message_us"] == pytest.approx((840 - 750) / 900)
    assert costs["write_us"] == pytest.approx(10)
    assert costs["redis_check_us"] == pytest.approx(3)  # 0.1 µs each second, once in 30
    assert costs["channel_bytes"] == 2_000
    assert costs["redis_presence_bytes"] == 810


def test_a_difference_is_never_less_than_nothing() -> None:
    assert costs_from(MEASURED | {"met_redis_us": 1})["redis_presence_us"] == LEAST


def test_figures_take_their_places_and_nothing_else_changes() -> None:
    text = FILE.read_text()
    changed = with_values(text, {"hear_us": 12.3456})
    assert "[hear_us]\nvalue = 12.3\n" in changed
    differing = [new for old, new in zip(text.splitlines(), changed.splitlines(), strict=True) if old != new]
    assert differing == ["value = 12.3"]


def test_every_derived_figure_has_a_place() -> None:
    with_values(FILE.read_text(), costs_from(MEASURED))
    with pytest.raises(ValueError, match="nonsense_us"):
        with_values(FILE.read_text(), {"nonsense_us": 1})


def test_tables_take_their_places() -> None:
    page = f"# A\n\n{MARK}| old |\n| --- |\n\nbetween\n\n{MARK}\n\nafter\n"
    assert with_tables(page, ["| 1 |", "| 2 |"]) == f"# A\n\n{MARK}| 1 |\n\nbetween\n\n{MARK}| 2 |\n\nafter\n"
    with pytest.raises(ValueError, match="2 times"):
        with_tables("# A\n", ["| 1 |", "| 2 |"])


def test_a_plan_is_printed_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--connections", "20000", "--cores", "2", "--memory-gb", "4"]) == 0
    printed = capsys.readouterr().out
    assert "machines" in printed
    assert "a machine lost: clients that move" in printed


def test_a_plan_is_printed_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--connections", "20000", "--presence", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["workload"]["connections"] == 20_000
    assert made["size"]["redis_cores"]["presence"] > 0
    assert made["course"]["all_back_s"] > 0.5


@pytest.mark.parametrize(
    "words",
    [
        ["--connections", "0"],
        ["--busy", "1"],
        ["--connections", "many"],
        ["--publications-per-s", "inf"],
        ["--lifetime-s", "nan"],
        ["--costs", "no"],
    ],
)
def test_options_that_make_no_sense_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_help_names_every_option_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    printed = capsys.readouterr().out
    fields = (*Workload.__struct_fields__, *Machines.__struct_fields__)
    assert [name for name in fields if f"--{name.replace('_', '-')}" not in printed] == []


def test_one_machine_that_is_lost_leaves_nothing() -> None:
    assert "too little is left" in as_text(plan(Workload(), Machines(spare=0), read()))


def test_the_tables_name_every_cost() -> None:
    assert costs_table(read()).count("\n") == len(read().__struct_fields__) + 1
