"""Compares readers of WebSocket frames: CPU for a frame, and memory for an idle connection.

    python bench/frame_readers.py

Two tables, as markdown. In the first each reader is fed masked text frames from memory. In the second whole servers run
on uvloop and read from one client over a loopback socket, which is the only way to feed picows, whose parser is part of
its transport. They answer the last message of a send with two bytes; so the CPU time, of the server alone, holds one
read and one write of the kernel for each send. A library that is not installed is skipped by name.
"""

import argparse
import asyncio
import contextlib
import functools
import gc
import importlib
import importlib.metadata
import os
import platform
import resource
import socket
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias, cast

from vagus.wire.websocket import FrameReader, Text, Upgrade, check_upgrade, text_frame, upgrade_response

Reader: TypeAlias = tuple[object, Callable[[bytes], object]]

PAYLOAD_SIZES = (60, 1_024, 16_384)
FRAMES_PER_FEED = (1, 16)
IDLE_READERS = 10_000
IDLE_CONNECTIONS = 4_500
CPU_S_PER_CELL = 0.25
REPETITIONS = 3
ANSWER_LIMIT_S = 10.0
ROUNDS = 3_000
LAST_OF_SEND = b"!"
UPGRADE_REQUEST = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--serve", choices=sorted(SERVERS), help=argparse.SUPPRESS)
    serve = arguments.parse_args().serve
    if serve is not None:
        SERVERS[serve]()
        return
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    say(f"Python {platform.python_version()}, {platform.machine()}, " + ", ".join(versions()) + ".\n")
    report("Reader alone, CPU in ns a frame", "bytes of an idle reader", READERS, reader_row)
    report("Server on uvloop, CPU in µs a frame", "KiB of an idle connection", SERVERS, server_row)


def report(title: str, memory: str, candidates: Iterable[str], row: Callable[[str], list[str]]) -> None:
    cells = [f"{size} B x {count}" for size in PAYLOAD_SIZES for count in FRAMES_PER_FEED]
    say(f"| {title} | " + " | ".join((*cells, memory)) + " |")
    say("| --- |" + " ---: |" * (len(cells) + 1))
    for name in candidates:
        try:
            say(f"| {name} | " + " | ".join(row(name)) + " |")
        except ImportError as error:
            say(f"| {name} | skipped: {error} |")
    say("")


def versions() -> Iterator[str]:
    for name in ("uvloop", "websockets", "aiohttp", "picows", "msgspec"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            yield f"{name} {importlib.metadata.version(name)}"


def masked_text_frames(size: int, count: int) -> bytes:
    return masked_text_frame(b"-", size) * (count - 1) + masked_text_frame(LAST_OF_SEND, size)


def masked_text_frame(first_byte: bytes, size: int) -> bytes:
    mask = b"\x12\x9a\x5c\xe7"
    payload = (first_byte + b'{"id":7,"publish":{"channel":"sites:12","data":{"on":true}}}' * (size // 60 + 1))[:size]
    masked = bytes(byte ^ mask[index & 3] for index, byte in enumerate(payload))
    head = bytearray(text_frame(payload)[:-size])
    head[1] |= 0x80
    return bytes(head) + mask + masked


# Readers alone: each function returns a new reader, and a function that feeds it and consumes the messages found.


def vagus_reader() -> Reader:
    reader = FrameReader(message_size_limit=65_536)
    return reader, reader.feed


def websockets_reader() -> Reader:
    server = importlib.import_module("websockets.server")
    protocol = server.ServerProtocol(max_size=65_536)
    protocol.receive_data(UPGRADE_REQUEST)
    [request] = protocol.events_received()
    protocol.send_response(protocol.accept(request))
    protocol.data_to_send()

    def feed(data: bytes) -> object:
        protocol.receive_data(data)
        return protocol.events_received()

    return protocol, feed


def aiohttp_reader() -> Reader:
    reader_module = importlib.import_module("aiohttp._websocket.reader_c")
    base_protocol = importlib.import_module("aiohttp.base_protocol")
    queue = reader_module.WebSocketDataQueue(base_protocol.BaseProtocol(LOOP), 2**31 - 1, loop=LOOP)
    reader = reader_module.WebSocketReader(queue, 65_536, False, False)
    # Not through queue.read(), whose coroutine is not the parser's cost.
    messages = queue._buffer

    def feed(data: bytes) -> object:
        reader.feed_data(data)
        messages.clear()
        return reader

    return reader, feed


LOOP = asyncio.new_event_loop()
READERS: dict[str, Callable[[], Reader]] = {
    "vagus FrameReader": vagus_reader,
    "websockets ServerProtocol": websockets_reader,
    "aiohttp WebSocketReader (C)": aiohttp_reader,
}


def reader_row(name: str) -> list[str]:
    make = READERS[name]
    row = []
    for size in PAYLOAD_SIZES:
        for count in FRAMES_PER_FEED:
            data = masked_text_frames(size, count)
            row.append(f"{min(reader_cpu_s(make, data) for _ in range(REPETITIONS)) / count * 1e9:,.0f}")
    return [*row, f"{idle_reader_bytes(make):,.0f}"]


def reader_cpu_s(make: Callable[[], Reader], data: bytes) -> float:
    _, feed = make()
    feeds = 0
    began = time.process_time()
    while (spent := time.process_time() - began) < CPU_S_PER_CELL / REPETITIONS:
        for _ in range(100):
            feed(data)
        feeds += 100
    return spent / feeds


def idle_reader_bytes(make: Callable[[], Reader]) -> float:
    make()
    gc.collect()
    tracemalloc.start()
    readers = [make()[0] for _ in range(IDLE_READERS)]
    traced, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (traced - sys.getsizeof(readers)) / len(readers)


# Whole servers: each answers the last text message of a send, and a binary message with its own CPU time and memory.


def own_usage() -> bytes:
    with open("/proc/self/statm", encoding="ascii") as statm:
        resident_pages = int(statm.read().split()[1])
    return b"%d %d" % (time.process_time_ns(), resident_pages * os.sysconf("SC_PAGE_SIZE"))


class VagusServer(asyncio.Protocol):
    """The shape of our gateway: a protocol with slots, straight on uvloop's transport."""

    __slots__ = ("_reader", "_transport")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not registered as one
        self._reader: FrameReader | None = None

    def data_received(self, data: bytes) -> None:
        if self._reader is None:
            lines = data.split(b"\r\n")[1:-2]
            request = check_upgrade(
                "GET", "1.1", [(name, value) for name, _, value in (x.partition(b": ") for x in lines)]
            )
            assert isinstance(request, Upgrade)
            self._transport.write(upgrade_response(request))
            self._reader = FrameReader()
            return
        for event in self._reader.feed(data):
            if type(event) is Text:
                if event.payload.startswith(LAST_OF_SEND):
                    self._transport.write(text_frame(b"ok"))
            else:
                self._transport.write(text_frame(own_usage()))


async def serve_vagus() -> None:
    server = await asyncio.get_running_loop().create_server(VagusServer, "127.0.0.1", 0, backlog=IDLE_CONNECTIONS)
    await announce(server)


async def serve_picows(use_aiofastnet: bool) -> None:
    picows = importlib.import_module("picows")

    class Listener(picows.WSListener):  # type: ignore[misc, name-defined]
        def on_ws_frame(self, transport: object, frame: object) -> None:
            payload = frame.get_payload_as_bytes()  # type: ignore[attr-defined]
            if frame.msg_type != picows.WSMsgType.TEXT:  # type: ignore[attr-defined]
                transport.send(picows.WSMsgType.TEXT, own_usage())  # type: ignore[attr-defined]
            elif payload.startswith(LAST_OF_SEND):
                transport.send(picows.WSMsgType.TEXT, b"ok")  # type: ignore[attr-defined]

    server = await picows.ws_create_server(
        lambda request: Listener(), "127.0.0.1", 0, use_aiofastnet=use_aiofastnet, backlog=IDLE_CONNECTIONS
    )
    await announce(server)


async def announce(server: asyncio.Server) -> None:
    say(str(server.sockets[0].getsockname()[1]))
    # The parent ends us by closing our standard input.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def serve(main: Callable[[], "asyncio._CoroutineLike[None]"]) -> None:
    uvloop = importlib.import_module("uvloop")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())  # type: ignore[arg-type]


SERVERS: dict[str, Callable[[], object]] = {
    "vagus FrameReader on uvloop's transport": functools.partial(serve, serve_vagus),
    "picows on uvloop's transport": functools.partial(serve, functools.partial(serve_picows, False)),
    "picows on aiofastnet's transport": functools.partial(serve, functools.partial(serve_picows, True)),
}


def server_row(name: str) -> list[str]:
    importlib.import_module("uvloop")
    if name.startswith("picows"):
        importlib.import_module("picows")
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        port = int(process.stdout.readline())
        with connected(port) as client:
            # Memory first: what the messages leave free would hide it.
            idle_kib = idle_connection_bytes(client, port) / 1024
            row = [f"{server_cpu_us(client, size, count):.2f}" for size in PAYLOAD_SIZES for count in FRAMES_PER_FEED]
            return [*row, f"{idle_kib:.1f}"]
    finally:
        process.stdin.close()
        process.wait(ANSWER_LIMIT_S)


def server_cpu_us(client: socket.socket, size: int, count: int) -> float:
    data = masked_text_frames(size, count)
    rounds = ROUNDS // count
    spent_ns = []
    for _ in range(REPETITIONS + 1):  # one more, to warm up
        before, _ = usage(client)
        for _ in range(rounds):
            exchange(client, data)
        after, _ = usage(client)
        spent_ns.append(after - before)
    return min(spent_ns) / (rounds * count) / 1e3


def idle_connection_bytes(client: socket.socket, port: int) -> float:
    with contextlib.ExitStack() as idle:
        # The first ones fill what the start of the process left free.
        for _ in range(IDLE_CONNECTIONS):
            idle.enter_context(connected(port))
        _, before = usage(client)
        for _ in range(IDLE_CONNECTIONS):
            idle.enter_context(connected(port))
        _, after = usage(client)
        return (after - before) / IDLE_CONNECTIONS


@contextlib.contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), ANSWER_LIMIT_S) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(UPGRADE_REQUEST)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(4096)
        yield client


def exchange(client: socket.socket, data: bytes) -> None:
    client.sendall(data)
    client.recv(64)


def usage(client: socket.socket) -> tuple[int, int]:
    client.sendall(b"\x82\x80\x00\x00\x00\x00")
    cpu_ns, resident = client.recv(4096)[2:].split()
    return int(cpu_ns), int(resident)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
