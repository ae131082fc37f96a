"""Tokens that expire while a page is open, and a service that hands out no more of them."""

from playwright.async_api import BrowserContext, expect

from .hub import HubProcess, token
from .labs import IN_A_PAGE, OpenLab

pytestmark = IN_A_PAGE


async def test_a_token_is_replaced_before_it_expires_and_nothing_is_missed(
    open_lab: OpenLab, hub: HubProcess, context: BrowserContext
) -> None:
    tokens: list[str] = []

    async def fetch() -> str:
        tokens.append(token("ada", ttl_s=2))
        await hub.publish("kept:news", [len(tokens)])
        return tokens[-1]

    await context.expose_function("fetchToken", fetch)
    lab = await open_lab(query="tokens", channel="kept:news")
    await lab.until("lab.isFollowing('kept:news')")
    await lab.until_told("kept:news", 4)
    assert await lab.run("lab.states.slice(lab.states.indexOf('connected'))") == ["connected"]
    assert await lab.run("lab.numbers('kept:news')") == [2, 3, 4]


async def test_a_page_that_gets_no_more_tokens_ends_and_says_why(
    open_lab: OpenLab, hub: HubProcess, context: BrowserContext
) -> None:
    tokens = [token("ada", ttl_s=2)]
    await context.expose_function("fetchToken", lambda: tokens.pop() if tokens else "")
    lab = await open_lab(query="tokens")
    await lab.until_state("connected")
    await lab.until_state("error")
    await expect(lab.page.locator("#reason")).to_contain_text("The sign-in was refused: 403 Forbidden")


async def test_a_page_whose_tokens_fail_for_a_while_tries_again(
    open_lab: OpenLab, hub: HubProcess, context: BrowserContext
) -> None:
    failures = ["the service is down", "the service is down"]

    async def fetch() -> str:
        if failures:
            raise ConnectionError(failures.pop())
        return token("ada", ttl_s=3600)

    await context.expose_function("fetchToken", fetch)
    lab = await open_lab(query="tokens", retry={"minDelay": 20, "maxDelay": 50})
    await lab.until_state("connected")
    assert await lab.run("lab.client.call('echo', 'heard')") == "heard"


async def test_retrying_after_a_refusal_asks_for_another_token(
    open_lab: OpenLab, hub: HubProcess, context: BrowserContext
) -> None:
    answers = ["", token("ada", ttl_s=3600)]
    await context.expose_function("fetchToken", lambda: answers.pop(0))
    lab = await open_lab(query="tokens")
    await lab.until_state("error")
    await lab.page.get_by_role("button", name="Retry").click()
    await lab.until_state("connected")
