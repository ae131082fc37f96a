"""The pages that a person sees: whole, from here alone, and safe against what they show."""

import re
from html.parser import HTMLParser

import httpx
import pytest

from vagus.api.methods import METHODS
from vagus.api.openapi import document
from vagus.api.pages import Documentation, curl, docs_page, prose

PAGES = ["/", "/docs"]


class Page(HTMLParser):
    """Gathers what a page refers to, and checks that every tag is closed."""

    VOID = frozenset({"meta", "link", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        assert not any(name.startswith("on") or name == "style" for name, _ in attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_allows_nothing_but_its_own_style_and_images(http: httpx.AsyncClient, path: str) -> None:
    headers = (await http.get(path)).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_needs_nothing_from_elsewhere(http: httpx.AsyncClient, path: str) -> None:
    page = Page((await http.get(path)).text)
    assert page.open == []
    assert not {"script", "style", "iframe", "form"} & set(page.tags)
    assert len(page.ids) == len(set(page.ids))
    for address in page.addresses:
        if address.startswith("#"):
            assert address[1:] in page.ids
        else:
            found = await http.get(f"http://hub.example/{address}")
            assert found.status_code in (200, 401), address


async def test_every_method_has_its_section(http: httpx.AsyncClient) -> None:
    text = (await http.get("/docs")).text
    for name in METHODS:
        assert f'id="post-api-{name.replace("_", "-")}"' in text


def test_nested_fields_are_unfolded_by_their_paths() -> None:
    text = re.sub(r"<[^>]+>", "", docs_page(document()).body.decode())
    for path in ("since.offset", "recover_since.epoch", "override.presence.value", "nodes[].process.rss"):
        assert path in text
    assert "presence.*.user" in text


def test_what_is_shown_is_escaped() -> None:
    evil = "<script>alert('x')</script>"
    operation = {"summary": evil, "tags": [evil], "description": f"`{evil}`", "responses": {}, "x-scope": evil}
    parameters = [{"name": evil, "in": "query", "description": evil, "schema": {"type": evil}}]
    paths = {f"/{evil}": {"get": {**operation, "parameters": parameters}}}
    text = Documentation({"info": {"version": evil, "description": evil}, "paths": paths}).html()
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_what_stands_between_backticks_is_code() -> None:
    assert prose("a `<b>` c") == "a <code>&lt;b&gt;</code> c"


def test_an_example_is_safe_to_paste() -> None:
    body = {"content": {"application/json": {"example": {"text": "it's $(here)"}}}}
    line = curl("post", "/api/publish", {"requestBody": body, "security": [{"key": []}]})
    assert """-d '{"text": "it'"'"'s $(here)"}'""" in line
    assert line.startswith("curl \\\n  -H 'X-API-Key: KEY'")
