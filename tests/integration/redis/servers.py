"""Real Redis servers for tests: one, a master with a replica and sentinels, a cluster; killed, paused, started again.

Each is a process of its own, in a folder of its own, on a port that was free. What runs here blocks: it is for a test's
own thread, which has nothing else to do meanwhile. Any program that speaks Redis will do, such as valkey-server.
"""

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import hiredis

from tests.integration.redis.certificates import Certificates
from tests.patience import DEADLINE_S
from tests.ports import free_port

SLOTS: Final = 16_384

CLUSTER_BUS: Final = 10_000
"""So far above its port a server of a cluster talks to the others."""

_READY: Final = ("Ready to accept connections", "Sentinel ID is")


def eventually(is_so: Callable[[], bool], what: str) -> None:
    """Ask again and again; for what Redis tells nobody by itself."""
    end = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < end, f"{what}: not within {DEADLINE_S:g} s"
        time.sleep(0.02)


class RedisServer:
    """One process. ``options`` are those of the command line, such as ``--requirepass pw``; data is not kept on disk,

    unless ``--appendonly yes`` says so. With certificates it speaks TLS alone, and wants one from its clients too if
    ``--tls-auth-clients yes`` says so.
    """

    def __init__(
        self,
        program: Path,
        folder: Path,
        *options: str,
        password: str = "",
        certificates: Certificates | None = None,
        sentinel: Sequence[str] = (),
    ) -> None:
        self.program = program
        self.port = free_port(beside=CLUSTER_BUS)
        self.folder = folder / f"redis-{self.port}"
        self.folder.mkdir(parents=True)
        self.password = password
        self.certificates = certificates
        self.log: deque[str] = deque(maxlen=1_000)
        self._options = options
        self._sentinel = sentinel
        self._said = threading.Condition()
        self._process: subprocess.Popen[str] | None = None
        self._reading: threading.Thread | None = None

    def __enter__(self) -> "RedisServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    @property
    def url(self) -> str:
        secure, access = "s" if self.certificates else "", f":{self.password}@" if self.password else ""
        return f"redis{secure}://{access}127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        return self._process is not None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start, or start again on the same port, and return when it takes connections."""
        self.log.clear()
        self._process = subprocess.Popen(
            self._command(),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reading = threading.Thread(target=self._read, args=(self._process,), name=f"redis-{self.port}")
        self._reading.start()
        self.wait_for(*_READY)

    def _command(self) -> list[str]:
        if self._sentinel:
            config = self.folder / "sentinel.conf"
            if not config.exists():
                config.write_text("\n".join((f"port {self.port}", "bind 127.0.0.1", *self._sentinel)) + "\n")
            return [str(self.program), str(config), "--sentinel"]
        command = [str(self.program), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        command += ["--repl-diskless-sync-delay", "0"]  # replicas are ready at once, instead of after five seconds
        if self.certificates is None:
            command += ["--port", str(self.port)]
        else:
            command += ["--port", "0", "--tls-port", str(self.port), *self.certificates.options]
        if self.password:
            command += ["--requirepass", self.password, "--masterauth", self.password]
        return [*command, *self._options]

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                with self._said:
                    self.log.append(line)
                    self._said.notify_all()

    def wait_for(self, *words: str) -> None:
        """Return when it has logged one of these since it was started."""
        with self._said:
            said = self._said.wait_for(lambda: any(word in line for line in self.log for word in words), DEADLINE_S)
        assert said, f"{self.program.name} did not say {' or '.join(words)}: {''.join(self.log)}"

    def kill(self) -> None:
        """End it at once, as when a machine dies; harmless if it has ended."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        if how is not signal.SIGKILL:
            process.send_signal(signal.SIGCONT)
        process.wait(DEADLINE_S)
        if self._reading is not None:
            self._reading.join(DEADLINE_S)

    def restart(self) -> None:
        """Kill it and start it on the same port. What it kept is gone, unless it appends to a file."""
        self.kill()
        self.start()

    def pause(self) -> None:
        """Stop it where it stands: connections stay open, and nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def ask(self, *words: str | bytes | int, database: int = 0) -> Any:
        """The answer to one command over a connection of its own. An error is raised."""
        return self.ask_all([words], database=database)[0]

    def ask_all(self, commands: Sequence[Sequence[str | bytes | int]], *, database: int = 0) -> list[Any]:
        opening: list[Sequence[str | bytes | int]] = [("AUTH", self.password)] if self.password else []
        if database:
            opening.append(("SELECT", database))
        sent = [*opening, *commands]
        answers = list(self._exchange(sent))[len(opening) :]
        for answer in answers:
            if isinstance(answer, hiredis.ReplyError):
                raise answer
        return answers

    def _exchange(self, commands: Sequence[Sequence[str | bytes | int]]) -> Iterator[Any]:
        with socket.create_connection(self.address, DEADLINE_S) as plain, self._secured(plain) as connection:
            connection.sendall(b"".join(hiredis.pack_command(tuple(words)) for words in commands))  # type: ignore[arg-type]
            reader = hiredis.Reader()
            for _ in commands:
                while (answer := reader.gets()) is False:
                    received = connection.recv(65_536)
                    assert received, f"{self.program.name} closed the connection"
                    reader.feed(received)
                yield answer

    def _secured(self, plain: socket.socket) -> socket.socket:
        if self.certificates is None:
            return plain
        context = ssl.create_default_context(cafile=self.certificates.authority)
        context.load_cert_chain(self.certificates.client, self.certificates.client_key)
        return context.wrap_socket(plain, server_hostname="127.0.0.1")

    def count_of(self, command: str) -> int:
        """How often a command was run since the start or ``CONFIG RESETSTAT``."""
        for line in self.ask("INFO", "commandstats").decode().splitlines():
            name, _, figures = line.partition(":")
            if name == f"cmdstat_{command.lower()}":
                return int(dict(figure.split("=") for figure in figures.split(","))["calls"])
        return 0

    def cut(self, kind: str) -> None:
        """Cut all connections of a kind: ``normal`` for commands, ``pubsub`` for those that listen, ``replica``."""
        self.ask("CLIENT", "KILL", "TYPE", kind)

    def is_copied_by(self, replica: "RedisServer") -> bool:
        """Whether a replica has everything that is here."""
        here, there = (_facts_of(server, "replication") for server in (self, replica))
        return there.get("slave_repl_offset") == here["master_repl_offset"]

    def leave_behind(self, replica: "RedisServer") -> None:
        """From now on nothing comes to a replica, which does not know that; ``replica.resume`` lets it find out."""
        eventually(lambda: self.is_copied_by(replica), "the replica has everything")
        replica.pause()
        self.cut("replica")

    def await_promotion(self) -> None:
        """Return when it, a replica, has become a master."""
        eventually(lambda: self.ask("ROLE")[0] == b"master", "the replica is promoted")


def _facts_of(server: RedisServer, section: str) -> dict[str, str]:
    lines = server.ask("INFO", section).decode().splitlines()
    return {name: text for name, _, text in (line.partition(":") for line in lines)}


class Guarded:
    """A master, a replica of it, and sentinels that make the replica master a second after the master is gone."""

    NAME: Final = "orders"

    def __init__(self, program: Path, folder: Path, *, password: str = "", sentinels: int = 3) -> None:
        self.password = password
        self.master = RedisServer(program, folder, password=password)
        self.replica = RedisServer(
            program, folder, "--replicaof", "127.0.0.1", str(self.master.port), password=password
        )
        lines = [
            f"sentinel monitor {self.NAME} 127.0.0.1 {self.master.port} {sentinels // 2 + 1}",
            f"sentinel down-after-milliseconds {self.NAME} 1000",
            f"sentinel failover-timeout {self.NAME} 3000",
        ]
        if password:
            lines.append(f"sentinel auth-pass {self.NAME} {password}")
        self.sentinels = [RedisServer(program, folder, sentinel=lines) for _ in range(sentinels)]

    def __enter__(self) -> "Guarded":
        with contextlib.ExitStack() as stack:
            stack.callback(self.close)
            self.master.start()
            self.replica.start()
            eventually(self._is_followed, "the replica follows the master")
            for sentinel in self.sentinels:
                sentinel.start()
            eventually(self._is_known, "the sentinels know the replica and each other")
            stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for server in (*self.sentinels, self.replica, self.master):
            server.kill()

    def _is_known(self) -> bool:
        for sentinel in self.sentinels:
            fields = sentinel.ask("SENTINEL", "MASTER", self.NAME)
            facts = dict(zip(fields[::2], fields[1::2], strict=True))
            others = int(facts[b"num-other-sentinels"])
            if int(facts[b"num-slaves"]) < 1 or others < len(self.sentinels) - 1 or facts[b"flags"] != b"master":
                return False
        return True

    def _is_followed(self) -> bool:
        return b"state=online" in self.master.ask("INFO", "replication")

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        access = f":{self.password}@" if self.password else ""
        return f"redis+sentinel://{access}{hosts}/{self.NAME}"

    def await_copy(self) -> None:
        """Return when the replica has everything."""
        eventually(lambda: self.master.is_copied_by(self.replica), "the replica has everything")

    def fail_over(self) -> None:
        """Kill the master and return when a sentinel has made the replica master."""
        self.master.kill()
        self.sentinels[0].wait_for("+switch-master")


class RedisCluster:
    """Masters that share the slots equally, each with as many replicas as one wants."""

    def __init__(
        self, program: Path, folder: Path, *options: str, masters: int = 3, replicas: int = 0, password: str = ""
    ) -> None:
        self.password = password
        self._program = program
        self._folder = folder
        self._options = own = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000", *options)
        self.masters = [RedisServer(program, folder, *own, password=password) for _ in range(masters)]
        self.replicas = [RedisServer(program, folder, *own, password=password) for _ in range(masters * replicas)]

    def __enter__(self) -> "RedisCluster":
        with contextlib.ExitStack() as stack:
            stack.callback(self.close)
            for server in self._servers:
                server.start()
            self._join()
            stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _servers(self) -> list[RedisServer]:
        return [*self.masters, *self.replicas]

    def close(self) -> None:
        for server in self._servers:
            server.kill()

    def _join(self) -> None:
        for number, server in enumerate(self._servers):
            server.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            for other in self._servers[:number]:
                server.ask("CLUSTER", "MEET", "127.0.0.1", other.port)
        for number, server in enumerate(self.masters):
            first, end = (SLOTS * step // len(self.masters) for step in (number, number + 1))
            server.ask("CLUSTER", "ADDSLOTS", *range(first, end))
        self.wait()
        for number, replica in enumerate(self.replicas):
            replica.ask("CLUSTER", "REPLICATE", self.masters[number % len(self.masters)].ask("CLUSTER", "MYID"))
        eventually(lambda: all(self._follows(replica) for replica in self.replicas), "the replicas follow")

    def add_master(self) -> RedisServer:
        """One that has no slots yet."""
        server = RedisServer(self._program, self._folder, *self._options, password=self.password)
        server.start()
        self.masters.append(server)
        for other in self.masters[:-1]:
            server.ask("CLUSTER", "MEET", "127.0.0.1", other.port)
        self.wait()
        return server

    def heal(self) -> None:
        """Start those that were killed, and return when every server is there and every master has its replicas."""
        for server in self._servers:
            if server.is_running:
                server.resume()
            else:
                server.start()
        self.wait()
        eventually(self._is_followed, "every master has its replicas")

    def _is_followed(self) -> bool:
        followers = [len(role[2]) for server in self._servers if (role := server.ask("ROLE"))[0] == b"master"]
        return followers == [len(self.replicas) // len(self.masters)] * len(self.masters)

    def wait(self) -> None:
        """Return when all servers know all others and serve all slots."""
        eventually(lambda: all(self.is_whole(server) for server in self._servers), "the cluster is whole")

    def _follows(self, replica: RedisServer) -> bool:
        is_known = all(server.ask("CLUSTER", "NODES").count(b"slave ") >= len(self.replicas) for server in self.masters)
        return is_known and b"master_link_status:up" in replica.ask("INFO", "replication")

    def is_whole(self, server: RedisServer) -> bool:
        facts = server.ask("CLUSTER", "INFO").decode()
        known = f"cluster_known_nodes:{len(self._servers)}\r\n"
        return "cluster_state:ok" in facts and "cluster_slots_ok:16384" in facts and known in facts

    @property
    def url(self) -> str:
        access = f":{self.password}@" if self.password else ""
        return f"redis+cluster://{access}{','.join(f'127.0.0.1:{server.port}' for server in self.masters)}"

    def master_of(self, key: str | bytes) -> RedisServer:
        """Which server has the slot of a key now, if all agree."""
        asked = next(server for server in self._servers if server.is_running)
        slot, ranges = asked.ask_all([("CLUSTER", "KEYSLOT", key), ("CLUSTER", "SLOTS")])
        for first, last, (_host, port, *_rest), *_replicas in ranges:
            if first <= slot <= last:
                return self._at(port)
        raise AssertionError(f"nobody has slot {slot}")

    def replica_of(self, master: RedisServer) -> RedisServer:
        """The one that follows a master now."""
        eventually(lambda: bool(master.ask("ROLE")[2]), "a replica follows")
        return self._at(int(master.ask("ROLE")[2][0][1]))

    def _at(self, port: int) -> RedisServer:
        return next(server for server in self._servers if server.port == port)

    def begin_to_move(self, key: str | bytes) -> RedisServer:
        """Announce that a key's slot moves to another master, which is returned. No key has moved yet."""
        source = self.master_of(key)
        target = next(server for server in reversed(self.masters) if server is not source)
        slot = source.ask("CLUSTER", "KEYSLOT", key)
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.ask("CLUSTER", "MYID"))
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.ask("CLUSTER", "MYID"))
        return target

    def move(self, key: str | bytes) -> RedisServer:
        """Move a key's slot, with all keys in it, to another master, which is returned."""
        source, target = self.master_of(key), self.begin_to_move(key)
        slot, target_id = source.ask("CLUSTER", "KEYSLOT", key), target.ask("CLUSTER", "MYID")
        access = ("AUTH", self.password) if self.password else ()
        while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 100):
            source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5_000, *access, "KEYS", *keys)
        others = (server for server in self.masters if server not in (source, target))
        for server in (target, source, *others):
            server.ask("CLUSTER", "SETSLOT", slot, "NODE", target_id)
        return target
