"""The command line as a person uses it: real processes, real servers on free ports, in a folder of their own."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.integration.redis.servers import eventually
from tests.listening import stop_listening
from tests.patience import DEADLINE_S
from tests.ports import free_port
from vagus.server.folder import ADDRESS, DataFolder

pytestmark = pytest.mark.timeout(60)  # up to eight processes, one after the other

VAGUS: Final = (sys.executable, "-m", "vagus")
CLEAN: Final = {name: text for name, text in os.environ.items() if not name.startswith(("VAGUS_", "WEBSOCKET_"))}
CONFIGURATION: Final = """
[[channels]]
pattern = "news"
history = { size = 100, minutes = 5 }
subscribe = ["user"]

[[channels]]
pattern = "plain"
"""
APPLICATION: Final = """
import asyncio
from vagus import Hub

hub = Hub()

@hub.authenticate
async def who(request):
    return None

@hub.channel("orders:{order_id}")
async def may_follow(order_id: int) -> bool:
    return order_id == 42
"""

BUSY: Final = """
import os
from vagus import Hub, RefusedError

hub = Hub(allow_anonymous=True)
busy = {os.environ["BUSY"]}

def wait(what):
    if what in busy:
        busy.remove(what)
        raise RefusedError.because(450, "not yet", temporary=True)

@hub.on_connect
def may_connect(request, identity):
    wait("connect")

@hub.channel("orders")
def may_follow():
    wait("follow")
    return True
"""


class Running:
    """A ``vagus`` process that prints lines until it is told to stop."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self._said = folder / f"{arguments[0]}.log"
        self._log = self._said.open("w")
        self.process = subprocess.Popen(
            [*VAGUS, *arguments],
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=folder,
            env=CLEAN | environment,
        )

    def line(self) -> str:
        """The next line of its output."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def log(self) -> str:
        return self._said.read_text()  # the process writes on where its file stands: nobody else may move in that

    def until(self, text: str) -> None:
        """Wait until it has logged something, without taking the processor from it."""
        eventually(lambda: text in self.log() or self.process.poll() is not None, text)
        assert text in self.log()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()


class Server(Running):
    """A server that is ready. ``said`` is all that it printed."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        super().__init__(folder, "serve", "--port", str(free_port()), *arguments, **environment)
        self.said = self.line()
        assert " ready at " in self.said, self.log()
        self.url = self.said.split()[-1]
        while self.said.count("\n\n") < 2:  # a blank line after the first one, and another at the end
            self.said += self.line()


Start = Callable[..., Any]


class Ran(msgspec.Struct, frozen=True):
    code: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "vagus.toml").write_text(CONFIGURATION)
    return tmp_path


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Start a process that is ended with the test."""
    with ExitStack() as stack:

        def start_one(kind: type[Running], *arguments: str, **environment: str) -> Running:
            running = kind(folder, *arguments, **environment)
            stack.callback(running.end)
            return running

        yield start_one


def run(folder: Path, *arguments: str, text: str = "", **environment: str) -> Ran:
    done = subprocess.run(
        [*VAGUS, *arguments],
        input=text,
        capture_output=True,
        text=True,
        cwd=folder,
        env=CLEAN | environment,
        timeout=DEADLINE_S,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def fetch(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=DEADLINE_S) as response:
        return json.loads(response.read())


# serve


def test_a_first_start_makes_secrets_and_says_how_to_go_on(tmp_path: Path, start: Start) -> None:
    (tmp_path / "vagus.toml").unlink()
    server = start(Server)
    for part in (
        "/connection/websocket",
        "/docs",
        "/health",
        "vagus token --user",
        "vagus-data/api_key",
        "[[channels]]",
    ):
        assert part in server.said
    assert fetch(f"{server.url}/health")["status"] == "ok"
    data = tmp_path / "vagus-data"
    assert data.stat().st_mode & 0o777 == 0o700
    assert {(data / name).stat().st_mode & 0o777 for name in ("api_key", "token_secret")} == {0o600}


def test_a_second_start_keeps_the_secrets(folder: Path, start: Start) -> None:
    start(Server).stop()
    before = (folder / "vagus-data" / "token_secret").read_text()
    start(Server)
    assert (folder / "vagus-data" / "token_secret").read_text() == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_code_0_and_takes_its_address_away(folder: Path, start: Start, number: int) -> None:
    server = start(Server)
    assert (folder / "vagus-data" / "address").exists()
    assert server.stop(number) == 0
    assert not (folder / "vagus-data" / "address").exists()
    events = [json.loads(line)["event"] for line in server.log().splitlines()]
    assert [event for event in events if event.startswith("server_")] == [
        "server_started",
        "server_stopping",
        "server_stopped",
    ]


def test_a_hang_up_is_logged_and_survived(start: Start) -> None:
    server = start(Server)
    server.process.send_signal(signal.SIGHUP)
    server.until('"event": "reloaded"')
    fetch(f"{server.url}/health")
    assert server.stop() == 0


async def test_stopping_tells_clients_to_come_back_and_finishes_requests(folder: Path, start: Start) -> None:
    server = start(Server)
    token = run(folder, "token", "--user", "42").out.strip()
    key = (folder / "vagus-data" / "api_key").read_text().strip()
    host, port = server.url.removeprefix("http://").split(":")
    async with connect(server.url.replace("http", "ws") + "/connection/websocket") as client:
        await client.send(json.dumps({"id": 1, "connect": {"token": token}}))
        assert "connect" in json.loads(await client.recv())
        reader, writer = await asyncio.open_connection(host, int(port))
        body = b'{"channel": "news", "data": 1}'
        head = f"POST /api/publish HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body[:5])  # the rest comes when the server is stopping already
        await asyncio.to_thread(fetch, f"{server.url}/health")
        server.process.send_signal(signal.SIGTERM)
        await client.wait_closed()
        assert (client.close_code, client.close_reason) == (3001, "shutdown")
        writer.write(body[5:])
        answer = await reader.read()
        assert b"200 OK" in answer
        assert b'"offset":1' in answer
        writer.close()
    assert await asyncio.to_thread(server.process.wait, 15) == 0


HANDSHAKE = (
    b"GET /connection/websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def test_a_handshake_may_follow_another_request_on_its_connection(start: Start) -> None:
    server = start(Server)
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /health?live HTTP/1.1\r\nHost: x\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.split(b":")[1]))
    writer.write(HANDSHAKE)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    writer.close()


@pytest.mark.parametrize(
    ("path", "enabled"), [("/", "true"), ("/elsewhere", "true"), ("/connection/websocket", "false")]
)
async def test_only_the_paths_of_websockets_take_them(start: Start, path: str, enabled: str) -> None:
    server = start(Server, VAGUS_WEBSOCKET__ENABLED=enabled)
    with pytest.raises(InvalidStatus, match="404"):
        async with connect(server.url.replace("http", "ws") + path):
            pass


def test_an_address_that_is_denied_reaches_nothing(start: Start) -> None:
    server = start(Server, VAGUS_ACCESS__DENY_ADDRESSES='["127.0.0.1"]')
    with pytest.raises(urllib.error.HTTPError, match="403"):
        fetch(f"{server.url}/health")


async def test_stopping_lets_nobody_new_in(start: Start) -> None:
    server = start(Server)
    host, port = server.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /api/info HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")  # keeps it from ending at once
    await asyncio.to_thread(fetch, f"{server.url}/health")
    server.process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(server.until, "server_stopping")
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection(host, int(port))
    writer.close()
    assert await asyncio.to_thread(server.process.wait, 15) == 0


def test_an_insecure_server_needs_no_token_and_no_key_and_warns(folder: Path, start: Start) -> None:
    server = start(Server, "--insecure")
    assert "INSECURE" in server.log()
    (folder / "elsewhere").mkdir()
    assert run(folder, "publish", "anything", "1", "--data-dir", "elsewhere", "--url", server.url).code == 0
    assert run(folder, "tail", "anything", "--url", server.url, "--history", "1", "--count", "1").out.endswith(" 1\n")


def test_an_insecure_server_does_not_answer_to_the_name_of_another_site(start: Start) -> None:
    server = start(Server, "--insecure")
    request = urllib.request.Request(f"{server.url}/api/info", data=b"{}", headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="421"):
        urllib.request.urlopen(request, timeout=DEADLINE_S)


def test_an_insecure_server_still_refuses_a_false_token(folder: Path, start: Start) -> None:
    server = start(Server, "--insecure")
    ran = run(folder, "tail", "anything", "--url", server.url, "--token", "x")
    assert (ran.code, ran.err.startswith("vagus: invalid token (3500)")) == (4, True)


def test_a_port_that_is_taken_is_one_line_and_code_1(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = run(folder, "serve", "--port", port)
    assert (ran.code, ran.out) == (1, "")
    hint = "(stop what runs there, or choose another: --port 0 takes a free one)"
    assert ran.err == f"vagus: cannot listen on 127.0.0.1 port {port}: Address already in use {hint}\n"


def test_a_host_that_nobody_knows_is_named(folder: Path) -> None:
    ran = run(folder, "serve", "--port", "0", "--host", "nobody.invalid")
    assert (ran.code, ran.err) == (2, "vagus: --host: server.host: nobody.invalid is not an address of this machine\n")


def test_a_second_server_on_a_folder_is_refused_and_the_first_stays_where_commands_find_it(
    folder: Path, start: Start
) -> None:
    server = start(Server)
    ran = run(folder, "serve", "--port", "0")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"vagus: data folder vagus-data: another server at {server.url} has it, and without")
    assert run(folder, "publish", "news", "1").code == 0
    server.stop()
    start(Server)


@pytest.mark.parametrize("name", ["token_secret", "api_key"])
def test_a_server_does_not_start_with_a_secret_that_is_empty(folder: Path, name: str) -> None:
    (folder / "vagus-data").mkdir(mode=0o700)
    (folder / "vagus-data" / name).touch()
    ran = run(folder, "serve", "--port", "0")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"vagus: data folder vagus-data: {name} is empty: restore it from a backup, or remove it")


def test_of_several_servers_on_a_folder_one_that_answers_is_found(tmp_path: Path) -> None:
    data = DataFolder(tmp_path / "vagus-data")
    with socket.create_server(("127.0.0.1", 0)) as older, socket.create_server(("127.0.0.1", 0)) as newer:
        urls = ["http://{}:{}".format(*listener.getsockname()) for listener in (older, newer)]
        for url in urls:
            data.announce(url)
        assert data.address() == urls[1]
        newer.close()  # without a word, as when it is killed
        assert data.address() == urls[0]
        data.announce(urls[0])
        assert data.read(ADDRESS) == urls[0]


def test_servers_that_come_and_go_together_lose_no_address(folder: Path) -> None:
    data = DataFolder(folder / "vagus-data")
    with ExitStack() as stack, ThreadPoolExecutor(8) as threads:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(8)]
        urls = ["http://{}:{}".format(*listener.getsockname()) for listener in listeners]
        for _ in range(5):
            list(threads.map(data.announce, urls))
            assert sorted((data.read(ADDRESS) or "").split()) == sorted(urls)
            list(threads.map(data.withdraw, urls))
            assert data.read(ADDRESS) is None


@contextmanager
def one_that_sends_elsewhere(url: str) -> Iterator[str]:
    """Listen at an address, and answer one request with where else it is to be asked."""
    answer = f"HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(answer.encode())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=serve)
        serving.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        serving.join(DEADLINE_S)


def test_a_key_stays_with_the_server_that_was_named(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.setblocking(False)
        elsewhere = f"http://127.0.0.1:{other.getsockname()[1]}/api/publish"
        with one_that_sends_elsewhere(elsewhere) as url:
            said = run(folder, "publish", "news", "1", "--url", url, "--key", "secret")
        assert (said.code, said.err) == (4, f"vagus: the server is elsewhere: it answers 302 with {elsewhere}\n")
        with pytest.raises(BlockingIOError):
            other.accept()


def test_an_address_of_no_interface_is_refused(folder: Path) -> None:
    ran = run(folder, "serve", "--port", "0", "--host", "192.0.2.1")
    assert (ran.code, ran.err.count("\n")) == (1, 1)


def test_a_data_folder_that_cannot_be_used_is_one_line_and_code_1(folder: Path) -> None:
    (folder / "vagus-data").write_text("")
    ran = run(folder, "serve", "--port", "0")
    assert (ran.code, ran.err) == (1, "vagus: data folder vagus-data: Not a directory\n")


def test_wrong_settings_are_told_line_by_line_before_anything_is_made(folder: Path) -> None:
    ran = run(folder, "serve", "--port", "0", VAGUS_ACCESS__ORIGINS="x", VAGUS_TOKENS__RSA_PUBLIC_KEY="absent")
    assert ran.code == 2
    assert [line.partition(": ")[2].partition(":")[0] for line in ran.err.splitlines()] == [
        "VAGUS_TOKENS__RSA_PUBLIC_KEY",
        "VAGUS_ACCESS__ORIGINS",
    ]


def test_the_old_variables_reach_a_running_server(start: Start) -> None:
    server = start(Server, WEBSOCKET_ENABLED="false", WEBSOCKET_MAX_CONNECTIONS="1")
    assert "/connection/websocket" not in server.said


def test_an_applications_own_hub_is_served_with_its_functions(folder: Path, start: Start) -> None:
    (folder / "shop_live.py").write_text(APPLICATION)
    start(Server, "--app", "shop_live:hub")
    assert run(folder, "publish", "orders:42", "1").code == 0
    assert run(folder, "publish", "news", "1").out == "published to news as number 1\n"
    token = run(folder, "token", "--user", "42").out.strip()
    assert run(folder, "tail", "orders:41", "--token", token).code == 4


def test_the_demo_publishes_for_anybody(folder: Path, start: Start) -> None:
    server = start(Server, "--demo")
    ran = run(folder, "tail", "demo:clock", "demo:numbers", "--url", server.url, "--count", "2", "--json")
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert {event["channel"] for event in events} <= {"demo:clock", "demo:numbers"}
    assert all(event["data"]["payload"]["demo"] for event in events)


# publish and tail


def test_what_is_published_is_shown_and_numbered(folder: Path, start: Start) -> None:
    start(Server)
    assert (
        run(folder, "publish", "news", '{"a": [1, 2]}', "--tag", "region=eu").out == "published to news as number 1\n"
    )
    assert run(folder, "publish", "news", "-", text='"from standard input"').out == "published to news as number 2\n"
    assert json.loads(run(folder, "publish", "news", "3", "--json").out)["offset"] == 3
    shown = run(folder, "tail", "news", "--history", "3", "--count", "3").out.splitlines()
    assert [line.partition(" ")[2] for line in shown] == [
        'news #1 region=eu {"a":[1,2]}',
        'news #2 "from standard input"',
        "news #3 3",
    ]


def test_tail_shows_what_comes_and_recovers_what_it_missed(folder: Path, start: Start) -> None:
    server = start(Server)
    run(folder, "publish", "news", "1")
    tail = start(Running, "tail", "news", "--history", "1", "--json")
    assert json.loads(tail.line())["data"] == 1
    for number in (2, 3, 4):
        disconnect(server.url, folder)
        run(folder, "publish", "news", str(number))
        assert json.loads(tail.line())["data"] == number
    assert "connecting again" in tail.log()
    assert tail.stop(signal.SIGINT) == 130


def disconnect(url: str, folder: Path) -> None:
    body = {"user": "vagus-tail", "disconnect": {"code": 3011, "reason": "go away"}}
    key = (folder / "vagus-data" / "api_key").read_text().strip()
    request = urllib.request.Request(
        f"{url}/api/disconnect", data=json.dumps(body).encode(), headers={"X-API-Key": key}
    )
    urllib.request.urlopen(request, timeout=DEADLINE_S).close()


def test_tail_goes_on_from_a_position(folder: Path, start: Start) -> None:
    start(Server)
    for number in (1, 2, 3):
        run(folder, "publish", "news", str(number))
    first = json.loads(run(folder, "tail", "news", "--history", "3", "--count", "1", "--json").out)
    since = f"{first['offset']}:{first['epoch']}"
    shown = run(folder, "tail", "news", "--since", since, "--count", "2", "--json").out.splitlines()
    assert [json.loads(line)["offset"] for line in shown] == [2, 3]
    assert run(folder, "tail", "news", "--since", "10m", "--count", "3").out.count("\n") == 3


def test_tail_says_when_something_is_no_longer_kept(folder: Path, start: Start) -> None:
    start(Server)
    run(folder, "publish", "news", "1")
    tail = start(Running, "tail", "news", "--since", "5:elsewhere")
    tail.until("something was missed and is no longer kept")
    tail.stop()


def test_tail_of_a_channel_without_history_says_so(folder: Path, start: Start) -> None:
    start(Server)
    tail = start(Running, "tail", "plain", "--history", "1", "--count", "1")
    tail.until("plain: keeps no history")
    run(folder, "publish", "plain", "1")
    assert tail.line().endswith(" plain 1\n")
    assert tail.process.wait(10) == 0


def test_tail_survives_a_restart_of_the_server(folder: Path, start: Start) -> None:
    server = start(Server)
    run(folder, "publish", "news", "1")
    tail = start(Running, "tail", "news", "--history", "1", "--json", "--count", "2")
    assert json.loads(tail.line())["data"] == 1
    server.stop()
    port = server.url.rpartition(":")[2]
    again = start(Running, "serve", "--port", port)
    assert again.line().strip().endswith(server.url)
    tail.until("no longer kept")
    run(folder, "publish", "news", "2")
    assert json.loads(tail.line())["data"] == 2
    assert tail.process.wait(10) == 0


@asynccontextmanager
async def losing_the_first(url: str, after: int) -> AsyncIterator[str]:
    """A proxy that cuts its first connection when so many questions were answered, and leaves the others alone."""
    host, port = url.removeprefix("http://").split(":")
    connections = 0

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        far_reader, far = await asyncio.open_connection(host, int(port))
        if connections == 1:
            for _ in range(after):
                far.write(await reader.read(10_000))
                writer.write(await far_reader.read(10_000))
            await reader.read(10_000)
        else:
            await asyncio.gather(pump(reader, far), pump(far_reader, writer))
        far.close()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield "http://{}:{}".format(*server.sockets[0].getsockname())
    finally:
        await stop_listening(server)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(10_000):
        writer.write(data)
    writer.close()


@pytest.mark.parametrize("answered", [2, 3], ids=["subscribing", "asking for history"])
async def test_tail_goes_on_when_its_connection_is_lost_before_it_began(
    folder: Path, start: Start, answered: int
) -> None:
    server = await asyncio.to_thread(start, Server)
    for number in (1, 2):
        await asyncio.to_thread(run, folder, "publish", "news", str(number), "--url", server.url)
    async with losing_the_first(server.url, answered) as url:
        tail = start(Running, "tail", "news", "--url", url, "--history", "5", "--count", "3")
        assert (await asyncio.to_thread(tail.line)).endswith(" news #1 1\n"), tail.log()
        assert (await asyncio.to_thread(tail.line)).endswith(" news #2 2\n")
        await asyncio.to_thread(run, folder, "publish", "news", "3", "--url", server.url)
        assert (await asyncio.to_thread(tail.line)).endswith(" news #3 3\n")
        assert await asyncio.to_thread(tail.process.wait, DEADLINE_S) == 0
    assert "connecting again" in tail.log()


@pytest.mark.parametrize(
    ("busy", "said"),
    [("connect", "connect: not yet (450): trying again"), ("follow", "not yet (450): connecting again")],
)
def test_tail_asks_again_what_is_refused_for_now(folder: Path, start: Start, busy: str, said: str) -> None:
    (folder / "busy_live.py").write_text(BUSY)
    start(Server, "--app", "busy_live:hub", BUSY=busy)
    token = run(folder, "token", "--user", "42").out.strip()
    tail = start(Running, "tail", "orders", "--token", token, "--count", "1")
    tail.until(said)
    eventually(lambda: run(folder, "publish", "orders", "1").code == 0 and tail.process.poll() is not None, "shown")
    assert tail.line().endswith(" 1\n")


@contextmanager
def answering(url: str, status: str) -> Iterator[threading.Event]:
    """A proxy without a server, that has an answer for every request; the event says that it gave one."""
    host, port = url.removeprefix("http://").split(":")
    answered = threading.Event()

    def answer(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(10_000)
                connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
            answered.set()

    with socket.create_server((host, int(port))) as listener:
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        try:
            yield answered
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def free_url() -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.mark.parametrize("status", ["502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"])
def test_tail_waits_for_a_server_that_a_proxy_has_not_found_yet(folder: Path, start: Start, status: str) -> None:
    url = free_url()
    run(folder, "token", "--user", "42")
    with answering(url, status) as answered:
        tail = start(Running, "tail", "news", "--url", url, "--count", "1")
        assert answered.wait(DEADLINE_S)
        tail.until(f"says {status}: trying again")
    start(Running, "serve", "--port", url.rpartition(":")[2]).line()
    eventually(lambda: run(folder, "publish", "news", "1").code == 0 and tail.process.poll() is not None, "shown")
    assert tail.line().endswith(" 1\n")


@pytest.mark.parametrize("status", ["502 Bad Gateway", "500 Internal Server Error"])
def test_tail_waits_for_a_server_that_a_proxy_has_lost(folder: Path, start: Start, status: str) -> None:
    server = start(Server)
    run(folder, "publish", "news", "1")
    tail = start(Running, "tail", "news", "--history", "1", "--count", "2")
    assert tail.line().endswith(" news #1 1\n")
    server.stop()
    with answering(server.url, status) as answered:
        assert answered.wait(DEADLINE_S)
    start(Running, "serve", "--port", server.url.rpartition(":")[2]).line()
    eventually(lambda: run(folder, "publish", "news", "2").code == 0 and tail.process.poll() is not None, "shown")
    assert tail.line().endswith(" 2\n")


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden"])
def test_tail_ends_where_it_is_not_wanted_any_more(folder: Path, start: Start, status: str) -> None:
    server = start(Server)
    run(folder, "publish", "news", "1")
    tail = start(Running, "tail", "news", "--history", "1")
    tail.line()
    server.stop()
    with answering(server.url, status):
        assert tail.process.wait(DEADLINE_S) == 4
    assert f"does not take WebSockets here: {status}" in tail.log()


@pytest.mark.parametrize("status", ["404 Not Found", "500 Internal Server Error"])
def test_tail_does_not_wait_for_what_may_never_be_there(folder: Path, status: str) -> None:
    url = free_url()
    with answering(url, status):
        ran = run(folder, "tail", "news", "--url", url)
    assert (ran.code, f"does not take WebSockets here: {status}" in ran.err) == (4, True)


@pytest.mark.parametrize("arguments", [("publish", "absent", "1"), ("tail", "absent")])
def test_a_channel_without_a_rule_is_refused(folder: Path, start: Start, arguments: tuple[str, ...]) -> None:
    start(Server)
    ran = run(folder, *arguments)
    assert (ran.code, ran.out) == (4, "")
    assert ran.err.endswith("unknown channel (102): no rule of the server's [[channels]] matches it\n")


def test_a_wrong_key_is_refused(folder: Path, start: Start) -> None:
    start(Server)
    ran = run(folder, "publish", "news", "1", VAGUS_API_KEY="wrong")
    assert (ran.code, "a valid API key is needed" in ran.err) == (4, True)


def test_tail_without_a_token_is_refused_with_a_hint(folder: Path, start: Start) -> None:
    server = start(Server)
    (folder / "elsewhere").mkdir()
    ran = run(folder / "elsewhere", "tail", "news", "--url", server.url)
    assert (ran.code, "a token is needed" in ran.err) == (4, True)


def test_tail_makes_its_tokens_where_the_address_is_given_too(folder: Path, start: Start) -> None:
    server = start(Server)
    (folder / "elsewhere").mkdir()
    run(folder, "publish", "news", "1")
    arguments = ("tail", "news", "--url", f"{server.url}/", "--history", "1", "--count", "1")
    for place, options in ((folder, ()), (folder / "elsewhere", ("--data-dir", "../vagus-data"))):
        ran = run(place, *arguments, *options)
        assert ran.out.endswith(" news #1 1\n"), ran.err


@pytest.mark.parametrize("arguments", [("publish", "news", "1"), ("tail", "news"), ("top", "--count", "1")])
def test_no_server_is_one_line_and_code_3(folder: Path, arguments: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = "http://{}:{}".format(*closed.getsockname())
    ran = run(folder, *arguments, "--url", url)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == f"vagus: no server at {url}: Connection refused\n"


@pytest.mark.parametrize("arguments", [("publish", "news", "1"), ("tail", "news"), ("top", "--count", "1")])
def test_what_is_no_server_of_ours_is_one_line(folder: Path, arguments: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        threading.Thread(target=answer_nonsense, args=(other,), daemon=True).start()
        ran = run(folder, *arguments, "--url", "http://{}:{}".format(*other.getsockname()))
    assert (ran.code, ran.err.count("\n")) == (3, 1), ran.err


def answer_nonsense(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1000)
        connection.sendall(b"220 mail.example ESMTP\r\n\r\n")


# top and bench


def test_top_counts_what_a_server_does(folder: Path, start: Start) -> None:
    server = start(Server)
    run(folder, "publish", "news", "1")
    figures = json.loads(run(folder, "top", "--json", "--count", "1").out)
    assert (figures["url"], figures["status"], figures["clients"]) == (server.url, "ok", 0)
    assert figures["rates"]["published"] > 0
    shown = run(folder, "top", "--count", "2", "--interval", "0.1").out
    assert shown.count("memory") == 2
    assert shown.endswith("\n")


def test_top_needs_a_key(folder: Path, start: Start) -> None:
    start(Server)
    assert run(folder, "top", "--count", "1", "--key", "wrong").code == 4


def test_bench_delivers_everything(folder: Path) -> None:
    ran = run(folder, "bench", "--clients", "20", "--publications", "10", "--json", VAGUS_SERVER__PORT="1")
    assert ran.code == 0, ran.err
    outcome = json.loads(ran.out)
    assert outcome["deliveries"] == 200
    assert "share this machine" in outcome["note"]
