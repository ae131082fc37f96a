"""How the server is loaded, and what a person reads when it is ready."""

import subprocess
import sys
from pathlib import Path

import pytest

from vagus.cli.serve import command_of, reader, warning_of_insecure, welcome
from vagus.kernel.channels import ChannelRule
from vagus.settings import Access, Key, Server, Settings, SettingsError, Tokens, WebSocket

URL = "http://127.0.0.1:8000"


def said(settings: Settings) -> str:
    return welcome(settings, Path("vagus-data"), URL)


LOADED = """
import gc
from vagus.cli.serve import loading
looks = []
gc.callbacks.append(lambda phase, info: looks.append(phase))
with loading():
    import vagus.server.serving
print(len(looks), gc.isenabled(), len(gc.get_objects()) < gc.get_freeze_count())
"""


def test_the_garbage_collector_does_not_look_at_what_is_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "True", "True"]


def test_the_first_line_is_for_programs_and_ends_with_the_address() -> None:
    assert said(Settings()).splitlines()[0] == f"vagus is ready at {URL}"


def test_without_configuration_it_says_how_to_go_on() -> None:
    text = said(Settings())
    for part in (
        "ws://127.0.0.1:8000/connection/websocket",
        "vagus token --user NAME",
        "vagus-data/api_key",
        "add [[channels]] to vagus.toml",
    ):
        assert part in text


def test_where_the_console_is_comes_first() -> None:
    text = welcome(Settings(), Path("vagus-data"), URL, f"{URL}/?code=x")
    assert text.splitlines()[2] == f"  console     {URL}/?code=x"
    assert "console" not in said(Settings())


def test_with_configuration_it_points_there() -> None:
    text = said(
        Settings(
            tokens=Tokens(jwks_url="https://x"),
            keys=(Key(name="billing", secret="s"),),
            channels=(ChannelRule(pattern="a"),),
            websocket=WebSocket(enabled=False),
        )
    )
    assert "from your issuer" in text
    assert "billing" in text
    assert "ws://" not in text
    assert "[[channels]]" not in text


def test_a_demo_is_said_to_be_one() -> None:
    assert "vagus tail demo:clock demo:numbers" in said(Settings(server=Server(demo=True)))


def test_an_insecure_server_says_so_loudly() -> None:
    assert "none needed: anybody on this machine may do everything" in said(Settings(access=Access(insecure=True)))
    assert "INSECURE" in warning_of_insecure()


def test_a_worker_is_started_with_the_flags_of_its_parent() -> None:
    flags: dict[str, dict[str, object]] = {
        "server": {"host": None, "port": 0, "app": "shop:hub", "demo": True},
        "access": {"insecure": None},
    }
    command = command_of("my.toml", flags)
    assert command[1:] == ["-m", "vagus", "serve", "--config", "my.toml", "--port", "0", "--app", "shop:hub", "--demo"]
    assert command_of(None, {"server": {}, "access": {"insecure": True}})[4:] == ["--insecure"]


def test_the_configuration_is_read_again_from_the_file_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    without = reader(None, {})
    assert without().settings.server.port == 8000
    (tmp_path / "vagus.toml").write_text("server = { port = 1 }")
    read = reader(None, {})
    assert (without().settings.server.port, read().settings.server.port) == (1, 1)
    (tmp_path / "vagus.toml").unlink()
    with pytest.raises(SettingsError, match="cannot be read"):
        read()
