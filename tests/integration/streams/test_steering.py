"""A session is one connection to the server API: whichever node it is at, and whoever else its user is."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.integration.admin.house import House, two_on_redis
from vagus.kernel import codes

from .incoming import Session

pytestmark = pytest.mark.timeout(60)  # two servers, which start one after the other

RULES: Final = '[[channels]]\npattern = "news"\nsubscribe = ["user"]\n'


@pytest.fixture(scope="module")
def houses(
    tmp_path_factory: pytest.TempPathFactory, installed_program: Callable[[str], Path]
) -> Iterator[tuple[House, House]]:
    """Two nodes with the same data folder."""
    folder = tmp_path_factory.mktemp("steering")
    (folder / "vagus.toml").write_text(RULES)
    with two_on_redis(House, folder, installed_program("redis-server")) as nodes:
        yield nodes


@asynccontextmanager
async def joined(house: House, kind: str, user: str) -> AsyncIterator[Session]:
    session = await Session.open(
        int(house.site.rpartition(":")[2]), kind, {"id": 1, "connect": {"token": house.token(user)}}
    )
    try:
        await session.connected()
        yield session
    finally:
        session.stream.drop()


async def order(house: House, method: str, **body: object) -> Any:
    async with house.http(**{"x-api-key": house.key}) as http:
        return (await http.post(f"/api/{method}", json=body)).json()


@pytest.mark.parametrize("asked", [0, 1], ids=["its own node", "another node"])
async def test_one_of_a_users_connections_is_steered_by_its_session(
    houses: tuple[House, House], kind: str, asked: int
) -> None:
    house, api = houses[0], houses[asked]
    async with joined(house, kind, "ada") as meant, joined(house, kind, "ada") as other:
        named = {"user": "ada", "session": meant.secret}
        assert await order(api, "subscribe", channel="news", **named) == {"result": {}}
        assert (await meant.next())["push"]["channel"] == "news"
        assert await order(api, "unsubscribe", channel="news", session=meant.secret) == {"result": {}}
        assert (await meant.next())["push"]["unsubscribe"]["code"] == codes.UNSUBSCRIBED.code
        assert await order(api, "refresh", expire_at=4_000_000_000, **named) == {"result": {}}
        assert (await meant.next())["push"]["refresh"]["expires"]
        assert await order(api, "disconnect", **named) == {"result": {}}
        assert (await meant.next())["push"]["disconnect"]["code"] == codes.FORCE_DISCONNECT.code
        await order(api, "disconnect", session=other.secret, disconnect={"code": 4500, "reason": "first of all"})
        assert (await other.next())["push"]["disconnect"]["code"] == 4500


async def test_a_session_of_somebody_else_is_left_alone(houses: tuple[House, House], kind: str) -> None:
    house, api = houses
    async with joined(house, kind, "ada") as ada, joined(house, kind, "bob") as bob:
        assert await order(api, "disconnect", user="bob", session=ada.secret) == {"result": {}}
        await order(api, "disconnect", user="bob", session=bob.secret)
        assert "disconnect" in (await bob.next())["push"]
        assert await ada.say({"id": 2, "subscribe": {"channel": "news"}}) == 204
        assert (await ada.next())["id"] == 2
