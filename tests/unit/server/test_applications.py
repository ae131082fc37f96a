"""An application's own hub: found by name, with a deployment's settings on top of its own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vagus.hub.hub import OPEN_RULE, Hub
from vagus.kernel.channels import ChannelRule
from vagus.kernel.errors import RuleError
from vagus.kernel.limits import Limits
from vagus.server.applications import load_hub, put_settings_on
from vagus.server.building import build
from vagus.server.folder import DataFolder
from vagus.server.tokens import verifier_from
from vagus.settings import Access, Server, Settings, Tokens

MODULE = """
from vagus import Hub

class Live:
    hub = Hub()

number = 3
open_hub = Hub(allow_anonymous=True)
hub = Hub()

@hub.channel("orders:{order_id}")
async def may_follow(order_id: int) -> bool:
    return True
"""


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "shop_live.py").write_text(MODULE)
    (tmp_path / "shop_broken.py").write_text("import nowhere_at_all")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in ("shop_live", "shop_broken"):
        sys.modules.pop(name, None)


def test_a_hub_is_found_in_the_working_folder() -> None:
    assert load_hub("shop_live:hub").rule_of("orders:1").pattern == "orders:{order_id}"


@pytest.mark.parametrize(("name", "opens_itself"), [("hub", False), ("open_hub", True)])
def test_what_an_application_opens_itself_is_told_from_what_the_settings_open(
    tmp_path: Path, name: str, opens_itself: bool
) -> None:
    settings = Settings(server=Server(app=f"shop_live:{name}"), access=Access(allow_anonymous=True))
    parts = build(settings, DataFolder(tmp_path / "data"))
    assert (parts.hub.policies.allow_anonymous, parts.opens_itself) == (True, opens_itself)


def test_a_hub_may_be_an_attribute_of_something() -> None:
    assert isinstance(load_hub("shop_live:Live.hub"), Hub)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("shop_live", "must be module:name"),
        (":hub", "must be module:name"),
        ("nowhere_at_all:hub", "there is no module nowhere_at_all$"),
        ("nowhere_at_all.live:hub", "there is no module nowhere_at_all$"),
        ("shop_broken:hub", "there is no module nowhere_at_all, which is imported when shop_broken is"),
        ("shop_live:none", "shop_live:none is not a vagus.Hub"),
        ("shop_live:number", "shop_live:number is not a vagus.Hub"),
    ],
)
def test_what_is_no_hub_is_refused(name: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        load_hub(name)


def test_settings_come_on_top_of_what_the_application_decides() -> None:
    hub = Hub(rules=[ChannelRule(pattern="own")])
    settings = Settings(
        limits=Limits(channels=3), channels=(ChannelRule(pattern="more"),), access=Access(allow_anonymous=True)
    )
    put_settings_on(hub, settings, verifier_from(Tokens(hmac_secret="s")))
    assert (hub.limits.channels, hub.policies.allow_anonymous) == (3, True)
    assert [hub.rule_of(name).pattern for name in ("own", "more")] == ["own", "more"]


def test_default_limits_leave_the_applications_alone() -> None:
    hub = Hub(limits=Limits(channels=3))
    put_settings_on(hub, Settings(), None)
    assert hub.limits.channels == 3


def test_a_rule_that_the_application_has_already_is_refused() -> None:
    hub = Hub(rules=[ChannelRule(pattern="own")])
    with pytest.raises(RuleError, match=r"channels\[0\].pattern: 'own' has a rule already"):
        put_settings_on(hub, Settings(channels=(ChannelRule(pattern="own"),)), None)


def test_insecure_opens_an_applications_hub_too() -> None:
    hub = Hub()
    put_settings_on(hub, Settings(access=Access(insecure=True)), None)
    assert hub.is_open
    assert hub.rule_of("anything") is OPEN_RULE
