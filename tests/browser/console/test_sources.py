"""The form of sources: every setting is in it, and what the server refuses is told where it was typed."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Locator, Page, expect

from tests.integration.store.postgres import Postgres, postgres

from .conftest import Faults, OpenPage
from .serving import ConsoleServer, Kind

__all__ = ["postgres"]

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(90),
    pytest.mark.parametrize("console", [Kind(is_own=True)], indirect=True),
]

PICTURES: Final = Path(__file__).parents[3] / "build" / "screenshots" / "console"
PROMETHEUS: Final = {
    "kind": "prometheus",
    "name": "load",
    "url": "http://127.0.0.1:9/metrics",
    "headers": {"Authorization": "Bearer secret"},
    "timeout_s": 2.5,
    "freshness_s": 60.0,
    "every_s": 10.0,
    "max_bytes": 1000,
    "ca_file": "authorities.pem",
    "fields": [{"name": "idle", "unit": "s", "metric": "cpu", "labels": {"mode": "idle"}, "combine": "sum"}],
}


async def add(page: Page, console: ConsoleServer, table: dict[str, Any]) -> None:
    added = await page.request.post(f"{console.url}/api/fusion/sources", data=table, headers={"origin": console.url})
    assert added.ok, await added.text()


async def settings_of(page: Page, console: ConsoleServer, name: str) -> dict[str, Any]:
    told = await (await page.request.get(f"{console.url}/api/fusion/sources")).json()
    [settings] = [entry["settings"] for entry in told["sources"] if entry["name"] == name]
    return dict(settings)


async def choose(page: Page, source: str, action: str) -> None:
    await page.get_by_role("button", name=f"Actions for {source}").click()
    await page.get_by_role("menuitem", name=action).click()


async def new_source(page: Page) -> Locator:
    await page.get_by_role("button", name="Add source").click()
    form = page.get_by_role("dialog", name="Add a source")
    await expect(form).to_be_visible()
    return form


async def test_a_source_is_shown_with_all_its_settings_and_keeps_those_that_nobody_changed(
    console: ConsoleServer, open_page: OpenPage
) -> None:
    page = await open_page()
    await add(page, console, PROMETHEUS)
    await page.reload()
    await choose(page, "load", "Change")
    form = page.get_by_role("dialog", name="Change load")
    shown = {
        "Time-out": "2.5",
        "Stale after": "60",
        "Asked at most": "10",
        "Bytes at most": "1000",
        "Certificates": "authorities.pem",
        "Metric of value 1": "cpu",
        "Labels of value 1": "mode=idle",
        "Several become of value 1": "sum",
    }
    for label, text in shown.items():
        await expect(form.get_by_label(label)).to_have_value(text)
    await expect(form.get_by_role("switch", name="Keep the headers")).to_be_checked()

    await form.get_by_label("Labels of value 1").fill('mode="user"\ncpu=0')
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_have_count(0)
    kept = {name: value for name, value in PROMETHEUS.items() if name not in {"kind", "headers"}}
    field = {"name": "idle", "unit": "s", "metric": "cpu", "labels": {"mode": "user", "cpu": "0"}, "combine": "sum"}
    assert await settings_of(page, console, "load") == kept | {"fields": [field]}


async def test_the_form_says_in_which_folder_a_path_begins(console: ConsoleServer, open_page: OpenPage) -> None:
    form = await new_source(await open_page())
    await expect(form.get_by_label("File", exact=True)).to_have_accessible_description(f"A path in {console.data}.")


async def test_what_the_server_refuses_is_told_at_its_field(
    console: ConsoleServer, open_page: OpenPage, faults: Faults
) -> None:
    page = await open_page()
    form = await new_source(page)
    await form.get_by_label("Kind", exact=True).select_option(label="Prometheus endpoint")
    await form.get_by_label("Name", exact=True).fill("load")
    await form.get_by_label("Address").fill("http://127.0.0.1:9/metrics")
    await form.get_by_role("button", name="Add a value").click()
    await form.get_by_label("Name of value 1").fill("revenue")
    await form.get_by_label("Metric of value 1").fill("cpu load")
    await form.get_by_role("button", name="Add source").click()
    metric = form.get_by_label("Metric of value 1")
    await expect(metric).to_be_focused()
    await expect(metric).to_have_accessible_description("Letters, digits, _ and : alone.")
    assert await faults(page) == []

    await metric.fill("cpu")
    await expect(metric).not_to_have_attribute("aria-invalid", "true")
    await form.get_by_role("button", name="Add source").click()
    name = form.get_by_label("Name of value 1")
    await expect(name).to_be_focused()
    await expect(name).to_have_accessible_description("revenue is a value of the source revenue already.")


async def test_a_refusal_among_settings_that_are_folded_away_unfolds_them(
    console: ConsoleServer, open_page: OpenPage
) -> None:
    page = await open_page()
    form = await new_source(page)
    await form.get_by_label("Kind", exact=True).select_option(label="JSON over HTTP")
    await form.get_by_label("Name", exact=True).fill("shop")
    await form.get_by_label("Address").fill("http://127.0.0.1:9/")
    certificates = form.get_by_label("Certificates")
    await expect(certificates).to_be_hidden()
    await form.get_by_text("More settings").click()
    await certificates.fill("/etc/authorities.pem")
    await form.get_by_text("More settings").click()
    await expect(certificates).to_be_hidden()
    await form.get_by_role("button", name="Test").click()
    await expect(form.get_by_role("region", name="What it says")).to_contain_text("Look at Certificates above.")
    await form.get_by_role("button", name="Add source").click()
    await expect(certificates).to_be_focused()


async def test_headers_are_kept_changed_or_taken_away(console: ConsoleServer, open_page: OpenPage) -> None:
    page = await open_page()
    await add(page, console, PROMETHEUS)

    async def hidden() -> list[str]:
        told = await (await page.request.get(f"{console.url}/api/fusion/sources")).json()
        [names] = [entry["hidden"] for entry in told["sources"] if entry["name"] == "load"]
        return list(names)

    for is_kept in (True, False):
        await page.reload()
        await choose(page, "load", "Change")
        form = page.get_by_role("dialog", name="Change load")
        if not is_kept:
            await form.get_by_role("switch", name="Keep the headers").click()
            await expect(form.get_by_label("Headers", exact=True)).to_have_value("")
        await form.get_by_role("button", name="Save").click()
        await expect(form).to_have_count(0)
        assert ("headers" in await hidden()) is is_kept


async def test_a_test_from_the_menu_asks_at_once_and_again_on_a_press(
    console: ConsoleServer, open_page: OpenPage, faults: Faults
) -> None:
    (console.data / "revenue_snapshot.json").write_text(json.dumps({"mrr": 48_200}))
    page = await open_page(reduced_motion="reduce")
    await choose(page, "revenue", "Test")
    asked = page.get_by_role("dialog", name="Test revenue")
    await expect(asked).to_contain_text("48200")
    assert await faults(page) == []
    (console.data / "revenue_snapshot.json").write_text(json.dumps({"mrr": 50_000}))
    await asked.get_by_role("button", name="Ask again").click()
    await expect(asked).to_contain_text("50000")


async def test_a_test_says_what_was_done_with_what_was_found(console: ConsoleServer, open_page: OpenPage) -> None:
    (console.data / "orders.json").write_text(json.dumps({"orders": [{"open": 1}, {"open": 2}]}))
    value = {"name": "openOrders", "select": "$.orders[*].open"}
    table = {"kind": "json_file", "name": "orders", "path": "orders.json", "fields": [value]}
    page = await open_page()
    await add(page, console, table)
    test, own = f"{console.url}/api/fusion/sources/test", {"origin": console.url}
    [hint] = (await (await page.request.post(test, data=table, headers=own)).json())["hints"]
    await page.reload()
    await choose(page, "orders", "Test")
    await expect(page.get_by_role("dialog", name="Test orders")).to_contain_text(hint)


@pytest.mark.parametrize("way", ["key", "beside"])
async def test_a_form_asks_before_it_drops_what_was_typed(open_page: OpenPage, faults: Faults, way: str) -> None:
    page = await open_page(reduced_motion="reduce")
    form = await new_source(page)

    async def leave() -> None:
        if way == "key":
            await page.keyboard.press("Escape")
        else:
            await page.mouse.click(200, 450)

    await leave()
    await expect(form).to_have_count(0)

    await new_source(page)
    name = form.get_by_label("Name", exact=True)
    await name.fill("openOrders")
    await leave()
    question = page.get_by_role("dialog", name="Discard what you typed?")
    await expect(question.get_by_role("button", name="Go on typing")).to_be_focused()
    assert await faults(page) == []
    await page.keyboard.press("Escape")
    await expect(question).to_have_count(0)
    await expect(name).to_have_value("openOrders")
    await expect(name).to_be_focused()

    await leave()
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("button", name="Add source")).to_be_focused()


async def test_a_form_in_which_everything_is_as_it_was_closes_at_once(
    console: ConsoleServer, open_page: OpenPage
) -> None:
    page = await open_page()
    await add(page, console, PROMETHEUS)
    await page.reload()
    await choose(page, "load", "Change")
    form = page.get_by_role("dialog", name="Change load")
    unit = form.get_by_label("Unit of value 1")
    await unit.fill("ms")
    await unit.fill("s")
    await page.keyboard.press("Escape")
    await expect(form).to_have_count(0)


async def put(page: Page, console: ConsoleServer, table: dict[str, Any]) -> None:
    """As somebody else does it."""
    address, own = f"{console.url}/api/fusion/sources/{table['name']}", {"origin": console.url}
    changed = await page.request.put(address, data=table, headers=own)
    assert changed.ok, await changed.text()


async def test_what_somebody_else_saved_meanwhile_is_not_overwritten(
    console: ConsoleServer, open_page: OpenPage, faults: Faults
) -> None:
    page = await open_page(reduced_motion="reduce")
    await add(page, console, PROMETHEUS)
    await choose(page, "load", "Change")
    form = page.get_by_role("dialog", name="Change load")
    unit, timeout = form.get_by_label("Unit of value 1"), form.get_by_label("Time-out")
    notice = form.get_by_role("alert").filter(has_text="Somebody else changed it meanwhile.")

    await put(page, console, PROMETHEUS | {"timeout_s": 3})
    await expect(timeout).to_have_value("3")  # who has typed nothing sees what there is now

    await unit.fill("ms")
    await put(page, console, PROMETHEUS | {"timeout_s": 4})
    # Without waiting until it may be pressed: the form may have noticed by itself by now.
    await form.get_by_role("button", name="Save").dispatch_event("click")
    await expect(notice).to_be_visible()
    assert (await settings_of(page, console, "load"))["timeout_s"] == 4
    assert await faults(page) == []
    await page.screenshot(path=PICTURES / "source-changed-meanwhile.png", animations="disabled")
    await notice.get_by_role("button", name="Show theirs").click()
    await expect(notice).to_have_count(0)
    await expect(timeout).to_have_value("4")
    await expect(unit).to_have_value("s")

    await unit.fill("ms")
    await put(page, console, PROMETHEUS | {"timeout_s": 5})
    await expect(notice).to_be_visible()  # by itself
    await notice.get_by_role("button", name="Go on with mine").click()
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_have_count(0)
    kept = await settings_of(page, console, "load")
    assert (kept["timeout_s"], kept["fields"][0]["unit"]) == (4, "ms")


async def test_a_source_that_somebody_else_removed_meanwhile_can_be_saved_anew(
    console: ConsoleServer, open_page: OpenPage
) -> None:
    page = await open_page()
    table = {"kind": "json_file", "name": "orders", "path": "orders.json"}
    await add(page, console, table)
    await choose(page, "orders", "Change")
    form = page.get_by_role("dialog", name="Change orders")
    await form.get_by_label("File").fill("later.json")
    removed = await page.request.delete(f"{console.url}/api/fusion/sources/orders", headers={"origin": console.url})
    assert removed.ok
    await expect(form.get_by_role("alert").filter(has_text="Somebody else removed it")).to_be_visible()
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_have_count(0)
    assert (await settings_of(page, console, "orders"))["path"] == "later.json"


async def test_an_open_page_shows_each_change_that_somebody_else_makes(
    console: ConsoleServer, open_page: OpenPage
) -> None:
    (console.data / "orders.json").write_text("[1, 2]")
    page = await open_page()
    table = {"kind": "json_file", "name": "orders", "path": "orders.json"}
    await add(page, console, table)
    card = page.locator("[data-source=orders]")
    await expect(card).to_contain_text("2")
    for unit in ("parcels", "letters"):
        await put(page, console, table | {"fields": [{"name": "orders", "unit": unit}]})
        await expect(card).to_contain_text(unit)


async def test_settings_that_are_merely_remembered_say_so(
    postgres: Postgres, open_page: OpenPage, tmp_path: Path
) -> None:
    def fill(folder: Path) -> None:
        folder.joinpath("vagus.toml").write_text(f'[store]\nurl = "{url}"\n')

    url = postgres.url(await postgres.new_database())
    (folder := tmp_path / "elsewhere").mkdir()
    server = ConsoleServer(folder, Kind(fill=fill))
    await server.open()
    try:
        page = await open_page()
        await page.goto(server.url)
        await add(page, server, PROMETHEUS)
        await expect(page.get_by_role("button", name="Actions for load")).to_be_visible()
        postgres.pause()
        try:
            await choose(page, "load", "Change")
            form = page.get_by_role("dialog", name="Change load")
            notice = form.get_by_role("alert").filter(has_text="The store does not answer.")
            await expect(notice).to_be_visible()
        finally:
            postgres.resume()
        await expect(notice).to_have_count(0)
    finally:
        await server.close()


@pytest.mark.parametrize(
    ("theme", "size"), [("dark", (1440, 900)), ("light", (900, 1200)), ("high-contrast", (390, 844))]
)
async def test_a_source_that_comes_ready_shows_what_it_reads(
    console: ConsoleServer, open_page: OpenPage, faults: Faults, theme: str, size: tuple[int, int]
) -> None:
    page = await open_page(theme=theme, size=size, reduced_motion="reduce")
    await choose(page, "revenue", "Settings")
    shown = page.get_by_role("dialog", name="revenue")
    await expect(shown).to_contain_text("revenue_snapshot.json")
    await expect(shown).to_contain_text("an amount")
    await expect(shown.get_by_role("textbox")).to_have_count(0)
    assert await faults(page) == []
    await page.screenshot(path=PICTURES / f"source-ready-{theme}.png", animations="disabled")
    await page.keyboard.press("Escape")

    (console.data / "orders.json").write_text(json.dumps({"open": 42}))
    form = await new_source(page)
    await form.get_by_label("Name", exact=True).fill("openOrders")
    await form.get_by_label("File").fill("orders.json")
    await form.get_by_role("button", name="Add a value").click()
    await form.get_by_label("Name of value 1").fill("openOrders")
    await form.get_by_label("Where of value 1").fill("$.open")
    await form.get_by_text("More settings").click()
    await expect(form.get_by_role("region", name="What it says")).to_contain_text("42")
    assert await faults(page) == []
    await page.screenshot(path=PICTURES / f"source-form-{theme}.png", animations="disabled")
