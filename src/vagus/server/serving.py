"""Serving: settings become a node that listens, until a signal says stop.

A node serves alone, or as one of the workers that share a port (``workers``). What it is made of comes from
``building``, its life is ``node``, and ``reloading`` changes what can change meanwhile.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog

from vagus.broker.memory import MemoryBroker
from vagus.gateway.siblings import Siblings
from vagus.kernel.errors import RuleError, VagusError
from vagus.settings import Settings

from .addresses import url_of
from .building import ASGIApp, Parts, build
from .folder import DataFolder
from .leash import Leash, Post
from .listening import listener_of
from .logs import configure_logs
from .loopback import for_this_machine
from .node import NodeServer
from .pages import ConsolePages
from .reloading import Read, Reloading

if TYPE_CHECKING:
    from vagus.api.app import Api

log = structlog.get_logger()

NODES: Final = "nodes"
"""The folder in the data folder where the workers of a machine find each other."""


class CannotStartError(Exception):
    """What the node stands on is not there; the text says what."""


def serve(settings: Settings, folder: DataFolder, on_ready: Callable[[str], None], read: Read | None = None) -> None:
    """Serve until a signal. ``on_ready`` is called with the address once requests are taken; ``read`` reads the

    configuration again on SIGHUP.

    Raises ``SettingsError``, ``CannotListenError``, ``CannotStartError``, or ``OSError`` for a data folder that cannot
    be used.
    """
    configure_logs(settings.server)
    parts = build(settings, folder)
    alone = isinstance(parts.hub.broker, MemoryBroker)
    with folder.held(alone=alone), listener_of(settings.server) as listener:
        warn_of_exposure(folder)
        url = url_of(settings.server.host, listener.getsockname()[1])

        def announce() -> None:
            folder.announce(url)
            log.info("server_started", url=url, version=parts.hub.version)
            on_ready(url)

        server = node_of(settings, folder, parts, lambda: asyncio.to_thread(announce), read)  # it writes a file
        try:
            run(server, listener)
        finally:
            folder.withdraw(url)


def serve_as_worker(settings: Settings, folder: DataFolder, post: Post, read: Read) -> None:
    """Serve as one of several, on a socket and a leash of the parent's. Raises as ``serve`` does."""
    configure_logs(settings.server)
    structlog.contextvars.bind_contextvars(worker=post.number)
    parts = build(settings, folder)
    folder.make()
    parts.gate.siblings = Siblings(folder.path / NODES, parts.hub.node_id)
    leash = Leash(post)

    async def ready() -> None:
        log.info("worker_started", node=parts.hub.node_id, version=parts.hub.version)
        leash.say_ready()

    server = node_of(settings, folder, parts, ready, read, company=post.count)
    leash.hold(server)
    with socket.socket(fileno=post.listener) as listener:
        run(server, listener)


def node_of(
    settings: Settings,
    folder: DataFolder,
    parts: Parts,
    on_ready: Callable[[], Awaitable[None]],
    read: Read | None,
    *,
    company: int = 1,
) -> NodeServer:
    """A node of these parts, to be run; see ``NodeServer``."""
    api = _api(settings, parts)
    served: ASGIApp = api
    if settings.console.enabled:
        served = ConsolePages(served)
    if settings.access.insecure:
        served = for_this_machine(served)
    node = NodeServer(parts, served, settings.server, on_ready, company=company)

    def heed(running: Settings) -> None:
        node.heed(running)
        api.heed(**_api_options(running))

    if read is not None:
        node.reloading = Reloading(parts, settings, folder, read, heed)
    return node


def run(server: NodeServer, listener: socket.socket) -> None:
    """Serve until it is told to stop. Raises ``CannotStartError``."""
    try:
        server.run(sockets=[listener])
    except (VagusError, RuleError) as error:
        raise CannotStartError(str(error)) from None


def warn_of_exposure(folder: DataFolder) -> None:
    if folder.is_exposed:
        log.warning(
            "data_folder_exposed", folder=str(folder.path), hint="its secrets are for this user alone: chmod 700"
        )


def _api(settings: Settings, parts: Parts) -> "Api":
    from vagus.api.app import api_app

    return api_app(
        parts.hub,
        keys=parts.keys,
        checks=parts.storage.checks,
        routes=_routes(parts),
        **_api_options(settings),
    )


def _api_options(settings: Settings) -> dict[str, Any]:
    """What may change while it is served."""
    return msgspec.structs.asdict(settings.api)


def _routes(parts: Parts) -> Callable[[], Any] | None:
    if not parts.apps:
        return None
    return lambda: [route for name, app in parts.apps.items() for route in app.routes(parts.keys, parts.quotas[name])]
