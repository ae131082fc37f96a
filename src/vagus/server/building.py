"""Settings to parts: the hub, what guards its doors, its API. The only place that names implementations.

Everything that is wrong is found in one go and raised as one ``SettingsError`` with the paths of the bad values;
nothing is started here.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from vagus.apps import App, admin, connections, console, fusion
from vagus.auth.addresses import AddressRules, Networks
from vagus.auth.keys import KeyRing, KeyRow, ServiceKey
from vagus.auth.origins import OriginRules
from vagus.broker import Broker
from vagus.gateway.furnishing import Dialects, open_gate
from vagus.gateway.gate import Gate
from vagus.hub.hub import Hub
from vagus.hub.policies import Verifier
from vagus.kernel.errors import RuleError
from vagus.kernel.rates import Buckets, Rate
from vagus.settings import Problem, Settings, SettingsError
from vagus.settings.tree import MEMORY
from vagus.store import Store

from .applications import load_hub, put_settings_on
from .demo import admit_demo
from .demo_sources import DEMO_SOURCES
from .folder import DataFolder
from .loopback import LOCAL_ORIGINS, names_this_machine
from .storing import Storage, StoredKeys, private_files, store_of
from .tokens import SplitVerifier, verifier_from

T = TypeVar("T")
ASGIApp = Callable[[Any, Any, Any], Any]


class ServerKeys(KeyRing):
    """The ring of the moment, which a reload replaces by another one, and the keys in the store."""

    def __init__(self, ring: KeyRing, stored: StoredKeys) -> None:
        self._ring = ring
        self._stored = stored

    @property
    def is_complete(self) -> bool:
        return self._stored.is_complete

    def verify(self, secret: str) -> ServiceKey | None:
        return self._ring.verify(secret) or self._stored.verify(secret)

    def renew(self, ring: KeyRing) -> None:
        self._ring = ring


class Doors(msgspec.Struct, frozen=True):
    """Who may come in at all."""

    origins: OriginRules
    addresses: AddressRules
    proxies: Networks


class Parts(msgspec.Struct, frozen=True):
    """What a server is made of. ``keys`` is ``None`` where nobody is asked for one; ``apps`` are by name, and so are

    ``quotas``, which say how often each caller may ask each of them.
    """

    hub: Hub
    gate: Gate
    keys: ServerKeys | None
    storage: Storage
    apps: dict[str, App] = {}
    quotas: dict[str, Buckets] = {}
    verifier: Verifier | None = None
    """What the settings' tokens are verified with; the hub has another one where its application brought one."""
    opens_itself: bool = False
    """Whether clients without a token are let in, by the application or for the demo, whatever the settings say."""


class Renewal(msgspec.Struct, frozen=True):
    """What can be made anew while a server runs."""

    verifier: Verifier
    doors: Doors
    keys: KeyRing | None


class _Findings:
    """Collects what is wrong with the parts, so that all of it is told at once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def trying(self, path: str, make: Callable[[], T]) -> T | None:
        """What ``make`` returns. Its ``ValueError`` is a problem at ``path``."""
        try:
            return make()
        except ValueError as error:
            self.problems.append(Problem(path, str(error)))
            return None

    def trying_below(self, path: str, make: Callable[[], T]) -> T | None:
        """The same where the error begins with the name of the option below ``path`` that is wrong."""
        try:
            return make()
        except ValueError as error:
            name, colon, text = str(error).partition(": ")
            place = f"{path}.{name}" if path else name
            self.problems.append(Problem(place, text) if colon else Problem(path, name))
            return None


def build(settings: Settings, folder: DataFolder) -> Parts:
    """Make the parts. Raises ``SettingsError`` for settings that cannot work, ``OSError`` for an unusable folder."""
    findings = _Findings()
    verifier = _verifier(settings, folder, findings)
    own = _own_hub(settings, findings)
    opens_itself = settings.server.demo or (own is not None and own.policies.allow_anonymous)
    hub = _hub(settings, own, verifier, _broker(settings, findings), findings)
    gate = _gate(settings, hub, findings)
    keys = _keys(settings, folder, findings)
    store = findings.trying("store.url", lambda: store_of(settings, folder))
    apps = _apps(settings, folder, gate, store, findings)
    if findings.problems or store is None:
        raise SettingsError(findings.problems)
    storage = Storage(store)
    server_keys = ServerKeys(keys, storage.keys) if keys is not None else None
    quotas = {name: Buckets(rate_of(settings, name)) for name in apps}
    return Parts(hub, gate, server_keys, storage, apps, quotas, verifier, opens_itself)


def renew(settings: Settings, folder: DataFolder) -> Renewal:
    """Make anew what can be while a server runs. Raises as ``build`` does."""
    findings = _Findings()
    verifier = _verifier(settings, folder, findings)
    doors = _doors(settings, findings)
    keys = _keys(settings, folder, findings)
    if findings.problems or verifier is None:
        raise SettingsError(findings.problems)
    return Renewal(verifier, doors, keys)


def rate_of(settings: Settings, app: str) -> Rate:
    """How often one caller may ask an app over HTTP."""
    table = getattr(settings, app)
    return Rate(table.requests_per_s, table.requests_burst)


def secret_of(settings: Settings, folder: DataFolder) -> str | None:
    """The secret that tokens are signed with; ``None`` where only public keys are configured."""
    return settings.tokens.hmac_secret if settings.tokens.has_key else folder.token_secret()


def _verifier(settings: Settings, folder: DataFolder, findings: _Findings) -> Verifier | None:
    tokens = msgspec.structs.replace(settings.tokens, hmac_secret=secret_of(settings, folder))
    connections = findings.trying_below("tokens", lambda: verifier_from(tokens))
    other = settings.subscription_tokens
    if other is None:
        return connections
    subscriptions = findings.trying_below("subscription_tokens", lambda: verifier_from(other))
    if connections is None or subscriptions is None:
        return None
    return SplitVerifier(connections, subscriptions)


def _broker(settings: Settings, findings: _Findings) -> Broker | None:
    """``None`` is for the hub's own, in memory."""
    given = settings.broker
    if given.url == MEMORY:
        return None
    from vagus.broker.redis.broker import RedisBroker

    return findings.trying("broker.url", lambda: RedisBroker.at(**msgspec.structs.asdict(given)))


def _own_hub(settings: Settings, findings: _Findings) -> Hub | None:
    """The application's hub, if there is an application; a plain one in place of what could not be loaded."""
    if not settings.server.app:
        return None
    return findings.trying("server.app", lambda: load_hub(settings.server.app)) or Hub()


def _hub(
    settings: Settings, own: Hub | None, verifier: Verifier | None, broker: Broker | None, findings: _Findings
) -> Hub:
    """The application's hub with these settings on top, or one of our own."""
    if own is not None:
        hub = own
        findings.trying_below("", lambda: put_settings_on(hub, settings, verifier, broker))
    else:
        hub = Hub(
            rules=settings.channels,
            broker=broker,
            verifier=verifier,
            limits=settings.limits,
            allow_anonymous=settings.access.allow_anonymous,
            personal_channels=settings.access.personal_channels,
            open_to_all=settings.access.insecure,
        )
    if settings.server.demo:
        findings.trying_below("", lambda: admit_demo(hub))
    return hub


def _apps(
    settings: Settings, folder: DataFolder, gate: Gate, store: Store | None, findings: _Findings
) -> dict[str, App]:
    hub = gate.hub
    installs: dict[str, Callable[[], App]] = {}
    if settings.console.enabled:
        installs[console.NAME] = lambda: console.install(hub, settings.console, store=store, address=gate.address)
    if settings.admin.enabled:
        installs[admin.NAME] = lambda: admin.install(hub)
    if settings.connections.enabled:
        installs[connections.NAME] = lambda: connections.install(hub, store=store, is_draining=lambda: gate.is_draining)
    if settings.fusion.enabled:
        shared = settings.broker.url != MEMORY
        made_up = DEMO_SOURCES if settings.server.demo else None
        installs[fusion.NAME] = lambda: fusion.install(
            hub,
            settings.fusion,
            store=store,
            folder=folder.path,
            private=private_files(settings, folder),
            shared=shared,
            demo=made_up,
        )
    found = {name: _installed(name, make, findings) for name, make in installs.items()}
    return {name: app for name, app in found.items() if app is not None}


def _installed(name: str, install: Callable[[], App], findings: _Findings) -> App | None:
    """An app whose rules are taken can only be turned off; what else is wrong is one of its settings."""

    def make() -> App:
        try:
            return install()
        except RuleError as error:
            raise ValueError(f"enabled: {error}") from None

    return findings.trying_below(name, make)


def _doors(settings: Settings, findings: _Findings) -> Doors:
    """What is wrong stands open, since it is told and nothing comes of it."""
    access = settings.access
    pages = access.origins or (LOCAL_ORIGINS if access.insecure else ())
    allow = findings.trying("access.allow_addresses", lambda: networks_from(access.allow_addresses))
    deny = findings.trying("access.deny_addresses", lambda: networks_from(access.deny_addresses))
    origins = findings.trying_below("access", lambda: OriginRules(pages))
    proxies = findings.trying("access.proxies", lambda: networks_from(access.proxies))
    addresses = AddressRules(allow=allow or Networks(), deny=deny or Networks())
    return Doors(origins or OriginRules(()), addresses, proxies or Networks())


def _gate(settings: Settings, hub: Hub, findings: _Findings) -> Gate:
    doors, websocket = _doors(settings, findings), settings.websocket
    return open_gate(
        hub,
        _dialects(settings),
        origins=doors.origins,
        addresses=doors.addresses,
        proxies=doors.proxies,
        hosts=names_this_machine if settings.access.insecure else None,
        compression=websocket.compression,
        compression_level=websocket.compression_level,
        compress_from=websocket.compression_min_bytes,
    )


def _dialects(settings: Settings) -> Dialects:
    streaming, socketio, signalr = settings.streaming, settings.socketio, settings.signalr
    return Dialects(
        websocket=settings.websocket.enabled,
        http_stream=streaming.http_stream,
        sse=streaming.sse,
        eventsource=streaming.events,
        signalr=signalr.enabled,
        signalr_resumes=signalr.stateful_reconnect,
        socketio=socketio.enabled,
        socketio_recovery_s=socketio.recovery_s,
        socketio_max_payload=socketio.max_payload_bytes,
    )


def networks_from(names: tuple[str, ...]) -> Networks:
    """Raises ``ValueError`` that says which name is no network."""
    try:
        return Networks(names)
    except ValueError as error:
        raise ValueError(str(error).partition(": ")[2]) from None


def _keys(settings: Settings, folder: DataFolder, findings: _Findings) -> KeyRing | None:
    if settings.access.insecure:
        return None
    rows = [
        KeyRow(name=key.name, hash=key.hash, secret=key.secret, scopes=key.scopes, expires_at=key.expires_at)
        for key in settings.keys
    ]
    if not rows:
        rows = [KeyRow(name="data folder", secret=folder.api_key(), scopes=frozenset({"*"}))]
    return findings.trying_below("", lambda: KeyRing.from_rows(rows, now=time.time))
