"""Client libraries of other projects behind one face, so that a test of a behaviour runs with each of them.

A ``Peer`` is one client: it is told what to do and lists what it saw. Engines do the work: ``NodeEngine`` is the npm
package ``centrifuge`` in Node.js, ``PythonEngine`` the PyPI package ``centrifuge-python``; the tests of the browser
bring a third. The libraries themselves are as they were published.
"""

import asyncio
import json
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final, Protocol

import centrifuge
import pytest
from centrifuge.filter import FilterNode

from tests.patience import DEADLINE_S

Event = dict[str, Any]
"""What a client saw: ``kind``, ``channel`` ("" for the connection) and what that kind brings."""

NODE_FOLDER: Final = Path(__file__).parents[2] / "node"


UNANSWERED: Final = (-1, 2, 11)
"""What the libraries say of a command whose answer will not come any more."""


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Engine(Protocol):
    async def run(self, op: str, peer: int, **args: Any) -> Any: ...


class Peer:
    """One client. ``expect`` waits for what it sees; what was waited for is taken out of ``seen``."""

    def __init__(self, engine: Engine, number: int) -> None:
        self.seen: list[Event] = []
        self._engine = engine
        self._number = number
        self._arrived = asyncio.Event()

    def take(self, event: Event) -> None:
        self.seen.append(event)
        self._arrived.set()

    async def run(self, op: str, **args: Any) -> Any:
        return await asyncio.wait_for(self._engine.run(op, self._number, **args), DEADLINE_S)

    async def expect(self, kind: str, channel: str = "", **wanted: Any) -> Event:
        """The first event of this kind, and with these fields, that was not taken yet."""
        what = {"kind": kind, "channel": channel, **wanted}
        try:
            async with asyncio.timeout(DEADLINE_S):
                while True:
                    for event in self.seen:
                        if what.items() <= event.items():
                            self.seen.remove(event)
                            return event
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            came = "\n".join(str(event) for event in self.seen if not event["kind"].startswith("frame_"))
            raise AssertionError(f"{what} did not come, but:\n{came}") from None

    async def data(self, channel: str, number: int) -> list[Any]:
        """The data of the next publications in a channel."""
        return [(await self.expect("publication", channel))["data"] for _ in range(number)]

    def has_seen(self, kind: str, channel: str = "") -> list[Event]:
        return [event for event in self.seen if (event["kind"], event["channel"]) == (kind, channel)]

    async def start(self) -> None:
        """Begin to connect."""
        await self.run("start")

    async def connect(self) -> Event:
        await self.start()
        return await self.expect("connected")

    async def stop(self) -> None:
        await self.run("stop")

    async def begin(self, channel: str, **options: Any) -> None:
        """Begin to subscribe."""
        await self.run("begin", channel=channel, options=options)

    async def subscribe(self, channel: str, **options: Any) -> Event:
        await self.begin(channel, **options)
        return await self.expect("subscribed", channel)

    async def unsubscribe(self, channel: str) -> Event:
        await self.run("unsubscribe", channel=channel)
        return await self.expect("unsubscribed", channel)

    async def publish(self, channel: str, data: object) -> None:
        await self.run("publish", channel=channel, data=data)

    async def presence(self, channel: str) -> dict[str, Any]:
        return dict(await self.run("presence", channel=channel))

    async def presence_stats(self, channel: str) -> tuple[int, int]:
        clients, users = await self.run("presence_stats", channel=channel)
        return clients, users

    async def history(self, channel: str, **options: Any) -> dict[str, Any]:
        return dict(await self.run("history", channel=channel, options=options))

    async def rpc(self, method: str, data: object = None) -> Any:
        return await self.run("rpc", method=method, data=data)


async def refusal(answer: Any) -> int:
    """The code with which the server refuses what is awaited here."""
    try:
        result = await answer
    except Refused as refused:
        return refused.code
    raise AssertionError(f"this was answered, not refused: {result}")


class NodeEngine:
    """All Node.js peers of a test run in one process; lines of JSON go both ways."""

    def __init__(self, node: Path, script: str = "driver.mjs") -> None:
        self._process = subprocess.Popen(
            [node, script], cwd=NODE_FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._peers: dict[int, tuple[asyncio.AbstractEventLoop, Peer]] = {}
        self._reader = threading.Thread(target=self._read, name="node")
        self._reader.start()

    async def run(self, op: str, peer: int, **args: Any) -> Any:
        number = next(self._numbers)
        future = self._answers[number] = asyncio.get_running_loop().create_future()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"number": number, "op": op, "peer": peer, **args}) + "\n")
        self._process.stdin.flush()
        return await future

    def attach(self, number: int, peer: Peer) -> None:
        self._peers[number] = asyncio.get_running_loop(), peer

    def detach(self, number: int) -> None:
        self._peers.pop(number, None)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            if "event" in said:
                loop, peer = self._peers.get(said["event"].pop("peer"), (None, None))
                if loop is not None and peer is not None:
                    loop.call_soon_threadsafe(peer.take, said["event"])
            else:
                future = self._answers.pop(said["number"])
                if not future.get_loop().is_closed():
                    future.get_loop().call_soon_threadsafe(_settle, future, said)

    def end(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        self._process.stdout.close()


def _settle(future: asyncio.Future[Any], said: Mapping[str, Any]) -> None:
    if future.done():
        return
    error = said.get("error")
    if error is None:
        future.set_result(said["result"])
    else:
        future.set_exception(Refused(error["code"], error["message"]))


@contextmanager
def node_engine_of(installed_program: Callable[[str], Path], script: str = "driver.mjs") -> Iterator[NodeEngine]:
    """A process of Node.js that runs a script of ``tests/node``."""
    if not (NODE_FOLDER / "node_modules").is_dir():
        pytest.fail("tests/node/node_modules is missing: run `make dev`")
    engine = NodeEngine(installed_program("node"), script)
    yield engine
    engine.end()


class PythonEngine:
    """Peers of ``centrifuge-python``, on the test's own loop."""

    def __init__(self) -> None:
        self._peers: dict[int, Peer] = {}
        self._clients: dict[int, _PythonClient] = {}

    async def run(self, op: str, peer: int, **args: Any) -> Any:
        if op == "open":
            self._clients[peer] = _PythonClient(self._peers[peer].take, **args)
            return None
        try:
            return await getattr(self._clients[peer], op)(**args)
        except centrifuge.ReplyError as error:
            raise Refused(error.code, error.message) from None
        except centrifuge.CentrifugeError as error:
            raise Refused(-1, str(error)) from None

    def attach(self, number: int, peer: Peer) -> None:
        self._peers[number] = peer

    def detach(self, number: int) -> None:
        self._peers.pop(number, None)


class _PythonClient:
    """The operations of ``peers.mjs``, done by the Python library."""

    def __init__(self, take: Callable[[Event], None], url: str, encoding: str, options: dict[str, Any]) -> None:
        self._is_binary = encoding == "protobuf"
        self._take = take
        chosen = {name: options[name] for name in ("token", "name", "version", "headers") if name in options}
        self._client = centrifuge.Client(
            url,
            events=_events(centrifuge.ClientEventHandler, self._seen, ""),
            use_protobuf=self._is_binary,
            data=self._encode(options["data"]) if "data" in options else None,
            get_token=self._tokens(options),
            min_reconnect_delay=0.01,
            max_reconnect_delay=0.1,
            timeout=DEADLINE_S,
            proxy=None,
            **chosen,
        )

    def _tokens(self, options: Mapping[str, Any]) -> Any:
        if "tokens" not in options:
            return None
        tokens = list(options["tokens"])

        async def get_token(*_: object) -> str:
            self._take({"kind": "token_asked", "channel": ""})
            if not tokens:
                raise centrifuge.UnauthorizedError("no more tokens")
            return str(tokens.pop(0))

        return get_token

    def _encode(self, value: object) -> Any:
        return json.dumps(value).encode() if self._is_binary else value

    def _decode(self, value: Any) -> Any:
        return json.loads(value or b"null") if self._is_binary else value

    def _seen(self, kind: str, channel: str, context: Any) -> None:
        plain: Event = {"kind": kind, "channel": getattr(context, "channel", channel)}
        source = getattr(context, "pub", context)
        for name in ("client", "code", "reason", "recoverable", "positioned", "recovered", "was_recovering", "offset"):
            if hasattr(source, name):
                plain[name] = getattr(source, name)
        if getattr(source, "tags", None):
            plain["tags"] = source.tags
        if getattr(source, "data", None) is not None:
            plain["data"] = self._decode(source.data)
        if getattr(source, "info", None) is not None:
            plain["info"] = self._info(source.info)
        if getattr(source, "stream_position", None) is not None:
            plain["position"] = {"offset": source.stream_position.offset, "epoch": source.stream_position.epoch}
        if isinstance(getattr(context, "error", None), centrifuge.ReplyError):
            plain |= {"code": context.error.code, "message": context.error.message}
        self._take(plain)

    def _info(self, info: Any) -> dict[str, Any]:
        return {
            "user": info.user,
            "client": info.client,
            "conn_info": self._decode(info.conn_info),
            "chan_info": self._decode(info.chan_info),
        }

    async def start(self) -> None:
        await self._client.connect()

    async def stop(self) -> None:
        await self._client.disconnect()

    async def close(self) -> None:
        self._take = lambda _: None
        await self._client.disconnect()
        closing = list(
            self._client._background_tasks
        )  # its sockets close in the background; nothing may outlive a test
        if closing:
            await asyncio.wait(closing, timeout=DEADLINE_S)

    async def begin(self, channel: str, options: dict[str, Any]) -> None:
        subscription = self._client.get_subscription(channel)
        if subscription is None:
            chosen = {
                name: options[name] for name in ("token", "positioned", "recoverable", "join_leave") if name in options
            }
            subscription = self._client.new_subscription(
                channel,
                events=_events(centrifuge.SubscriptionEventHandler, self._seen, channel),
                get_token=self._tokens(options),
                data=self._encode(options["data"]) if "data" in options else None,
                delta=centrifuge.DeltaType(options["delta"]) if "delta" in options else None,
                get_state=self._states(channel, options),
                tags_filter=FilterNode(options["tags_filter"]) if "tags_filter" in options else None,
                min_resubscribe_delay=0.01,
                max_resubscribe_delay=0.1,
                **chosen,
            )
        await subscription.subscribe()

    def _states(self, channel: str, options: Mapping[str, Any]) -> Any:
        if "states" not in options:
            return None
        states = iter(options["states"])

        async def get_state(_: str) -> centrifuge.StreamPosition:
            self._take({"kind": "state_asked", "channel": channel})
            return centrifuge.StreamPosition(**next(states))

        return get_state

    async def unsubscribe(self, channel: str) -> None:
        subscription = self._client.get_subscription(channel)
        assert subscription is not None
        await subscription.unsubscribe()

    async def publish(self, channel: str, data: object) -> None:
        await self._client.publish(channel, self._encode(data))

    async def presence(self, channel: str) -> dict[str, Any]:
        result = await self._client.presence(channel)
        return {client: self._info(info) for client, info in result.clients.items()}

    async def presence_stats(self, channel: str) -> tuple[int, int]:
        result = await self._client.presence_stats(channel)
        return result.num_clients, result.num_users

    async def history(self, channel: str, options: dict[str, Any]) -> dict[str, Any]:
        chosen = dict(options)
        if "since" in chosen:
            chosen["since"] = centrifuge.StreamPosition(**chosen["since"])
        page = await self._client.history(channel, **chosen)
        publications = [{"offset": each.offset, "data": self._decode(each.data)} for each in page.publications]
        return {"publications": publications, "offset": page.offset, "epoch": page.epoch}

    async def rpc(self, method: str, data: object) -> Any:
        return self._decode((await self._client.rpc(method, self._encode(data))).data)


def _events(handler: type[Any], seen: Callable[[str, str, Any], None], channel: str) -> Any:
    """A handler that passes on whatever the library tells."""

    def told(kind: str) -> Any:
        async def on_event(_: object, context: Any) -> None:
            seen(kind, channel, context)

        return on_event

    names = [name for name in vars(handler) if name.startswith("on_")]
    return type("Seen", (handler,), {name: told(name.removeprefix("on_")) for name in names})()
