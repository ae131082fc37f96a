"""The documentation does what it says: programs run, commands work, tables are complete, links lead somewhere."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click
import pytest

from tests.examples.pages import PAGES, ROOT, Page
from tests.patience import DEADLINE_S, PATIENCE
from tools import write_docs
from vagus.api.methods import METHODS
from vagus.api.metrics import HubCollector
from vagus.cli import vagus as command_line
from vagus.hub.hub import Hub
from vagus.kernel.channels import ChannelRule, Pattern, pattern_of
from vagus.server.building import build
from vagus.server.folder import DataFolder
from vagus.settings import load, options
from vagus.settings.describing import table_options
from vagus.settings.sources import LEGACY, OTHERS

VAGUS: Final = (sys.executable, "-m", "vagus")
CLEAN: Final = {name: text for name, text in os.environ.items() if not name.startswith(("VAGUS_", "WEBSOCKET_"))}
ADDRESS: Final = "127.0.0.1:8000"
"""What the pages call the server; replaced by where it really is."""

BY_NAME: Final = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def pages_with(found: Callable[[Page], object]) -> pytest.MarkDecorator:
    pages = [page for page in PAGES if found(page)]
    return pytest.mark.parametrize("page", pages, ids=lambda page: page.name)


# pages that are made, and pages that must be complete


def test_pages_that_are_made_are_fresh() -> None:
    assert write_docs.stale_pages() == []


def test_a_page_that_was_changed_by_hand_is_stale(tmp_path: Path) -> None:
    (tmp_path / "codes.md").write_text(write_docs.codes_page() + "by hand")
    (tmp_path / "settings.md").write_text(write_docs.settings_page())
    assert write_docs.stale_pages(tmp_path) == ["codes.md"]


def test_every_option_of_a_channel_rule_is_in_its_table_with_its_default() -> None:
    section = page("docs/channels.md").text.partition("## Options")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", section, re.MULTILINE))
    shown = {name: default.strip("`").replace("none", "") for name, default in rows.items()}
    real = {option.path.partition(".")[2]: option.default for option in table_options(ChannelRule, "channels")}
    assert {name: shown.get(name) for name in real} == real


def test_patterns_match_what_the_table_says() -> None:
    rows = re.findall(r"^\| `(.+?)` \| (`.+?) \| (`.+?) \|$", page("docs/channels.md").text, re.MULTILINE)
    patterns = [
        (pattern_of(text), re.findall(r"`(.+?)`", yes), re.findall(r"`(.+?)`", no)) for text, yes, no in rows[:4]
    ]
    assert {text for text, _, _ in rows[:4]} == {"news", "news:{topic}", "site:{id}:cpu", "site:{rest*}"}
    assert [
        (pattern.text, name) for pattern, names, _ in patterns for name in names if not matches(pattern, name)
    ] == []
    assert [(pattern.text, name) for pattern, _, names in patterns for name in names if matches(pattern, name)] == []


def matches(pattern: Pattern, channel: str) -> bool:
    return pattern.match(channel) is not None


def test_every_method_of_the_server_api_is_in_its_table() -> None:
    text = page("docs/http-api.md").text
    assert [name for name in METHODS if f"| `{name}` |" not in text] == []


async def test_every_metric_is_in_its_table() -> None:
    text = page("docs/http-api.md").text
    assert [name for name in await metric_names() if f"`{name}" not in text] == []


async def metric_names() -> list[str]:
    suffix = {"counter": "_total", "info": "_info"}
    async with Hub() as hub:
        return [family.name + suffix.get(family.type, "") for family in HubCollector(hub).collect()]


@BY_NAME
def test_links_lead_somewhere(page: Page) -> None:
    assert [link for link in page.links if not is_there(page, link)] == []


def is_there(page: Page, link: str) -> bool:
    path, _, anchor = link.partition("#")
    file = (page.path.parent / path).resolve() if path else page.path
    if not file.exists():
        return False
    return not anchor or anchor in Page(file).anchors


@BY_NAME
def test_settings_that_are_named_exist(page: Page) -> None:
    known = {option.path for option in options()} | {option.path.rpartition(".")[0] for option in options()}
    assert [name for name in page.settings if name not in known] == []


@BY_NAME
def test_variables_that_are_named_exist(page: Page) -> None:
    known = {option.variable for option in options()} | OTHERS | {row.name for row in LEGACY}
    named = set(re.findall(r"\b(?:VAGUS|WEBSOCKET)_[A-Z0-9_]*[A-Z0-9]", page.text))
    assert named - known == set()


@BY_NAME
async def test_metrics_that_are_named_exist(page: Page) -> None:
    named = set(re.findall(r"\bvagus_[a-z_]+", page.text))
    assert named - set(await metric_names()) == set()


# settings


@pages_with(lambda page: page.blocks("toml"))
def test_configurations_are_right(page: Page, tmp_path: Path) -> None:
    for block in page.blocks("toml"):
        file = tmp_path / "vagus.toml"
        file.write_text(block.text)
        build(load(file=file).settings, DataFolder(tmp_path / "data"))


# programs in Python


@pages_with(lambda page: page.blocks("python"))
def test_python_is_python(page: Page) -> None:
    for block in page.blocks("python"):
        compile(block.text, block.place, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)


@pages_with(lambda page: page.programs("python"))
@pytest.mark.timeout(60)
def test_python_programs_run(page: Page, demo: "Server", tmp_path: Path) -> None:
    for file in page.write_programs("python", tmp_path, demo.replacing):
        how = ("-m", "pytest", "-p", "no:cacheprovider") if file.startswith("test_") else ()
        ran = run(sys.executable, *how, file, cwd=tmp_path)
        assert ran.returncode == 0, f"{file}:\n{ran.stdout}{ran.stderr}"


@pages_with(lambda page: page.applications)
def test_hubs_that_are_served_can_be(page: Page, tmp_path: Path) -> None:
    page.write_programs("python", tmp_path)
    for application in page.applications:
        checked = run(*VAGUS, "check-config", cwd=tmp_path, VAGUS_SERVER__APP=application)
        assert checked.returncode == 0, checked.stderr


# programs in JavaScript


@pages_with(lambda page: [block for block in page.blocks("js") if block.is_client])
def test_javascript_programs_show_what_is_published(
    page: Page, demo: "Server", tmp_path: Path, installed_program: Callable[[str], Path]
) -> None:
    node, modules = installed_program("node"), ROOT / "tests" / "node" / "node_modules"
    if not modules.is_dir():
        pytest.skip("the clients for Node.js are not installed: make dev")
    (tmp_path / "node_modules").symlink_to(modules)
    for number, block in enumerate(block for block in page.blocks("js") if block.is_client):
        file = tmp_path / f"program{number}.mjs"
        file.write_text(demo.replacing(block.text))
        assert first_datum(str(node), str(file)), block.place


@pages_with(lambda page: page.blocks("js"))
def test_javascript_is_javascript(page: Page, tmp_path: Path, installed_program: Callable[[str], Path]) -> None:
    node = str(installed_program("node"))
    for number, block in enumerate(page.blocks("js")):
        file = tmp_path / f"block{number}.mjs"
        file.write_text(block.text)
        checked = run(node, "--check", str(file), cwd=tmp_path)
        assert checked.returncode == 0, f"{block.place}:\n{checked.stderr}"


# commands


@pages_with(lambda page: page.commands("vagus"))
def test_commands_of_vagus_are_known(page: Page) -> None:
    for text in page.commands("vagus"):
        parse(text)


@pages_with(lambda page: page.mentions("vagus"))
def test_commands_of_vagus_in_the_text_are_known(page: Page) -> None:
    for text in page.mentions("vagus"):
        parse(text, may_be_short=True)


def parse(text: str, *, may_be_short: bool = False) -> None:
    """Read a command line as the program would, without carrying it out. A short one may lack what is needed."""
    words = shlex.split(text, comments=True)[1:]
    context = click.Context(command_line, info_name="vagus")
    if not words or words[0].startswith("-"):
        return
    command: click.Command = command_line
    while isinstance(command, click.Group) and words:
        found = command.get_command(context, words[0])
        if found is None:
            break
        command, words = found, words[1:]
    assert command is not command_line, f"no such command: {text}"
    try:
        command.make_context(command.name, words, parent=context)
    except (click.MissingParameter, click.BadOptionUsage) as error:
        assert may_be_short, f"{text}: {error.format_message()}"
    except click.ClickException as error:
        pytest.fail(f"{text}: {error.format_message()}")


ENDLESS: Final = {"tail": ("--count", "1"), "top": ("--count", "1")}
"""What makes an end of commands that would go on."""

BRIEF: Final = frozenset({"token", "key", "check-config", "config-doc", "publish"})


@pages_with(lambda page: page.commands("vagus"))
@pytest.mark.timeout(60)
def test_commands_of_vagus_do_their_work(page: Page, tmp_path: Path) -> None:
    with serving(tmp_path, "--demo", configuration=page.configuration):
        token = run(*VAGUS, "token", "--user", "42", cwd=tmp_path).stdout.strip()
        for text in page.commands("vagus"):
            name, *words = shlex.split(text.replace("TOKEN", token), comments=True)[1:]
            if name in BRIEF or (name in ENDLESS and all(word.startswith("demo:") for word in words)):
                ran = run(*VAGUS, name, *words, *ENDLESS.get(name, ()), cwd=tmp_path)
                assert ran.returncode == 0, f"{text}: {ran.stderr}"


@pytest.mark.parametrize("flags", [(), ("--insecure",)], ids=["with a key", "insecure"])
@pages_with(lambda page: page.commands("curl"))
def test_requests_are_answered_as_shown(page: Page, flags: tuple[str, ...], tmp_path: Path) -> None:
    with serving(tmp_path, "--demo", *flags, configuration=page.configuration) as server:
        for request, expected in page.requests:
            status, body = server.curl(request)
            assert 200 <= status < 300, f"{request}: {status} {body}"
            if expected is None:
                assert not body.startswith('{"error"'), f"{request}: {body}"
            elif "unknown channel" not in expected or not flags:  # an insecure server knows every channel
                assert fits(json.loads(expected), json.loads(body)), f"{request}:\n{body}"


def fits(shown: Any, real: Any) -> bool:
    """Whether an answer is the one that is shown, where ``"…"`` stands for anything."""
    match shown:
        case "…":
            return True
        case dict():
            return (
                isinstance(real, dict) and shown.keys() == real.keys() and all(fits(shown[k], real[k]) for k in shown)
            )
        case list():
            return isinstance(real, list) and len(shown) == len(real) and all(map(fits, shown, real))
    return bool(shown == real)


# a server for the pages


class Server:
    """A real one, on a free port, with a folder of its own in which commands are run."""

    def __init__(self, folder: Path, address: str) -> None:
        self._folder = folder
        self._address = address

    def replacing(self, text: str) -> str:
        return text.replace(ADDRESS, self._address)

    def curl(self, command: str) -> tuple[int, str]:
        """The status and the body of a request, made by a shell as the page shows it."""
        patience_s = 2 if " -N " in command else 10  # a stream is cut off
        script = re.sub(
            r"^curl ",
            f"curl --max-time {patience_s} -w '\\\\n%{{http_code}}' ",
            self.replacing(command),
            flags=re.MULTILINE,
        )
        ran = run("sh", "-c", script, cwd=self._folder)
        body, _, status = ran.stdout.rpartition("\n")
        return int(status or 0), body


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One demo for all programs, which look at what it publishes."""
    with serving(tmp_path_factory.mktemp("demo"), "--demo") as server:
        yield server


@contextmanager
def serving(folder: Path, *flags: str, configuration: str = "") -> Iterator[Server]:
    folder.mkdir(exist_ok=True)
    (folder / "vagus.toml").write_text(configuration)
    command = (*VAGUS, "serve", "--port", "0", "--log-level", "error", *flags)
    output = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, env=CLEAN, stdout=output, text=True) as process, ending(process):
        assert process.stdout is not None
        url = process.stdout.readline().rpartition(" ")[2].strip()
        assert url.startswith("http://"), "the server did not start"
        yield Server(folder, url.removeprefix("http://"))


def first_datum(*command: str) -> str:
    """The first line that begins with a number; a client may have a word to say before that."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, ending(process):
        assert process.stdout is not None
        return next((line for line in islice(process.stdout, 3) if line[:1].isdigit()), "")


@contextmanager
def ending(process: "subprocess.Popen[str]") -> Iterator[None]:
    """End a process after the block."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()


def run(*command: str, cwd: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=cwd, env=CLEAN | variables, capture_output=True, text=True, check=False, timeout=90 * PATIENCE
    )


def page(name: str) -> Page:
    return Page(ROOT / name)
