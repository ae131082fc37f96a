"""Reloading: SIGHUP makes a running server take over what has changed in its configuration. Connections stay."""

import asyncio
import json
import signal
from pathlib import Path

import pytest

from tests.integration.serving.conftest import CONFIGURATION
from tests.integration.serving.processes import Guests, Kept, Serving, Start

pytestmark = pytest.mark.timeout(60)

PUBLICATION = '{"channel": "later", "data": 1}'


async def write(folder: Path, text: str) -> None:
    await asyncio.to_thread((folder / "vagus.toml").write_text, text)


async def reload(serving: Serving, count: int = 1) -> None:
    serving.signal(signal.SIGHUP)
    await serving.heard("reloaded", count)


async def publishes(kept: Kept, key: str, body: str = PUBLICATION) -> tuple[int, bool]:
    """The status, and whether it was taken."""
    status, _, content = await kept.ask("POST /api/publish", f"X-API-Key: {key}\r\n", body)
    return status, b'"result":' in content


async def test_rules_come_and_go_without_a_connection_lost(start: Start, guests: Guests, folder: Path) -> None:
    serving = await asyncio.to_thread(start)
    client, kept = await guests.come(serving.url), await guests.keep(serving.port)
    key = (folder / "vagus-data" / "api_key").read_text().strip()
    await client.ask("subscribe", {"channel": "news"})
    assert await publishes(kept, key) == (200, False)
    await write(folder, CONFIGURATION + '\n[[channels]]\npattern = "later"\nsubscribe = ["anyone"]\n')
    await reload(serving)
    await client.ask("subscribe", {"channel": "later"})
    assert await publishes(kept, key) == (200, True)
    assert (await client.push())["channel"] == "later"
    await write(folder, CONFIGURATION.replace("news", "other"))
    await reload(serving, 2)
    ended = [await client.push(), await client.push()]
    assert {(push["channel"], push["unsubscribe"]["code"]) for push in ended} == {("news", 2000), ("later", 2000)}
    await client.ask("subscribe", {"channel": "other"})
    summary = serving.events("reloaded")[-1]
    assert (summary["rules_added"], summary["rules_removed"], summary["unsubscribed"]) == (
        ["other"],
        ["news", "later"],
        2,
    )


async def test_a_key_is_rotated(start: Start, guests: Guests, folder: Path) -> None:
    keys = '\n[[channels]]\npattern = "later"\n\n[[keys]]\nname = "{}"\nsecret = "{}"\n'
    await write(folder, CONFIGURATION + keys.format("program", "before"))
    serving = await asyncio.to_thread(start)
    kept = await guests.keep(serving.port)
    assert await publishes(kept, "before") == (200, True)
    await write(folder, CONFIGURATION + keys.format("program", "after"))
    await reload(serving)
    assert [(await publishes(kept, key))[0] for key in ("before", "after")] == [401, 200]
    assert serving.events("reloaded")[-1]["changed"] == ["keys"]
    assert not any("after" in line for line in serving.lines), "a secret was logged"


async def test_a_file_that_is_wrong_changes_nothing_and_what_cannot_change_is_named(
    start: Start, guests: Guests, folder: Path
) -> None:
    serving = await asyncio.to_thread(start)
    client = await guests.come(serving.url)
    await write(folder, '[server]\nlog_level = "debug"\nport = 1\nnonsense = 2\n')
    serving.signal(signal.SIGHUP)
    (refused,) = await serving.heard("reload_refused")
    assert [problem.split(": ")[:2] for problem in refused["problems"]] == [["vagus.toml", "server.nonsense"]]
    await client.ask("subscribe", {"channel": "news"})
    await write(folder, '[server]\nlog_level = "debug"\nhost = "::1"\n' + CONFIGURATION)
    await reload(serving)
    assert serving.events("reload_needs_restart")[0]["settings"] == ["server.host"]
    await client.leave()
    await asyncio.to_thread(serving.signal)
    assert await serving.ended() == 0


async def test_the_level_of_the_log_changes(start: Start, guests: Guests, folder: Path) -> None:
    serving = await asyncio.to_thread(start)
    await write(folder, '[server]\nlog_level = "debug"\n' + CONFIGURATION)
    await reload(serving)
    client = await guests.come(serving.url)
    serving.signal()
    assert await client.closed() == 3001
    await serving.heard("client_closed")  # at level debug


async def test_newcomers_are_told_another_time_between_pings(start: Start, guests: Guests, folder: Path) -> None:
    async def told() -> tuple[int, int]:
        """What a client of each kind is told."""
        _, _, handshake = await kept.ask("GET /socket.io/?EIO=4&transport=polling")
        return (await guests.come(serving.url)).connected["ping"], json.loads(handshake[1:])["pingInterval"] // 1000

    serving = await asyncio.to_thread(start)
    kept = await guests.keep(serving.port)
    assert await told() == (25, 25)
    await write(folder, CONFIGURATION + "\n[limits]\nping_interval_s = 3600\n")
    await reload(serving)
    assert await told() == (3600, 3600)


async def test_what_the_api_and_the_console_go_by_changes(start: Start, guests: Guests, folder: Path) -> None:
    serving = await asyncio.to_thread(start)
    kept, key = await guests.keep(serving.port), (folder / "vagus-data" / "api_key").read_text().strip()
    assert await publishes(kept, key) == (200, False)
    assert (await kept.ask("GET /api/console/session"))[0] == 401
    assert (await kept.ask("GET /metrics"))[0] == 200
    tables = (
        '\n[api]\nerror_mode = "transport"\nmetrics = "key"\n\n[console]\nrequests_burst = 1\nrequests_per_s = 0.001\n'
    )
    await write(folder, CONFIGURATION + tables + "session_days = 2\n\n[fusion]\ninterval_s = 9\n")
    await reload(serving)
    assert await publishes(kept, key) == (404, False)
    assert [(await kept.ask("GET /api/console/session"))[0] for _ in range(2)] == [401, 429]
    assert (await kept.ask("GET /metrics"))[0] == 401
    assert serving.events("reload_needs_restart")[0]["settings"] == ["fusion.interval_s"]
    assert set(serving.events("reloaded")[0]["changed"]) == {
        "api.error_mode",
        "api.metrics",
        "console.requests_burst",
        "console.requests_per_s",
        "console.session_days",
    }


async def test_a_file_that_is_gone_is_not_an_empty_one(start: Start, folder: Path) -> None:
    serving = await asyncio.to_thread(start)
    (folder / "vagus.toml").unlink()
    serving.signal(signal.SIGHUP)
    (refused,) = await serving.heard("reload_refused")
    assert refused["problems"] == ["vagus.toml: cannot be read: No such file or directory"]
