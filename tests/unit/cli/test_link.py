"""A link to sign in with is made beside a server, or before it starts, and says where it leads."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from vagus.apps.console import links
from vagus.store.sqlite import sqlite_store

from .conftest import Run

pytestmark = pytest.mark.usefixtures("store")


def used(folder: Path, code: str, later_s: float = 0.0) -> links.Link | None:
    async def use() -> links.Link | None:
        store = sqlite_store(folder / "vagus-data" / "vagus.db")
        await store.start()
        async with store.begin() as transaction:
            link = await links.use(transaction, code, now=time.time() + later_s)
        await store.close()
        return link

    return asyncio.run(use())


def test_a_link_leads_to_the_server_and_is_for_an_admin(run: Run, empty_folder: Path) -> None:
    address, _, code = run("link").out.strip().partition("/?code=")
    assert address == "http://127.0.0.1:8000"
    assert used(empty_folder, code) == links.Link("admin", frozenset({"admin"}))


def test_a_link_may_be_for_somebody_with_other_roles_at_another_address(run: Run, empty_folder: Path) -> None:
    said = run("link", "--role", "viewer", "--user", "wall", "--url", "https://hub.example/", "--json").out
    made = json.loads(said)
    address, _, code = made["url"].partition("/?code=")
    assert (address, made["user"], made["roles"]) == ("https://hub.example", "wall", ["viewer"])
    assert used(empty_folder, code) == links.Link("wall", frozenset({"viewer"}))


def test_a_link_ends_after_its_time(run: Run, empty_folder: Path) -> None:
    code = run("link", "--ttl", "1h").out.strip().partition("code=")[2]
    assert used(empty_folder, code, later_s=3601) is None


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--role", "king"), "viewer, operator, admin, auditor"),
        (("--ttl", "never"), "has to end"),
        (("--ttl", "30d"), "7 days at most"),
        (("--user", " "), "the name of a user"),
    ],
)
def test_a_link_that_should_not_be_is_refused(run: Run, arguments: tuple[str, ...], why: str) -> None:
    ran = run("link", *arguments)
    assert ran.code != 0
    assert why in ran.err


def test_without_a_console_there_are_no_links(run: Run, empty_folder: Path) -> None:
    (empty_folder / "vagus.toml").write_text("[console]\nenabled = false\n")
    assert "console.enabled" in run("link").err
