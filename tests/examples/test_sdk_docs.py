"""TypeScript in the documentation: every block compiles against the built packages, and whole programs run.

A block that begins with a file's name is a whole program; the others may use what ``sdk_snippets.d.ts`` declares.
"""

import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.examples.conftest import RunNode
from tests.examples.pages import PAGES, ROOT, Block, Page
from tests.examples.test_docs import first_datum, serving
from vagus.client import Client, errors

SDK_PAGES: Final = (*PAGES, *map(Page, sorted((ROOT / "web" / "packages").glob("*/README.md"))))
LANGUAGES: Final = ("ts", "tsx")
COMPILER: Final = {
    "target": "es2022",
    "module": "esnext",
    "moduleResolution": "bundler",
    "lib": ["esnext", "dom", "dom.iterable"],
    "types": ["vite/client"],
    "jsx": "react-jsx",
    "strict": True,
    "noUncheckedIndexedAccess": True,
    "exactOptionalPropertyTypes": True,
    "moduleDetection": "force",
    "noEmit": True,
    "skipLibCheck": True,
}
"""The first test builds the packages."""


def demo_programs(page: Page) -> list[Block]:
    """Whole programs that follow the demo."""
    return [block for block in page.programs("ts").values() if "demo:" in block.text]


def pages_with(found: Callable[[Page], object]) -> pytest.MarkDecorator:
    pages = [page for page in SDK_PAGES if found(page)]
    return pytest.mark.parametrize("page", pages, ids=lambda page: page.name)


def mentioned_in(page: str) -> str:
    return Page(ROOT / "docs" / page).prose


def exported_from(package: str) -> list[str]:
    """Values that a package exports; types have other ways to be found."""
    index = (ROOT / "web" / "packages" / package / "src" / "index.ts").read_text("utf-8")
    names = re.findall(r"^export \{([^}]*)\}", index, re.MULTILINE)
    return [name.strip() for names in names for name in names.split(",") if name.strip() and "type " not in name]


@pytest.mark.parametrize(
    "interface", ["ClientOptions", "SubscribeOptions", "PublishOptions", "HistoryOptions", "Figures", "Preferences"]
)
def test_every_option_of_the_javascript_client_is_described(interface: str) -> None:
    types = (ROOT / "web" / "packages" / "client" / "src" / "types.ts").read_text("utf-8")
    body = types.partition(f"export interface {interface} ")[2].partition("\n}")[0]
    names = re.findall(r"^  readonly (\w+)", body, re.MULTILINE)
    text = mentioned_in("javascript-client.md")
    assert names
    assert [name for name in names if f"`{name}`" not in text] == []


@pytest.mark.parametrize(("package", "page"), [("client", "javascript-client.md"), ("react", "react.md")])
def test_everything_that_a_package_exports_is_described(package: str, page: str) -> None:
    text = mentioned_in(page)
    assert [name for name in exported_from(package) if not re.search(rf"\b{name}\b", text)] == []


@pytest.mark.parametrize(
    "function", [Client.__init__, Client.subscribe, Client.publish], ids=lambda each: each.__name__
)
def test_every_argument_of_the_python_client_is_described(function: Callable[..., object]) -> None:
    text = mentioned_in("python-client.md")
    names = [name for name in inspect.signature(function).parameters if name not in ("self", "channel", "type")]
    assert [name for name in names if not re.search(rf"`{name}\b", text)] == []


def test_every_error_of_the_python_client_is_described() -> None:
    text = mentioned_in("python-client.md")
    assert [name for name in errors.__all__ if name != "ClientError" and f"`{name}`" not in text] == []


@pages_with(lambda page: [*page.blocks("ts"), *page.blocks("tsx")])
@pytest.mark.timeout(120)
def test_typescript_has_sound_types(page: Page, tmp_path: Path, packages: Path, run_node: RunNode) -> None:
    (tmp_path / "node_modules").symlink_to(packages)
    (tmp_path / "names.d.ts").write_text((Path(__file__).parent / "sdk_snippets.d.ts").read_text())
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": COMPILER}))
    for language in LANGUAGES:
        for block in page.blocks(language):
            line = block.place.rpartition(":")[2]
            (tmp_path / (block.file or f"line{line}.{language}")).write_text(block.text)
    run_node("tsc", "-p", ".", cwd=tmp_path)


@pages_with(demo_programs)
@pytest.mark.timeout(120)
def test_typescript_programs_show_what_is_published(
    page: Page, tmp_path: Path, packages: Path, installed_program: Callable[[str], Path]
) -> None:
    (tmp_path / "node_modules").symlink_to(packages)
    (tmp_path / "package.json").write_text('{"type": "commonjs"}')  # as `npm init` makes it
    with serving(tmp_path / "server", "--demo") as server:
        for program in demo_programs(page):
            file = tmp_path / str(program.file)
            file.write_text(server.replacing(program.text))
            assert first_datum(str(installed_program("node")), str(file)), program.place
