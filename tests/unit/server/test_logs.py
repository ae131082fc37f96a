"""Logs: one JSON object a line where a program reads, and never the values of local variables."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from vagus.server.logs import configure_logs
from vagus.settings import Server


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_without_a_terminal_each_line_is_a_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Server())
    structlog.get_logger().info("client_closed", code=3001)
    (line,) = logged(capsys)
    assert (line["event"], line["code"], line["level"]) == ("client_closed", 3001, "info")


def test_uvicorn_and_applications_take_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Server())
    logging.getLogger("uvicorn.error").warning("odd %s", "thing", extra={"color_message": "x"})
    logging.getLogger("shop").info("sold", extra={"count": 3})
    lines = logged(capsys)
    assert [line["event"] for line in lines] == ["odd thing", "sold"]
    assert all("color_message" not in line for line in lines)


def test_uvicorns_chatter_and_what_is_below_the_level_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Server(log_level="info"))
    logging.getLogger("uvicorn.error").info("Application startup complete.")
    structlog.get_logger().debug("detail")
    assert not logged(capsys)


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_local_variables(capsys: pytest.CaptureFixture[str], log_format: str) -> None:
    configure_logs(Server(log_format=log_format))  # type: ignore[arg-type]
    secret = "hush"
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger().exception("background_failed")
    text = capsys.readouterr().err
    assert "broken" in text
    assert secret not in text
