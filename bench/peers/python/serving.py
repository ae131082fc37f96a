"""How each Python peer is served: uvicorn on uvloop, on a free port that it says in one JSON line on stdout."""

import json
import os
import platform
import socket

import uvicorn


def serve(app: object, **settings: object) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print(
        json.dumps(
            {
                "port": listener.getsockname()[1],
                "pid": os.getpid(),
                "runtime": f"Python {platform.python_version()}, uvicorn {uvicorn.__version__}",
            }
        ),
        flush=True,
    )
    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", log_level="warning", ws_per_message_deflate=False, **settings
    )
    uvicorn.Server(config).run(sockets=[listener])
