"""How a server logs: to standard error, readable on a terminal, one JSON object a line elsewhere.

Everything else in the process that logs by the standard library (uvicorn, an application) takes the same way.
"""

import logging
import sys
from typing import Any

import structlog

from vagus.settings import Server


def configure_logs(server: Server) -> None:
    """Set up logging for the process. Calling it again replaces what was set up."""
    level = logging.getLevelNamesMapping()[server.log_level.upper()]
    is_console = server.log_format == "console" or (server.log_format == "auto" and sys.stderr.isatty())
    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*before, structlog.stdlib.ExtraAdder(), _drop_colors], processors=_rendering(is_console)
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # uvicorn announces each step of starting and stopping; ours say the same with facts.
    logging.getLogger("uvicorn").setLevel(max(level, logging.WARNING) if level > logging.DEBUG else level)
    for name in ("asyncio", "alembic"):
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _rendering(is_console: bool) -> list[structlog.typing.Processor]:
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if is_console:
        plain = structlog.dev.plain_traceback
        return [remove, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    # The usual traceback renderers show local variables, and those hold payloads and tokens.
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return [remove, structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]


def _drop_colors(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    event.pop("color_message", None)
    return event
