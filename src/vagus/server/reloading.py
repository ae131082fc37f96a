"""Reloading: on SIGHUP the configuration is read again, and what can change does, without a connection lost.

All of it is checked first: if anything is wrong, nothing changes and the log says what. Channel rules, tokens, keys,
doors, limits, what the HTTP API and sessions go by and the log's level can change; what cannot is named, since it waits
for a restart. New rules hold for what is asked from then on. Topics keep running; only who follows a channel that has
no rule any more, or whose rule's words let them in before and do not now, is unsubscribed. Rules that an application
registered stay.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import msgspec
import structlog

from vagus.apps import admin, connections, console, fusion
from vagus.hub.client import Client
from vagus.hub.hub import Hub
from vagus.hub.subscription import Subscription
from vagus.kernel import codes
from vagus.kernel.channels import PRIVATE_PREFIX, USER_BOUNDARY, ChannelRule, names_user
from vagus.kernel.errors import RuleError
from vagus.kernel.limits import Limits
from vagus.kernel.permissions import is_allowed
from vagus.settings import Loaded, Problem, Settings, SettingsError

from .building import Parts, Renewal, rate_of, renew
from .folder import DataFolder
from .logs import configure_logs

log = structlog.get_logger()

Read = Callable[[], Loaded]

APPS: Final = (admin.NAME, connections.NAME, console.NAME, fusion.NAME)

CHANGEABLE: Final = frozenset(
    {
        "server.log_level",
        "server.log_format",
        "server.drain_s",
        "server.shutdown_s",
        "access.allow_anonymous",
        "access.origins",
        "access.allow_addresses",
        "access.deny_addresses",
        "access.proxies",
        *(f"limits.{name}" for name in Limits.__struct_fields__),
        *(f"tokens.{field}" for field in type(Settings().tokens).__struct_fields__),
        "subscription_tokens",
        "keys",
        "channels",
        *(f"api.{field}" for field in Settings().api.__struct_fields__),
        *(f"{app}.{field}" for app in APPS for field in ("requests_per_s", "requests_burst")),
        "console.session_idle_hours",
        "console.session_days",
        "console.sessions_per_user",
    }
)
"""The paths of the settings that a reload takes over."""


class Plan(msgspec.Struct, frozen=True):
    """A change that was found to be right. ``running`` are the settings that hold then."""

    running: Settings
    changed: list[str]
    postponed: list[str]
    renewal: Renewal


class Reloading:
    """One server's. ``on_change`` is told of the settings that hold after a reload."""

    def __init__(
        self, parts: Parts, settings: Settings, folder: DataFolder, read: Read, on_change: Callable[[Settings], None]
    ) -> None:
        self._parts = parts
        self._running = settings
        self._folder = folder
        self._read = read
        self._on_change = on_change
        self._verifier = parts.verifier
        self._task: asyncio.Task[None] | None = None
        self._is_asked = False

    def ask(self) -> None:
        """Reload soon; once more if a reload is under way, which may have read the configuration before it changed."""
        self._is_asked = True
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._reload())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _reload(self) -> None:
        while self._is_asked:
            self._is_asked = False
            try:
                plan = await asyncio.to_thread(self._plan)
                self._carry_out(plan)
            except SettingsError as error:
                log.error("reload_refused", problems=[str(problem) for problem in error.problems])
            except OSError as error:
                log.error("reload_refused", problems=[f"data folder: {error.strerror or error}"])

    def _plan(self) -> Plan:
        """Read, check and make all that is new. Raises ``SettingsError`` or ``OSError``."""
        loaded = self._read()
        wanted, before = loaded.settings, self._running
        running = merged(before, wanted)
        if self._parts.hub.limits != before.limits:  # the application's own
            running = msgspec.structs.replace(running, limits=before.limits)
        try:
            self._check_rules(before, running)
            renewal = renew(running, self._folder)
        except SettingsError as error:
            raise loaded.located(error) from None
        return Plan(running, differences(before, running), differences(running, wanted), renewal)

    def _check_rules(self, before: Settings, running: Settings) -> None:
        book, personal = self._parts.hub.rules.copy(), running.access.personal_channels
        try:
            book.exchange(before.channels, running.channels)
        except RuleError as error:
            path, _, text = str(error).partition(": ")
            raise SettingsError([Problem(path, text)]) from None
        if personal and book.match(f"{personal}user") is None:
            raise SettingsError([Problem("access.personal_channels", f"no channel rule holds for {personal}user")])

    def _carry_out(self, plan: Plan) -> None:
        parts, hub, before, running = self._parts, self._parts.hub, self._running, plan.running
        doors, renewal = plan.renewal.doors, plan.renewal
        if before.channels != running.channels:
            hub.rules.exchange(before.channels, running.channels)
        unsubscribed = look_again(hub) if before.channels != running.channels else 0
        parts.gate.guard(origins=doors.origins, addresses=doors.addresses, proxies=doors.proxies)
        if before.access.allow_anonymous != running.access.allow_anonymous:
            hub.policies.allow_anonymous = parts.opens_itself or running.access.allow_anonymous
        if hub.policies.verifier is self._verifier:
            hub.policies.verifier = self._verifier = renewal.verifier
        if parts.keys is not None and renewal.keys is not None:
            parts.keys.renew(renewal.keys)
        if before.limits != running.limits:
            hub.bound(running.limits)
        self._steer_apps(before, running)
        configure_logs(running.server)
        self._running = running
        self._on_change(running)
        if plan.postponed:
            log.warning("reload_needs_restart", settings=plan.postponed)
        log.info("reloaded", changed=plan.changed, unsubscribed=unsubscribed, **_rules_summary(before, running))

    def _steer_apps(self, before: Settings, running: Settings) -> None:
        for name, quotas in self._parts.quotas.items():
            rate = rate_of(running, name)
            if rate != quotas.rate:
                quotas.begin_afresh(rate)
        installed = self._parts.apps.get(console.NAME)
        if isinstance(installed, console.Console) and before.console != running.console:
            installed.heed(running.console)


def differences(before: Settings, after: Settings) -> list[str]:
    """The paths of what differs: options of sections, and lists as a whole."""
    paths: list[str] = []
    for name in Settings.__struct_fields__:
        old, new = getattr(before, name), getattr(after, name)
        if name == "subscription_tokens" or not isinstance(old, msgspec.Struct):
            paths += [name] if old != new else []
        else:
            paths += [
                f"{name}.{field}" for field in old.__struct_fields__ if getattr(old, field) != getattr(new, field)
            ]
    return paths


def merged(before: Settings, after: Settings) -> Settings:
    """What can change as it is after, the rest as it was before."""
    names = Settings.__struct_fields__
    sections: dict[str, Any] = {name: _merged(name, getattr(before, name), getattr(after, name)) for name in names}
    return Settings(**sections)


def _merged(name: str, before: object, after: object) -> object:
    if name in CHANGEABLE:
        return after
    if not isinstance(before, msgspec.Struct):
        return before
    new = {field: getattr(after, field) for field in before.__struct_fields__ if f"{name}.{field}" in CHANGEABLE}
    return msgspec.structs.replace(before, **new)


def _rules_summary(before: Settings, after: Settings) -> dict[str, list[str]]:
    old, new = ({rule.pattern: rule for rule in settings.channels} for settings in (before, after))
    found = {
        "rules_added": [pattern for pattern in new if pattern not in old],
        "rules_removed": [pattern for pattern in old if pattern not in new],
        "rules_changed": [pattern for pattern in new if pattern in old and old[pattern] != new[pattern]],
    }
    return {name: patterns for name, patterns in found.items() if patterns}


def look_again(hub: Hub) -> int:
    """Unsubscribe who may not follow a channel any more, and let the new rules hold. How many those were."""
    ended = 0
    for client in list(hub.clients.values()):
        for subscription in list(client.subscriptions.values()):
            match = hub.rules.match(subscription.channel)
            if match is None or not _may_stay(hub, client, subscription, match.rule):
                client.end(subscription, codes.UNSUBSCRIBED)
                ended += 1
    for channel, topic in hub.topics.items():
        match = hub.rules.match(channel)
        if match is not None:
            topic.rule = match.rule
    return ended


def _may_stay(hub: Hub, client: Client, subscription: Subscription, rule: ChannelRule) -> bool:
    """Whom a token, a function or the server let in stays; whom the words of the old rule did, if the new ones do."""
    channel = subscription.channel
    if hub.is_open or subscription.is_attached or channel.startswith(PRIVATE_PREFIX):
        return True
    return _admits(rule, channel, client) or not _admits(subscription.topic.rule, channel, client)


def _admits(rule: ChannelRule, channel: str, client: Client) -> bool:
    if rule.user_limited and USER_BOUNDARY in channel:
        return names_user(channel, client.identity)
    return is_allowed(rule.subscribe, client.identity)
