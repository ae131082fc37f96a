"""The OpenAPI document: everything that is served is in it, once, and nothing in it leads nowhere."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import msgspec
from litestar import post
from litestar.params import JSONBody

from vagus.api.app import api_app
from vagus.api.methods import METHODS
from vagus.api.openapi import document
from vagus.testing import World


class Publish(msgspec.Struct):
    """An app's type with a name that the server API has too."""

    colour: str


@post("/api/things", tags=["Things"])
async def make_thing(data: JSONBody[Publish]) -> None:
    return None


def routes() -> Sequence[Any]:
    return [make_thing]


def test_every_method_is_listed_with_its_scope_and_example() -> None:
    paths = document()["paths"]
    assert {f"/api/{name}" for name in METHODS} < set(paths)
    for name, row in METHODS.items():
        operation = paths[f"/api/{name}"]["post"]
        assert operation.get("x-scope", "") == row.scope
        assert operation["requestBody"]["content"]["application/json"]["example"] == row.example
        assert operation["summary"]


def test_every_reference_leads_somewhere() -> None:
    whole = document()
    references = re.findall(r'"#/components/schemas/([^"]+)"', msgspec.json.encode(whole).decode())
    assert references
    assert set(references) <= set(whole["components"]["schemas"])


def test_every_field_of_a_request_is_described() -> None:
    schemas = document()["components"]["schemas"]
    for name in ("Publish", "Broadcast", "Subscribe", "Disconnect", "Refresh", "History"):
        for field, schema in schemas[f"ServerApi.{name}"]["properties"].items():
            inner = schema.get("anyOf", [schema])[0]
            assert "description" in inner or "$ref" in inner, (name, field)


def test_statuses_of_errors_are_listed_where_they_are_used() -> None:
    assert "416" not in document()["paths"]["/api/history"]["post"]["responses"]
    assert "416" in document(error_mode="transport")["paths"]["/api/history"]["post"]["responses"]


async def test_routes_of_apps_are_in_it_and_keep_their_types(
    world: World, http_to: Callable[..., httpx.AsyncClient]
) -> None:
    async with http_to(api_app(world.hub, keys=None, routes=routes)) as http:
        whole = (await http.get("/docs/openapi.json")).json()
    assert "/api/things" in whole["paths"]
    assert "colour" in whole["components"]["schemas"]["Publish"]["properties"]
    assert "channel" in whole["components"]["schemas"]["ServerApi.Publish"]["properties"]
