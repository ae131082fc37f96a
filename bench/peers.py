"""What is measured: Vagus, and each peer with how it is built. A function here returns a Program, or raises
UnavailableError with the reason for which this machine cannot have it.

Everything that is built or installed goes to build/bench, but for the Node.js packages, which npm wants beside their
package.json.
"""

import json
import os
import re
import shutil
import sys
from pathlib import Path

from bench.machine import BUILD, UnavailableError, run_quietly
from bench.servers import PORT, Program

PEERS = Path(__file__).parent / "peers"
API_KEY = "bench"


def vagus() -> Program:
    """The server of this tree, with everything allowed to everybody."""
    return Program(
        name="vagus",
        version=f"Vagus on Python {sys.version.split()[0]}",
        protocol="centrifuge",
        command=(
            sys.executable,
            "-m",
            "vagus",
            "serve",
            "--insecure",
            "--app",
            "bench.application:hub",
            "--port",
            PORT,
        ),
        environment={"VAGUS_SERVER__DATA_DIR": str(BUILD / "vagus-data"), "VAGUS_SERVER__LOG_LEVEL": "warning"},
        api_key=API_KEY,
    )


def centrifugo_or_centrifuge() -> Program:
    """Centrifugo where the Go proxy has it, else a small server on its engine, the Centrifuge library."""
    if shutil.which("go") is None:
        raise UnavailableError("go is not installed")
    try:
        return _centrifugo()
    except UnavailableError:
        return centrifuge()


def _centrifugo() -> Program:
    binary = BUILD / "centrifugo"
    if not binary.exists():
        module = "github.com/centrifugal/centrifugo/v6@latest"
        run_quietly(["go", "install", module], folder=BUILD, limit_s=400, GOBIN=str(BUILD))
    return Program(
        name="centrifugo",
        version=run_quietly([binary, "version"]).strip(),
        protocol="centrifuge",
        command=(str(binary),),
        environment={
            "CENTRIFUGO_CLIENT_INSECURE": "true",
            "CENTRIFUGO_HTTP_SERVER_ADDRESS": "127.0.0.1",
            "CENTRIFUGO_HTTP_SERVER_PORT": PORT,
            "CENTRIFUGO_HTTP_API_KEY": API_KEY,
            "CENTRIFUGO_HEALTH_ENABLED": "true",
            "CENTRIFUGO_HTTP_STREAM_ENABLED": "true",
            "CENTRIFUGO_SSE_ENABLED": "true",
            "CENTRIFUGO_LOG_LEVEL": "error",
            "GOMAXPROCS": "1",
        },
        api_key=API_KEY,
    )


def centrifuge() -> Program:
    """The small server, which can be one of several nodes too."""
    folder, binary = PEERS / "centrifuge", BUILD / "centrifuge-peer"
    run_quietly(["go", "build", "-o", binary, "."], folder=folder, limit_s=400)
    found = re.search(r"centrifugal/centrifuge (v\S+)", (folder / "go.mod").read_text())
    library = found.group(1) if found is not None else "of unknown version"
    go = run_quietly(["go", "env", "GOVERSION"]).strip()
    return Program(
        name="centrifuge",
        version=f"Centrifuge library {library}, {go}, GOMAXPROCS=1",
        protocol="centrifuge",
        command=(str(binary),),
        environment={"GOMAXPROCS": "1"},
    )


def node_ws() -> Program:
    return _node("ws", protocol="ws")


def node_socketio() -> Program:
    return _node("socket.io", protocol="socketio")


def node_eventsource() -> Program:
    """On Node.js's own http module, without a package."""
    return Program(
        name="node-eventsource",
        version=f"node:http, Node.js {run_quietly(['node', '--version']).strip()}",
        protocol="eventsource",
        command=(shutil.which("node") or "node", str(PEERS / "node" / "eventsource.mjs")),
    )


def _node(package: str, *, protocol: str) -> Program:
    folder = PEERS / "node"
    node = run_quietly(["node", "--version"]).strip()
    if not (folder / "node_modules" / package).exists():
        run_quietly(["npm", "ci"], folder=folder)
    version = json.loads((folder / "package.json").read_text())["dependencies"][package]
    script = folder / f"{protocol}.mjs"
    return Program(
        name=f"node-{protocol}",
        version=f"{package} {version}, Node.js {node}",
        protocol=protocol,
        command=(shutil.which("node") or "node", str(script)),
    )


def python_socketio() -> Program:
    return _python("python-socketio", "socketio_server.py", protocol="socketio")


def django_channels() -> Program:
    return _python("channels", "channels_server.py", protocol="ws")


def python_signalr() -> Program:
    return _python("aiosignalr", "signalr_server.py", protocol="signalr", requirements="requirements-signalr.txt")


def _python(package: str, script: str, *, protocol: str, requirements: str = "requirements.txt") -> Program:
    """Peers in Python have virtual environments of their own, so that theirs and our packages do not meet."""
    folder = PEERS / "python"
    environment = BUILD / requirements.replace("requirements", "python-peers").removesuffix(".txt")
    python = environment / "bin" / "python"
    if not (environment / "installed").exists():
        run_quietly([sys.executable, "-m", "venv", environment])
        run_quietly([python, "-m", "pip", "install", "--quiet", "-r", folder / requirements], limit_s=400)
        (environment / "installed").touch()
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)$", (folder / requirements).read_text(), re.MULTILINE))
    return Program(
        name=package,
        version=f"{package} {pins[package]}, uvicorn {pins['uvicorn']}, uvloop {pins['uvloop']}",
        protocol=protocol,
        command=(str(python), str(folder / script)),
        environment={"PYTHONPATH": os.pathsep.join([str(folder)])},
    )
