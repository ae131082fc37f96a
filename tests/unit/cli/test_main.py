"""The command line as a whole: its help, its version, and how it fails."""

import subprocess
import sys

import pytest

from vagus.cli import COMMANDS
from vagus.version import VERSION

from .conftest import Run


def test_help_lists_every_command_with_what_it_is_for(run: Run) -> None:
    ran = run("--help")
    assert ran.code == 0
    for name, (_, text) in COMMANDS.items():
        assert f"{name} " in ran.out
        assert text in ran.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(run: Run, name: str) -> None:
    ran = run(name, "--help")
    assert ran.code == 0
    assert f"Usage: vagus {name}" in ran.out
    assert name in ("key", "check-config", "config-doc") or f"  vagus {name}" in ran.out


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version").out == f"vagus {VERSION}\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["token", "--nonsense"], "No such option"),
        (["publish", "news"], "Missing argument 'JSON'"),
        (["token", "--user", "1", "--ttl", "soon"], "'soon' is not a duration such as 30m, 12h, 7d or never"),
        (["token", "--user", "1", "--info", "{"], "not JSON: "),
        (["publish", "news", "hello"], "a text needs quotes of its own"),
        (["publish", "news", "1", "--tag", "x"], "'x' is not name=value"),
        (["tail", "a", "--since", "x"], "neither a time such as 10m nor a position such as 120 or 120:epoch"),
        (["tail", "a", "--since", "1m", "--history", "1"], "either --history or --since, not both"),
        (["serve", "--port", "x"], "'x' is not a valid integer"),
        (["serve", "--port", "70000"], "--port: server.port: expected int <= 65535"),
        (["serve", "--log-level", "loud"], "--log-level: server.log_level: must be one of"),
        (["serve", "--insecure", "--host", "0.0.0.0"], "an insecure server listens on loopback only, not on 0.0.0.0"),
        (["serve", "--config", "absent.toml"], "absent.toml: cannot be read: No such file or directory"),
        (["publish", "news", "1", "--url", "ftp://x"], "a server's address begins with http:// or https://"),
    ],
)
def test_wrong_usage_is_one_line_and_code_2(run: Run, arguments: list[str], problem: str) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("vagus: ")
    assert ran.err.count("\n") == 1
    assert problem in ran.err


def test_help_loads_neither_the_server_nor_the_event_loop() -> None:
    code = "import sys; from vagus.cli import main\ntry: main(['--help'])\nexcept SystemExit: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint({"asyncio", "uvicorn", "litestar", "structlog", "rich", "msgspec", "vagus.hub.hub"})
