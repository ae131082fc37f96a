"""ADM-12: the file of examples runs request by request, and the page in the documentation names everything."""

import re
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import pytest

from tests.integration.admin.house import BASE, House
from tests.patience import DEADLINE_S
from vagus.apps.admin.calls import add_section
from vagus.apps.admin.events import EVENTS, AdminEvent
from vagus.hub import Hub

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = (ROOT / "docs" / "admin.md").read_text("utf-8")


class Example(msgspec.Struct, frozen=True):
    """One request of the file, with its variables still in it."""

    title: str
    expected: int
    method: str
    url: str
    headers: dict[str, str]
    body: str

    @classmethod
    def read(cls, text: str) -> "Example":
        title, _, rest = text.partition("\n")
        lines = [line for line in rest.splitlines() if not line.startswith(("#", "//"))]
        head, _, body = "\n".join(lines).strip().partition("\n\n")
        request, *fields = head.splitlines()
        method, url = request.split(" ")
        (expected,) = re.findall(r"^# answers (\d+)$", rest, re.MULTILINE)
        headers = {name: value for name, _, value in (field.partition(": ") for field in fields)}
        return cls(title.strip(), int(expected), method, url, headers, body)

    def filled(self, variables: dict[str, str]) -> "Example":
        text = msgspec.json.encode(self).decode()
        return msgspec.json.decode(re.sub(r"\{\{(\w+)\}\}", lambda found: variables[found[1]], text), type=Example)


def examples_and_variables() -> tuple[list[Example], dict[str, str]]:
    preamble, *requests = re.split(r"^###", (ROOT / "examples" / "admin.http").read_text("utf-8"), flags=re.MULTILINE)
    return [Example.read(text) for text in requests], dict(re.findall(r"^@(\w+) = (.+)$", preamble, re.MULTILINE))


EXAMPLES, VARIABLES = examples_and_variables()


async def paths_of(house: House) -> dict[tuple[str, str], Any]:
    async with house.http() as http:
        paths = (await http.get("/docs/openapi.json")).json()["paths"]
    return {
        (verb.upper(), path): operation
        for path, item in paths.items()
        if path.startswith(BASE)
        for verb, operation in item.items()
    }


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
async def test_adm_12_an_example_answers_what_it_says(house: House, example: Example) -> None:
    filled = example.filled(
        {"host": house.site, "token": house.admin_token, "viewer": house.token("eve", "viewer"), "key": house.key}
    )
    async with httpx.AsyncClient(timeout=DEADLINE_S) as http:
        answer = await http.request(filled.method, filled.url, headers=filled.headers, content=filled.body)
    assert answer.status_code == filled.expected, answer.text


async def test_adm_12_the_file_has_every_endpoint_and_only_variables_that_it_explains(house: House) -> None:
    shown = {(example.method, example.url.removeprefix("{{host}}")) for example in EXAMPLES}
    assert set(await paths_of(house)) - shown == set()
    used = set(re.findall(r"\{\{(\w+)\}\}", str(EXAMPLES)))
    assert used == set(VARIABLES)


async def test_adm_12_the_page_has_every_endpoint(house: House) -> None:
    rows = set(re.findall(r"^\| `(GET|POST) …(/[a-z/-]+)` \|", PAGE, re.MULTILINE))
    assert {(verb, BASE + path) for verb, path in rows} == set(await paths_of(house))


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_adm_12_the_page_has_every_event_with_its_channel_and_fields(kind: type[AdminEvent]) -> None:
    (row,) = re.findall(rf"^\| `{kind.__name__}` \| `([a-z-]+)` \| `(\w+)` \| (.+) \|$", PAGE, re.MULTILINE)
    fields = msgspec.structs.fields(kind)
    assert row[0] == kind.group
    assert re.findall(r"`(\w+)`", row[2]) == [f.encode_name for f in fields if f.encode_name not in ("id", "at")]
    needed = [field.encode_name for field in fields if field.required]
    assert re.findall(r"\*`(\w+)`\*", row[2]) == needed


def test_adm_12_the_page_has_every_method_of_the_hub() -> None:
    assert [name for name in add_section(Hub()).names if f"`{name}`" not in PAGE] == []
