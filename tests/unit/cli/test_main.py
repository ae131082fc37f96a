"""The command line as a whole: its help, its version, and how it fails."""

import io
import subprocess
import sys
from pathlib import Path

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
        (["publish", "news", "1", "--url", "ftp://x"], "'ftp://x': a server's address begins with http:// or https://"),
        (["serve", "--prt", "1"], "(Did you mean one of: '--app', '--port'?)"),
    ],
)
def test_wrong_usage_is_one_line_and_code_2(run: Run, arguments: list[str], problem: str) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("vagus: ")
    assert ran.err.count("\n") == 1
    assert problem in ran.err


@pytest.mark.parametrize(
    "url",
    [
        "foo",
        "127.0.0.1:8000",
        "ws://h",
        "http://",
        "http://h:abc",
        "http://h:0",
        "http://[::1",
        "http://a..b",
        "http://h/?a=1",
        "http://h/a b",
        "http://h/#a",
    ],
)
@pytest.mark.parametrize("command", [("publish", "news", "1"), ("top",), ("tail", "news"), ("link",)])
def test_what_is_no_address_of_a_server_is_refused_as_it_was_given(
    run: Run, command: tuple[str, ...], url: str
) -> None:
    ran = run(*command, "--url", url)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert repr(url) in ran.err


@pytest.mark.parametrize("place", ["nowhere", "file"])
@pytest.mark.parametrize(
    "command",
    [
        ("publish", "news", "1"),
        ("tail", "news"),
        ("top",),
        ("link",),
        ("token", "check", "x"),
        ("key", "list"),
        ("user", "list"),
        ("user", "add", "ada", "--role", "admin"),
        ("migrate",),
        ("export", "copy.db"),
    ],
)
def test_a_data_folder_that_is_not_one_is_named_and_not_made(
    run: Run, empty_folder: Path, command: tuple[str, ...], place: str
) -> None:
    (empty_folder / "file").touch()
    ran = run(*command, "--data-dir", place)
    why = "No such file or directory" if place == "nowhere" else "Not a directory"
    assert (ran.code, ran.err) == (2, f"vagus: data folder {place}: {why}\n")
    assert [path.name for path in empty_folder.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "command", [("link",), ("key", "list"), ("user", "list"), ("user", "add", "a", "--role", "admin")]
)
def test_where_no_server_has_run_nothing_is_made(
    run: Run, empty_folder: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    ran = run(*command)
    assert (ran.code, "there is no database at vagus-data/vagus.db yet" in ran.err) == (1, True)
    assert list(empty_folder.iterdir()) == []


def test_help_loads_neither_the_server_nor_the_event_loop() -> None:
    code = "import sys; from vagus.cli import main\ntry: main(['--help'])\nexcept SystemExit: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint({"asyncio", "uvicorn", "litestar", "structlog", "rich", "msgspec", "vagus.hub.hub"})
