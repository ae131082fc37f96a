"""The file of examples runs request by request, and the page in the documentation names everything."""

import asyncio
import json
import re
import subprocess
from collections.abc import Iterator
from typing import Final

import httpx
import pytest

from tests.examples.pages import Page
from tests.examples.test_docs import ADDRESS, fits
from tests.integration.admin.test_documents import ROOT, Example
from tests.patience import DEADLINE_S
from vagus.settings.describing import table_options
from vagus.settings.filling import tables_of
from vagus.settings.fusion import SourceSettings

from .conftest import StartStation
from .station import BASE, Station

PAGE: Final = Page(ROOT / "docs" / "fusion.md")
COMMON: Final = {"name", "timeout_s", "freshness_s", "every_s"}


def examples() -> list[Example]:
    text = (ROOT / "examples" / "fusion.http").read_text("utf-8")
    return [Example.read(request) for request in re.split(r"^###", text, flags=re.MULTILINE)[1:]]


@pytest.mark.timeout(60)
async def test_the_examples_answer_one_after_the_other_what_they_say(start_station: StartStation) -> None:
    station = start_station()
    station.write_files()
    tokens = {"token": station.token("ada", "admin"), "viewer": station.token("eve", "viewer")}
    async with httpx.AsyncClient(timeout=DEADLINE_S) as http:
        for example in examples():
            filled = example.filled({"host": station.url, "key": station.key, **tokens})
            answer = await http.request(filled.method, filled.url, headers=filled.headers, content=filled.body)
            assert answer.status_code == filled.expected, f"{example.title}: {answer.text}"


async def paths_of(station: Station) -> set[tuple[str, str]]:
    async with httpx.AsyncClient(timeout=DEADLINE_S) as http:
        paths = (await http.get(f"{station.url}/docs/openapi.json")).json()["paths"]
    return {(verb.upper(), path) for path, item in paths.items() if path.startswith(f"{BASE}/") for verb in item}


async def test_the_examples_have_every_endpoint(station: Station) -> None:
    shown = {(each.method, each.url.removeprefix("{{host}}").partition("?")[0]) for each in examples()}
    shown = {(verb, path.replace("/openTasks", "/{name}")) for verb, path in shown}
    assert shown == await paths_of(station)


async def test_the_page_has_every_endpoint(station: Station) -> None:
    rows = set(re.findall(r"^\| `([A-Z]+) …(/[a-z/{}-]+)` \|", PAGE.text, re.MULTILINE))
    assert {(verb, BASE + path) for verb, path in rows} == await paths_of(station)


def names_in(value: object) -> Iterator[str]:
    """All names of objects, but those of a source's settings, which are the configuration's."""
    match value:
        case dict():
            yield from value
            for name, each in value.items():
                yield from names_in(each) if name != "settings" else ()
        case list():
            for each in value:
                yield from names_in(each)


READ: Final = [
    "/stream",
    "/health",
    "/emitter/health",
    "/emitter/performance",
    "/history?metric=memos",
    "/history/metrics",
    "/history/export?metric=memos&format=json",
    "/history/export?metric=memos&format=json&tier=minutes",
    "/sources",
]


def test_what_is_read_below_is_all_there_is_to_read() -> None:
    shown = {each.url.removeprefix("{{host}}" + BASE).partition("?")[0] for each in examples() if each.method == "GET"}
    assert shown == {path.partition("?")[0] for path in READ}


@pytest.mark.parametrize("path", READ)
async def test_every_name_in_an_answer_is_in_camel_case(station: Station, path: str) -> None:
    await station.refresh()
    async with asyncio.timeout(DEADLINE_S):
        while not (await station.get("/history/metrics"))["metrics"]:  # noqa: ASYNC110  # it is written behind
            await asyncio.sleep(0.05)
    async with station.http("admin") as http:
        answer = (await http.get(path)).json()
    assert [name for name in names_in(answer) if "_" in name] == []


@pytest.mark.parametrize("kind", tables_of(SourceSettings), ids=lambda kind: kind.__name__)
def test_the_page_has_every_kind_of_source_with_its_options_and_an_example(kind: type) -> None:
    name = kind.__struct_config__.tag  # type: ignore[attr-defined]
    (row,) = re.findall(rf"^\| `{name}` \| (.+?) \|", PAGE.text, re.MULTILINE)
    paths = {option.path.partition(".")[2] for option in table_options(kind, "sources")}
    assert set(re.findall(r"`(\w+)`", row)) == paths - COMMON
    assert f'kind = "{name}"' in PAGE.configuration


def test_the_quick_start_shows_the_first_value(start_station: StartStation) -> None:
    station = start_station()
    script = PAGE.blocks("sh")[1].text.replace(ADDRESS, station.url.removeprefix("http://"))
    ran = subprocess.run(
        ["sh", "-c", script], cwd=station.data.parent, capture_output=True, text=True, timeout=DEADLINE_S
    )
    _, _, said = ran.stdout.rpartition('{"ok":true,"data"')
    shown = json.loads(PAGE.blocks("json")[0].text)
    shown["data"]["timestamp"] = "…"
    assert fits(shown, json.loads('{"ok":true,"data"' + said)), ran.stdout + ran.stderr
