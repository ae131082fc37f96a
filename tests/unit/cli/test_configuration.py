"""Whether the configuration is right, and its documentation, which is made from the tree itself."""

import json
from pathlib import Path

import pytest

from vagus.settings import options
from vagus.settings.sources import LEGACY

from .conftest import Run


def test_no_configuration_is_a_right_one_and_nothing_is_written(run: Run, empty_folder: Path) -> None:
    assert run("check-config").out == "the configuration is right\n"
    assert not list(empty_folder.iterdir())


def test_every_problem_is_a_line_with_its_source(run: Run, empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty_folder / "vagus.toml").write_text('[access]\norigins = ["x"]')
    monkeypatch.setenv("VAGUS_ACCESS__PROXIES", "y")
    ran = run("check-config")
    assert ran.code == 2
    assert ran.err.splitlines() == [
        "vagus: vagus.toml: access.origins: 'x' is not an origin such as https://*.example.com",
        "vagus: VAGUS_ACCESS__PROXIES: access.proxies: 'y' does not appear to be an IPv4 or IPv6 network",
    ]


def test_the_file_may_be_anywhere(run: Run, empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty_folder / "other.toml").write_text("port = 1")
    assert run("check-config", "--config", "other.toml").code == 2
    monkeypatch.setenv("VAGUS_CONFIG", "other.toml")
    assert run("check-config").code == 2


def test_the_documentation_names_every_option_variable_and_meaning(run: Run) -> None:
    text = run("config-doc").out
    for option in options():
        if option.section != "subscription_tokens":
            assert option.variable in text
            assert option.doc.replace("|", "\\|").replace("``", "`") in text
    assert all(legacy.name in text for legacy in LEGACY)


def test_the_documentations_tables_are_whole(run: Run) -> None:
    rows = [line for line in run("config-doc").out.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {4, 5, 6}


def test_the_documentation_comes_as_json_too(run: Run) -> None:
    assert {row["path"] for row in json.loads(run("config-doc", "--json").out)} == {row.path for row in options()}
