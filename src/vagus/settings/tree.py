"""Every option: its type, its default, and what it means.

The text below a field is what ``vagus config-doc`` shows. A tree is valid by construction as far as single values go;
what several of them together must satisfy is in ``check``. Secrets are never shown when a tree is printed.
"""

from typing import Annotated, ClassVar, Final, Literal

import msgspec

from vagus.kernel.channels import ChannelRule, RuleBook
from vagus.kernel.errors import RuleError
from vagus.kernel.limits import Limits

from .console import Console
from .fusion import Fusion
from .section import Count, Positive, Section

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
MEMORY: Final = "memory://"
REDIS_SCHEMES: Final = tuple(
    f"{name}{secure}{kind}"
    for name in ("redis", "valkey")
    for secure in ("", "s")
    for kind in ("", "+sentinel", "+cluster")
)

STORE_SCHEMES: Final = ("sqlite", "postgresql", "postgres")

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["auto", "console", "json"]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class Server(Section, frozen=True):
    """Where the server listens, and what it leaves behind."""

    host: str = "127.0.0.1"
    """The address to listen on. 0.0.0.0 or :: is every address of the machine."""
    port: Port = 8000
    """The port to listen on. 0 takes a free one and prints it."""
    data_dir: str = "vagus-data"
    """The folder for what the server keeps: the secrets it makes at its first start, and its database."""
    log_level: LogLevel = "info"
    """The least that is logged."""
    log_format: LogFormat = "auto"
    """How it is logged, to standard error: auto is console on a terminal and json elsewhere."""
    app: str = ""
    """Serve an application's own hub, as module:name. Its rules and functions hold; these settings come on top."""
    workers: Count = 1
    """Processes that share the port, each a node of its own. More than one needs Redis as the broker."""
    drain_s: Annotated[float, msgspec.Meta(ge=0)] = 10.0
    """Over how long clients are sent to other nodes when this one is told to stop. Where it is the only one, they are
    all told at once."""
    shutdown_s: Positive = 30.0
    """How long all of stopping may take, draining and requests under way included."""
    demo: bool = False
    """Publish demo data to demo:clock and demo:numbers, which anybody may then follow."""


class Access(Section, frozen=True):
    """Who may come in at all. What they may do then is for the channel rules to say."""

    insecure: bool = False
    """Everybody may do everything. For a laptop: the server then listens on loopback only."""
    allow_anonymous: bool = False
    """Let clients connect without a token; they have no name."""
    personal_channels: str = ""
    """A prefix such as "user:". Each user is then subscribed to the channel of their own, user:42, on connecting."""
    origins: tuple[str, ...] = ()
    """Web pages of other hosts that may connect, such as https://*.example.com. Pages of the server's own host always
    may; while this is empty, those of this machine may connect to an insecure server."""
    allow_addresses: tuple[str, ...] = ()
    """Networks whose clients may connect, such as 10.0.0.0/8. Empty: all that are not denied."""
    deny_addresses: tuple[str, ...] = ()
    """Networks that may not connect. Denying beats allowing."""
    proxies: tuple[str, ...] = ()
    """Networks of your own proxies, whose X-Forwarded-For is believed."""


class Tokens(Section, frozen=True):
    """Which tokens are believed. With no key at all, the server makes a secret in its data folder.

    A key in PEM form may be the path of a file, the text itself, or the text in base64.
    """

    secrets: ClassVar[frozenset[str]] = frozenset({"hmac_secret", "hmac_previous_secret"})

    hmac_secret: str | None = None
    """The secret of HS256, HS384 and HS512 tokens."""
    hmac_previous_secret: str | None = None
    """The secret before the present one, still believed while it is rotated."""
    hmac_previous_valid_until: float | None = None
    """When the previous secret ends, in seconds since 1970. Without it: when it is taken out of here."""
    rsa_public_key: str | None = None
    """The public key of RS and PS tokens."""
    ecdsa_public_key: str | None = None
    """The public key of ES tokens."""
    eddsa_public_key: str | None = None
    """The public key of EdDSA tokens."""
    jwks_url: str | None = None
    """Where public keys are published as a JSON Web Key Set. Asked when no key above has signed."""
    audience: str | None = None
    """What a token must name as its audience."""
    audience_regex: str | None = None
    """Or a regular expression that one of its audiences must match as a whole."""
    issuer: str | None = None
    """What a token must name as its issuer."""
    issuer_regex: str | None = None
    """Or a regular expression that its issuer must match as a whole."""
    user_claim: str = "sub"
    """The claim that holds the user's id."""
    allow_anonymous: bool = True
    """Whether a token may be without a user. Then access.allow_anonymous is needed too."""
    leeway_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """How far clocks may differ."""
    max_bytes: Count = 8192
    """The longest token that is looked at."""

    @property
    def has_key(self) -> bool:
        keys = (self.hmac_secret, self.rsa_public_key, self.ecdsa_public_key, self.eddsa_public_key, self.jwks_url)
        return any(key is not None for key in keys)


class Key(Section, frozen=True):
    """A key for the server's API. With none, the server makes one in its data folder.

    ``vagus key new`` makes one and prints what to write here.
    """

    secrets: ClassVar[frozenset[str]] = frozenset({"secret"})

    name: Annotated[str, msgspec.Meta(min_length=1)]
    """Whose key it is, for logs and the audit trail."""
    hash: str | None = None
    """The SHA-256 of the key in hexadecimal. The key itself is then nowhere in the file."""
    secret: str | None = None
    """Or the key itself."""
    scopes: frozenset[str] = frozenset({"*"})
    """What it may be used for, by the API's methods: publish, subscribe, disconnect, presence, history, info, metrics
    and so on. * is everything."""
    expires_at: float | None = None
    """When it ends, in seconds since 1970."""


class WebSocket(Section, frozen=True):
    """How WebSockets are spoken."""

    enabled: bool = True
    """Whether clients may connect by WebSocket."""
    compression: bool = False
    """Offer compression (permessage-deflate). It saves traffic and costs processor time."""
    compression_level: Annotated[int, msgspec.Meta(ge=1, le=9)] = 1
    """From 1, quick, to 9, small."""
    compression_min_bytes: Annotated[int, msgspec.Meta(ge=0)] = 128
    """Shorter messages are sent as they are."""


class Streaming(Section, frozen=True):
    """Responses that go on, where a WebSocket does not get through."""

    http_stream: bool = True
    """The native protocol at /connection/http_stream, which its clients fall back to."""
    sse: bool = True
    """The same at /connection/sse, which they fall back to after that."""
    events: bool = True
    """Channels as an EventSource at /events, for browsers and curl."""


class SocketIo(Section, frozen=True):
    """How Socket.IO is spoken, at /socket.io/."""

    enabled: bool = True
    """Whether clients may connect by Socket.IO."""
    recovery_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """How long a client that lost its connection may come back for what it missed; its presence stays as long. 0 is
    not at all."""
    max_payload_bytes: Count = 1_000_000
    """The largest message with its attachments, and the largest request of a client that polls."""


class SignalR(Section, frozen=True):
    """How SignalR is spoken, at /hubs/."""

    enabled: bool = True
    """Whether clients may connect by SignalR."""
    stateful_reconnect: bool = True
    """Let clients that ask for it go on over another socket when theirs is cut."""


class Api(Section, frozen=True):
    """The server's HTTP API."""

    max_body_bytes: Count = 1_048_576
    """The largest request that is read."""
    error_mode: Literal["result", "transport"] = "result"
    """How errors are answered: result is status 200 with the error in the body, transport an HTTP status for each."""
    metrics: Literal["local", "key", "public"] = "local"
    """Who may read /metrics: local is this machine and keys with the scope metrics, key such keys alone."""


class Admin(Section, frozen=True):
    """The admin broadcast hub: the section `admin`, the channels `admins`, `user-activity`, `analytics` and `alerts`,
    and the routes below `/api/admin/realtime`. What it opens is for the role admin and keys with the scope admin.
    """

    enabled: bool = True
    """Whether it is there."""
    requests_per_s: Positive = 20.0
    """How often one caller, a user or a key, may ask over HTTP in the long run; the answer beyond it is 429."""
    requests_burst: Count = 100
    """How often at once after a pause."""


class Connections(Section, frozen=True):
    """What is seen of nodes, clients and channels: the channel `connections` and the routes below `/api/connections`.
    Nodes are for the role viewer, the rest for operator, admin and auditor; disconnecting clients is for the role
    admin. Keys need the scope connections.
    """

    enabled: bool = True
    """Whether it is there."""
    requests_per_s: Positive = 20.0
    """How often one caller, a user or a key, may ask over HTTP in the long run; the answer beyond it is 429."""
    requests_burst: Count = 100
    """How often at once after a pause."""


class Broker(Section, frozen=True):
    """What carries publications between nodes."""

    secrets: ClassVar[frozenset[str]] = frozenset({"url"})  # it may hold a password

    url: str = MEMORY
    """memory:// is for one node. Many share a Redis or Valkey: redis://user:password@host:6379/0, rediss:// over TLS,
    redis+sentinel://host:26379,host:26379/name-of-the-master, redis+cluster://host:6379,host:6379."""
    prefix: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_.-]{1,64}$")] = "vagus"
    """What all keys begin with. Servers with the same prefix in the same Redis are nodes of one hub."""
    ca_file: str = ""
    """Certificates of authorities, in PEM form, that are believed beside the system's for TLS to Redis."""
    cert_file: str = ""
    """This server's own certificate for TLS to Redis, in PEM form."""
    key_file: str = ""
    """The private key of that certificate."""
    timeout_s: Positive = 3.0
    """How long Redis may take to answer before the request fails, and a connection counts as lost."""
    check_s: Positive = 30.0
    """How often what is followed here is compared with what Redis holds, beside what is noticed at once."""


class Store(Section, frozen=True):
    """Where durable data is kept."""

    secrets: ClassVar[frozenset[str]] = frozenset({"url"})

    url: str = ""
    """postgresql://user:password@host/database, or sqlite:///path. Empty: the file vagus.db in the data folder."""


class Settings(Section, frozen=True):
    """All settings of a server."""

    server: Server = Server()
    limits: Limits = Limits()
    access: Access = Access()
    tokens: Tokens = Tokens()
    subscription_tokens: Tokens | None = None
    """Other keys and rules for subscription tokens. Without this table they are believed like all other tokens."""
    keys: tuple[Key, ...] = ()
    channels: tuple[ChannelRule, ...] = ()
    websocket: WebSocket = WebSocket()
    streaming: Streaming = Streaming()
    socketio: SocketIo = SocketIo()
    signalr: SignalR = SignalR()
    api: Api = Api()
    admin: Admin = Admin()
    connections: Connections = Connections()
    fusion: Fusion = Fusion()
    console: Console = Console()
    broker: Broker = Broker()
    store: Store = Store()


def check(settings: Settings) -> list[tuple[str, str]]:
    """What does not go together, as pairs of a path and what is wrong there; empty if all is well."""
    problems = []
    server, access = settings.server, settings.access
    if access.insecure and server.host not in LOOPBACK:
        problems.append(("server.host", f"an insecure server listens on loopback only, not on {server.host}"))
    scheme = settings.broker.url.partition("://")[0]
    if settings.broker.url != MEMORY and scheme not in REDIS_SCHEMES:
        problems.append(
            ("broker.url", "must be memory:// or begin with redis://, rediss://, redis+sentinel:// or redis+cluster://")
        )
    if server.workers > 1 and settings.broker.url == MEMORY:
        problems.append(("server.workers", "more than one worker needs Redis: set broker.url"))
    if settings.store.url and settings.store.url.partition("://")[0] not in STORE_SCHEMES:
        problems.append(("store.url", "must begin with sqlite:/// or postgresql://"))
    if settings.subscription_tokens is not None and not settings.subscription_tokens.has_key:
        problems.append(("subscription_tokens", "needs a key: hmac_secret, a public key or jwks_url"))
    problems.extend(
        (f"keys[{index}]", "needs either hash or secret")
        for index, key in enumerate(settings.keys)
        if (key.hash is None) == (key.secret is None)
    )
    return [*problems, *_check_channels(settings)]


def _check_channels(settings: Settings) -> list[tuple[str, str]]:
    problems, book = [], RuleBook()
    for index, rule in enumerate(settings.channels):
        try:
            book.add(rule, f"channels[{index}]")
        except RuleError as error:
            path, _, text = str(error).partition(": ")
            problems.append((path, text))
    return problems
