"""Real balancers before nodes, with the configuration that the documentation gives: nginx and HAProxy."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.examples.pages import ROOT, Page
from tests.integration.native.serving import Server
from tests.patience import DEADLINE_S
from tests.ports import free_port

PAGE: Final = Page(ROOT / "docs" / "balancing.md")

NGINX_BY_ADDRESS, NGINX_BY_COOKIE = (block.text for block in PAGE.blocks("nginx"))
(HAPROXY,) = (block.text for block in PAGE.blocks("haproxy"))

_NGINX: Final = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {block}
}}
"""


class Balancer:
    """One that runs. ``site`` and ``port`` are as a server's."""

    def __init__(self, port: int) -> None:
        self.port = port

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@contextmanager
def nginx(program: Path, folder: Path, block: str, *servers: Server) -> Iterator[Balancer]:
    port = free_port()
    block = _placed(block.replace("listen 80", f"listen 127.0.0.1:{port}"), servers)
    if "$connection_upgrade" in block and "map $http_upgrade" not in block:
        block = "map $http_upgrade $connection_upgrade { default upgrade; '' ''; }\n" + block
    user = "user root;" if folder.owner() == "root" else ""
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, block=block, user=user))
    with _running([str(program), "-p", str(folder), "-c", str(config), "-e", "stderr"], port):
        yield Balancer(port)


@contextmanager
def haproxy(program: Path, folder: Path, text: str, *servers: Server) -> Iterator[Balancer]:
    port = free_port()
    config = folder / "haproxy.cfg"
    config.write_text(_placed(text.replace("bind :80", f"bind 127.0.0.1:{port}"), servers))
    with _running([str(program), "-db", "-f", str(config)], port):
        yield Balancer(port)


def _placed(text: str, servers: tuple[Server, ...]) -> str:
    for number, server in enumerate(servers, 1):
        text = text.replace(f"10.0.0.{number}:8000", f"127.0.0.1:{server.port}")
    assert "10.0.0." not in text
    return text


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        _wait_for(process, port)
        yield
    finally:
        process.terminate()
        process.communicate(timeout=DEADLINE_S)


def _wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    end = time.monotonic() + DEADLINE_S
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), DEADLINE_S).close()
        except ConnectionRefusedError:
            time.sleep(0.01)
        else:
            return
    assert process.stderr is not None
    raise AssertionError(f"the balancer does not listen: {process.stderr.read().decode()}")
