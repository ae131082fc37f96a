"""Commands run in the test's own process, in an empty folder and with a clean environment."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from vagus.cli import main


class Ran(msgspec.Struct, frozen=True):
    """What a command did."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("VAGUS_", "WEBSOCKET_")):
            monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``vagus`` with these arguments."""

    def run_command(*arguments: str) -> Ran:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        output = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ran(ended.value.code, output.out, output.err)

    return run_command


@pytest.fixture
def store(run: Run) -> None:
    """The store of a server that has run in the empty folder."""
    assert run("key", "new", "--name", "first", "--save").code == 0
