"""Pages in Markdown as tests see them: their fenced blocks, the commands in those, their links and headings.

A block whose first line is a comment with the name of a file (``# shop.py``, ``// follow.mjs``) is a whole program. A
comment below a request of ``curl`` that begins with ``{`` is the answer that the page promises.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

_FENCE: Final = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_FILE: Final = re.compile(r"(?:#|//) ([a-z_]+(?:\.worker)?\.(?:py|mjs|mts|tsx?))$")
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
_SETTING: Final = re.compile(
    r"(?:server|limits|access|tokens|subscription_tokens|websocket|streaming|socketio|signalr|api|admin|broker)"
    r"\.[a-z_]+(?=$| =)"
)
_CODE: Final = re.compile(r"`([^`\n]+)`")


_CLIENTS: Final = ("import WebSocket", 'import { io } from "socket.io-client"', "import { HubConnectionBuilder }")
"""What marks a whole client for Node.js."""


@dataclass(frozen=True)
class Block:
    """A fenced block, and where it is."""

    language: str
    text: str
    place: str

    @property
    def file(self) -> str | None:
        """The name of the program that it is."""
        found = _FILE.match(self.text.partition("\n")[0])
        return found[1] if found else None

    @property
    def is_client(self) -> bool:
        """Whether it is a whole client that follows the demo in Node.js."""
        return "demo:" in self.text and any(sign in self.text for sign in _CLIENTS)

    @property
    def is_for_browsers(self) -> bool:
        """Whether it is a whole client that follows the demo in a page."""
        return "demo:clock" in self.text and (self.is_client or "new EventSource(" in self.text)

    @property
    def lines(self) -> list[str]:
        """Its lines, with those joined that end in a backslash."""
        return re.sub(r"\\\n\s*", "", self.text).splitlines()


class Page:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path.relative_to(ROOT))
        self.text = path.read_text("utf-8")

    @cached_property
    def all_blocks(self) -> list[Block]:
        return [
            Block(found[1], found[2], f"{self.name}:{self.text.count(chr(10), 0, found.start()) + 1}")
            for found in _FENCE.finditer(self.text)
        ]

    @cached_property
    def prose(self) -> str:
        return _FENCE.sub("", self.text)

    def blocks(self, language: str) -> list[Block]:
        return [block for block in self.all_blocks if block.language == language]

    def programs(self, language: str) -> dict[str, Block]:
        """Whole programs by their files' names."""
        return {block.file: block for block in self.blocks(language) if block.file is not None}

    def write_programs(self, language: str, folder: Path, change: Callable[[str], str] = str) -> list[str]:
        """Write them into a folder, where they may import one another, and return their names."""
        programs = self.programs(language)
        for name, block in programs.items():
            (folder / name).write_text(change(block.text), "utf-8")
        return list(programs)

    def commands(self, program: str) -> list[str]:
        """Its command lines in blocks for a shell."""
        return [line for block in self.blocks("sh") for line in block.lines if line.startswith(f"{program} ")]

    def mentions(self, program: str) -> list[str]:
        """Its command lines in the text, which may leave things out."""
        return [code for code in self.codes if code.startswith(f"{program} ")]

    @property
    def configuration(self) -> str:
        """What its commands run with: the first settings that it shows."""
        return next((block.text for block in self.blocks("toml")), "")

    @property
    def codes(self) -> list[str]:
        """What is set as code in the text."""
        return _CODE.findall(self.prose)

    @property
    def settings(self) -> list[str]:
        """Paths of settings in the text."""
        return [found[0] for code in self.codes if (found := _SETTING.match(code))]

    @property
    def applications(self) -> list[str]:
        """Hubs that a command serves, as ``module:name``."""
        return [found[1] for line in self.commands("vagus serve") if (found := re.search(r"--app (\S+)", line))]

    @property
    def requests(self) -> list[tuple[str, str | None]]:
        """Requests of ``curl``, with the variables that were set before them, and the answers shown below them."""
        found: list[tuple[str, str | None]] = []
        variables: list[str] = []
        for line in (line for block in self.blocks("sh") for line in block.lines):
            if re.match(r"[A-Z]+=", line):
                variables.append(line)
            elif line.startswith("curl "):
                found.append(("\n".join([*variables, line]), None))
            elif line.startswith("# {") and found:
                found[-1] = (found[-1][0], line[2:])
        return found

    @property
    def links(self) -> list[str]:
        """Links that are relative."""
        return [link for link in _LINK.findall(self.prose) if not re.match(r"[a-z]+:", link)]

    @property
    def anchors(self) -> set[str]:
        """What headings are called in links."""
        return {_anchor(heading) for heading in _HEADING.findall(self.prose)}


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


PAGES: Final = [Page(path) for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))]
