"""Settings: one typed, frozen tree, filled from the file ``vagus.toml``, then the environment, then flags.

Reading order: ``tree`` (every option with its default and meaning), ``sources`` (where values come from), ``filling``
(values into the tree, with every problem at once), ``describing`` (the tree as documentation).

    loaded = load(file=Path("vagus.toml"), environment=os.environ, flags={"server": {"port": 9000}})
    loaded.settings.server.port
"""

from .console import Console
from .describing import Option, options
from .filling import Problem, SettingsError
from .fusion import Fusion
from .sources import Loaded, load
from .tree import (
    LOOPBACK,
    Access,
    Admin,
    Api,
    Broker,
    Connections,
    Key,
    Server,
    Settings,
    SignalR,
    SocketIo,
    Streaming,
    Tokens,
    WebSocket,
)

__all__ = [
    "LOOPBACK",
    "Access",
    "Admin",
    "Api",
    "Broker",
    "Connections",
    "Console",
    "Fusion",
    "Key",
    "Loaded",
    "Option",
    "Problem",
    "Server",
    "Settings",
    "SettingsError",
    "SignalR",
    "SocketIo",
    "Streaming",
    "Tokens",
    "WebSocket",
    "load",
    "options",
]
