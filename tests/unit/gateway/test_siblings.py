"""Which sibling a request is for, as its first line says it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Final

import pytest

from vagus.gateway.siblings import Siblings

ME: Final = "a" * 12
SIBLING: Final = "0123456789ab"
SECRET: Final = "x-_Z0" * 6 + "zz"
SOCKETS: Final = SimpleNamespace(session_field="sid")
HUBS: Final = SimpleNamespace(session_field="id")


@pytest.fixture
def siblings() -> Siblings:
    return Siblings(Path("nowhere"), ME + "f" * 20)


def line(query: str, method: str = "GET") -> bytes:
    return f"{method} /path?{query} HTTP/1.1\r\nHost: x\r\nX: ?sid={SIBLING}{SECRET}&\r\n\r\n".encode()


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize(
    "query", [f"sid={SIBLING}{SECRET}", f"EIO=4&sid={SIBLING}{SECRET}&t=1", f"sid=&sid={SIBLING}{SECRET}"]
)
async def test_a_session_of_a_sibling_is_its(siblings: Siblings, query: str, method: str) -> None:
    assert siblings.home_of(SOCKETS, line(query, method)) == SIBLING
    assert siblings.home_of(HUBS, line(query.replace("sid", "id"), method)) == SIBLING


@pytest.mark.parametrize(
    "query",
    [
        "",
        "sid=",
        f"sid={ME}{SECRET}",
        f"sid={SIBLING}",
        f"sid={SIBLING}short",
        f"sid={SIBLING}{'x' * 65}",
        f"sid={SIBLING}{SECRET}%20",
        f"sid={SIBLING.upper()}{SECRET}",
        f"sid=../../{SIBLING}{SECRET}",
        f"xsid={SIBLING}{SECRET}",
        f"id={SIBLING}{SECRET}",
    ],
)
async def test_anything_else_stays_here(siblings: Siblings, query: str) -> None:
    assert siblings.home_of(SOCKETS, line(query)) == ""


async def test_only_endpoints_with_sessions_have_homes(siblings: Siblings) -> None:
    request = line(f"sid={SIBLING}{SECRET}")
    assert siblings.home_of(SimpleNamespace(), request) == ""
    assert siblings.home_of(None, request) == ""


async def test_methods_that_are_answered_alike_everywhere_stay_here(siblings: Siblings) -> None:
    assert siblings.home_of(SOCKETS, line(f"sid={SIBLING}{SECRET}", "OPTIONS")) == ""
