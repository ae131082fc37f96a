"""An insecure server answers nobody who names another host than this machine."""

from typing import Any

import pytest

from vagus.auth.origins import OriginRules
from vagus.server.loopback import LOCAL_ORIGINS, for_this_machine, names_this_machine


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]", "[::1]:8000"])
def test_loopback_is_this_machine(host: str) -> None:
    assert names_this_machine(host)


@pytest.mark.parametrize(
    "host", ["", "evil.example", "localhost.evil.example:80", "127.0.0.1.evil.example", "[::1", "::1"]
)
def test_anything_else_is_not(host: str) -> None:
    assert not names_this_machine(host)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:5173", True),
        ("https://127.0.0.1", True),
        ("http://[::1]:3000", True),
        ("http://evil.example", False),
        ("http://localhost.evil.example", False),
    ],
)
def test_pages_of_this_machine_may_connect_from_any_port(origin: str, allowed: bool) -> None:
    assert OriginRules(LOCAL_ORIGINS).allows(origin, "localhost:8000") is allowed


@pytest.mark.parametrize(("host", "status"), [(b"localhost:8000", 200), (b"evil.example", 421)])
async def test_a_request_that_names_another_host_does_not_get_through(host: bytes, status: int) -> None:
    sent: list[dict[str, Any]] = []

    async def api(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await for_this_machine(api)({"type": "http", "headers": [(b"host", host)]}, None, send)
    assert sent[0]["status"] == status
