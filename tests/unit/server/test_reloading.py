"""Reloading: all is checked before anything changes, what cannot is named, and nobody keeps what is taken away."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from vagus.apps.console import Console as InstalledConsole
from vagus.auth.claims import ConnectionClaims
from vagus.auth.minting import Signer, connection_token
from vagus.auth.sessions import Terms
from vagus.hub.requests import Origin
from vagus.kernel import codes
from vagus.kernel.channels import ChannelRule, Last
from vagus.kernel.errors import DisconnectError, RefusedError
from vagus.kernel.identity import Grant
from vagus.kernel.limits import Limits
from vagus.kernel.rates import Rate
from vagus.kernel.replies import Ended
from vagus.server.building import Parts, build
from vagus.server.folder import DataFolder
from vagus.server.reloading import CHANGEABLE, Reloading, differences, merged
from vagus.settings import (
    Access,
    Admin,
    Connections,
    Console,
    Fusion,
    Key,
    Loaded,
    Server,
    Settings,
    SettingsError,
    Tokens,
)
from vagus.testing import World, in_memory

NEWS = ChannelRule(pattern="news", subscribe=("user",))
BASE = Settings(
    admin=Admin(enabled=False),
    connections=Connections(enabled=False),
    fusion=Fusion(enabled=False),
    tokens=Tokens(hmac_secret="before"),
    keys=(Key(name="a", secret="old"),),
    channels=(NEWS,),
)

Change = Callable[[Settings], Settings]


class House:
    """A hub by settings, and its reloading with the configuration that a test gives it."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.parts: Parts = build(settings, DataFolder(folder))
        self.wanted = settings
        self.heeded: list[Settings] = []
        self.reloading = Reloading(self.parts, settings, DataFolder(folder), self._read, self.heeded.append)

    def _read(self) -> Loaded:
        return Loaded(self.wanted, {})

    async def reload(self, wanted: Settings) -> None:
        self.wanted = wanted
        self.reloading.ask()
        assert self.reloading._task is not None
        await self.reloading._task


@pytest.fixture
def reloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[MutableMapping[str, Any]]]:
    """Run a test with a house and its world; what was logged."""
    monkeypatch.setattr("vagus.server.reloading.configure_logs", lambda _: None)  # the log is the test's

    def run(
        test: Callable[[House, World], Awaitable[None]], settings: Settings = BASE
    ) -> list[MutableMapping[str, Any]]:
        house = House(settings, tmp_path)

        async def begin() -> None:
            async with in_memory(house.parts.hub) as world:
                house.reloading._running = msgspec.structs.replace(settings, limits=house.parts.hub.limits)
                await test(house, world)

        with capture_logs() as logs:
            asyncio.run(begin())
        return logs

    return run


def changed(**sections: Any) -> Settings:
    """The settings of before, but for these sections; limits are as the world wants them."""
    return msgspec.structs.replace(BASE, **{"limits": Limits(max_delay_s=0.0), **sections})


def test_a_rule_that_is_added_holds_at_once(reloaded: Any) -> None:
    async def test(house: House, world: World) -> None:
        with pytest.raises(RefusedError):
            await house.parts.hub.publish("later", 1)
        await house.reload(changed(channels=(NEWS, ChannelRule(pattern="later"))))
        await house.parts.hub.publish("later", 1)

    assert {
        "event": "reloaded",
        "log_level": "info",
        "changed": ["channels"],
        "unsubscribed": 0,
        "rules_added": ["later"],
    } in reloaded(test)


def test_who_follows_a_channel_without_a_rule_is_unsubscribed_and_stays_connected(reloaded: Any) -> None:
    async def test(house: House, world: World) -> None:
        ada = await world.connect(user="ada")
        await ada.subscribe("news")
        await house.reload(changed(channels=()))
        assert await ada.next() == Ended("news", codes.UNSUBSCRIBED)
        assert ada.is_open
        assert not house.parts.hub.topics

    assert reloaded(test)[-1]["rules_removed"] == ["news"]


def test_who_may_not_follow_any_more_is_unsubscribed_and_others_stay(reloaded: Any) -> None:
    async def test(house: House, world: World) -> None:
        ada, bob, cy = [
            await world.connect(user=user, roles=roles) for user, roles in (("ada", ["ops"]), ("bob", []), ("cy", []))
        ]
        await ada.subscribe("news")
        await bob.subscribe("news")
        await house.parts.hub.subscribe("news", client=cy.id, grant=Grant())  # on the server's behalf
        await house.reload(
            changed(channels=(ChannelRule(pattern="news", subscribe=("@ops",), history=Last(5, hours=1)),))
        )
        assert [len(house.parts.hub.clients[each.id].subscriptions) for each in (ada, bob, cy)] == [1, 0, 1]
        await house.parts.hub.publish("news", 1)
        assert (await ada.next_publication()).offset == 1
        assert (await house.parts.hub.history("news")).publications

    assert reloaded(test)[-1]["unsubscribed"] == 1


def test_a_new_secret_signs_and_the_old_one_does_not(reloaded: Any) -> None:
    async def test(house: House, world: World) -> None:
        old, new = (
            connection_token(ConnectionClaims(user="42"), Signer.with_secret(secret)) for secret in ("before", "after")
        )
        identify = house.parts.hub.policies.identity_from
        await identify(old)
        await house.reload(changed(tokens=Tokens(hmac_secret="after")))
        assert (await identify(new)).user == "42"
        with pytest.raises(DisconnectError):
            await identify(old)

    assert reloaded(test)[-1]["changed"] == ["tokens.hmac_secret"]


def test_a_verifier_that_the_application_brought_stays(reloaded: Any) -> None:
    async def test(house: House, world: World) -> None:
        own = House(BASE, house.reloading._folder.path).parts.verifier
        house.parts.hub.policies.verifier = own
        await house.reload(changed(tokens=Tokens(hmac_secret="after")))
        assert house.parts.hub.policies.verifier is own

    reloaded(test)


def test_a_key_is_rotated(reloaded: Any) -> None:
    async def test(house: House, world: World) -> None:
        keys = house.parts.keys
        assert keys is not None
        assert keys.verify("old") is not None
        await house.reload(changed(keys=(Key(name="a", secret="new"),)))
        assert (keys.verify("old"), keys.verify("new") is None) == (None, False)

    reloaded(test)


def test_doors_and_limits_change(reloaded: Any) -> None:
    async def test(house: House, world: World) -> None:
        gate, hub = house.parts.gate, house.parts.hub
        page = Origin(address="192.0.2.1", headers={"origin": "https://good.example"})
        assert gate.check(page) is not None
        access = Access(origins=("https://good.example",), deny_addresses=("192.0.2.7",))
        limits = Limits(connecting=Rate(1, 1), commands_per_user=Rate(1, 5), channels=3, max_delay_s=0.0)
        await house.reload(changed(access=access, limits=limits))
        assert gate.check(page) is None
        assert not gate.takes_address("192.0.2.7")
        assert [gate.admit(page) is None for _ in range(2)] == [True, False]
        assert (hub.limits, hub.user_buckets is None) == (limits, False)

    logs = reloaded(test)
    assert logs[-1]["changed"] == [
        "limits.channels",
        "limits.commands_per_user",
        "limits.connecting",
        "access.origins",
        "access.deny_addresses",
    ]


def test_limits_of_an_application_of_its_own_stay_and_it_is_said(reloaded: Any) -> None:
    async def test(house: House, world: World) -> None:
        own = house.parts.hub.limits = Limits(channels=7, max_delay_s=0.0)
        await house.reload(changed(limits=Limits(channels=3, max_delay_s=0.0)))
        assert house.parts.hub.limits is own

    logs = reloaded(test)
    assert (logs[-2]["settings"], logs[-1]["changed"]) == (["limits.channels"], [])


def test_clients_without_a_token_are_let_in_or_not(reloaded: Any) -> None:
    async def test(house: House, world: World) -> None:
        seen = [house.parts.hub.policies.allow_anonymous]
        for allow in (True, False):
            await house.reload(changed(access=Access(allow_anonymous=allow)))
            seen.append(house.parts.hub.policies.allow_anonymous)
        assert seen == [False, True, False]

    assert reloaded(test)[-1]["changed"] == ["access.allow_anonymous"]


def test_a_demo_stays_open(reloaded: Any) -> None:
    settings = msgspec.structs.replace(BASE, server=Server(demo=True))

    async def test(house: House, world: World) -> None:
        await house.reload(msgspec.structs.replace(settings, keys=()))
        assert house.parts.hub.policies.allow_anonymous

    reloaded(test, settings)


def test_how_often_an_app_may_be_asked_and_how_long_sessions_last_changes(reloaded: Any) -> None:
    async def test(house: House, world: World) -> None:
        quotas, installed = house.parts.quotas["console"], house.parts.apps["console"]
        assert isinstance(installed, InstalledConsole)
        assert all(quotas.take("192.0.2.1", 0.0) for _ in range(100))
        assert not quotas.take("192.0.2.1", 0.0)
        await house.reload(changed(console=Console(session_idle_hours=1.0, sessions_per_user=2)))
        assert installed.sessions.terms == Terms(idle_s=3_600.0, lasting_s=604_800.0, most=2)
        assert not quotas.take("192.0.2.1", 0.0), "other settings do not give back what was used"
        await house.reload(changed(console=Console(requests_burst=2, link_at_start=False)))
        assert [quotas.take("192.0.2.1", 0.0) for _ in range(3)] == [True, True, False]

    logs = reloaded(test)
    told = [log["changed"] for log in logs if log["event"] == "reloaded"]
    assert told[0] == ["console.session_idle_hours", "console.sessions_per_user"]
    assert "console.requests_burst" in told[1]
    assert [log["settings"] for log in logs if log["event"] == "reload_needs_restart"] == [["console.link_at_start"]]


def test_what_cannot_change_is_named_and_stays(reloaded: Any) -> None:
    async def test(house: House, world: World) -> None:
        for _ in range(2):
            await house.reload(changed(server=Server(port=9, drain_s=3.0), access=Access(personal_channels="me:")))
        assert house.heeded[-1].server == Server(drain_s=3.0)
        assert not house.heeded[-1].access.personal_channels

    logs = reloaded(test)
    warnings = [log["settings"] for log in logs if log["event"] == "reload_needs_restart"]
    assert warnings == [["server.port", "access.personal_channels"]] * 2


@pytest.mark.parametrize(
    ("sections", "problem"),
    [
        ({"access": Access(origins=("x",))}, "access.origins: 'x' is not an origin such as https://*.example.com"),
        ({"tokens": Tokens(rsa_public_key="absent")}, "tokens.rsa_public_key: is neither"),
        ({"keys": (Key(name="a", hash="x"),)}, "keys: a key needs a name"),
        ({"channels": (NEWS, NEWS)}, "channels[1].pattern: 'news' has a rule already"),
    ],
)
def test_nothing_changes_if_anything_is_wrong(reloaded: Any, sections: dict[str, Any], problem: str) -> None:
    async def test(house: House, world: World) -> None:
        later = ChannelRule(pattern="later")
        await house.reload(changed(**{"channels": (later,), **sections}))
        assert [rule.pattern for rule in house.parts.hub.rules.rules] == ["news"]
        assert not house.heeded

    (log,) = [log for log in reloaded(test) if log["event"] == "reload_refused"]
    assert log["problems"][0].startswith(problem)


def test_a_personal_channel_keeps_its_rule(reloaded: Any) -> None:
    settings = msgspec.structs.replace(
        BASE, access=Access(personal_channels="me:"), channels=(ChannelRule(pattern="me:{user}"),)
    )

    async def test(house: House, world: World) -> None:
        await house.reload(msgspec.structs.replace(settings, channels=(NEWS,)))

    (log,) = [log for log in reloaded(test, settings) if log["event"] == "reload_refused"]
    assert log["problems"] == ["access.personal_channels: no channel rule holds for me:user"]


def test_a_configuration_that_cannot_be_read_changes_nothing(reloaded: Any) -> None:
    async def test(house: House, world: World) -> None:
        def fail() -> Loaded:
            raise SettingsError([])

        house.reloading._read = fail
        await house.reload(BASE)
        assert not house.heeded

    assert [log["event"] for log in reloaded(test)] == ["reload_refused"]


def test_being_asked_during_a_reload_reloads_once_more(reloaded: Any) -> None:
    async def test(house: House, world: World) -> None:
        house.reloading.ask()
        await asyncio.sleep(0)
        house.reloading.ask()
        house.reloading.ask()
        assert house.reloading._task is not None
        await house.reloading._task
        await house.reloading.close()

    assert [log["event"] for log in reloaded(test)] == ["reloaded", "reloaded"]


def test_differences_and_merging_agree() -> None:
    after = changed(server=Server(host="::1", log_level="debug"), subscription_tokens=Tokens(hmac_secret="x"))
    found = differences(BASE, after)
    assert found == ["server.host", "server.log_level", "limits.max_delay_s", "subscription_tokens"]
    assert differences(merged(BASE, after), after) == [path for path in found if path not in CHANGEABLE]
