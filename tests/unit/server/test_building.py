"""Building: settings become parts that behave as the settings say, and what cannot work is told at once."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from vagus.auth.claims import ConnectionClaims
from vagus.auth.keys import key_hash
from vagus.auth.minting import Signer, connection_token
from vagus.gateway.native import PATH
from vagus.hub.requests import Origin
from vagus.kernel.channels import ChannelRule
from vagus.kernel.limits import Limits
from vagus.server.building import Parts, build
from vagus.server.folder import API_KEY, TOKEN_SECRET, DataFolder
from vagus.settings import (
    Access,
    Admin,
    Connections,
    Console,
    Fusion,
    Key,
    Server,
    Settings,
    SettingsError,
    Tokens,
    WebSocket,
    load,
)


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


def refused(settings: Settings, folder: DataFolder) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        build(settings, folder)
    return [str(problem) for problem in caught.value.problems]


def user_of(parts: Parts, secret: str) -> str:
    token = connection_token(ConnectionClaims(user="42"), Signer.with_secret(secret))
    return asyncio.run(parts.hub.policies.identity_from(token)).user


def test_without_configuration_tokens_and_keys_are_of_the_data_folder(folder: DataFolder) -> None:
    parts = build(Settings(), folder)
    assert user_of(parts, folder.read(TOKEN_SECRET) or "") == "42"
    assert parts.keys is not None
    assert parts.keys.verify(folder.read(API_KEY) or "") is not None


def test_what_is_configured_is_not_made(folder: DataFolder) -> None:
    keys = (Key(name="a", secret="s"), Key(name="b", hash=key_hash("t"), scopes=frozenset({"publish"})))
    parts = build(Settings(tokens=Tokens(hmac_secret="configured"), keys=keys), folder)
    assert user_of(parts, "configured") == "42"
    assert parts.keys is not None
    assert [key.name for secret in "st" if (key := parts.keys.verify(secret))] == ["a", "b"]
    assert not folder.path.exists()


def test_an_insecure_server_is_open_asks_for_no_key_and_still_verifies_tokens(folder: DataFolder) -> None:
    parts = build(Settings(access=Access(insecure=True)), folder)
    assert parts.hub.is_open
    assert parts.keys is None
    assert user_of(parts, folder.read(TOKEN_SECRET) or "") == "42"


def test_rules_and_limits_reach_the_hub(folder: DataFolder) -> None:
    variables = {"VAGUS_CHANNELS": '[{"pattern": "a:{b}"}]', "VAGUS_LIMITS__CHANNELS": "7"}
    hub = build(load(environment=variables).settings, folder).hub
    assert hub.rule_of("a:1").pattern == "a:{b}"
    assert hub.limits == Limits(channels=7)


def test_access_reaches_the_gate(folder: DataFolder) -> None:
    access = Access(origins=("https://good.example",), deny_addresses=("192.0.2.0/24",), proxies=("10.0.0.0/8",))
    gate = build(Settings(access=access), folder).gate
    assert gate.address("10.0.0.1", {"x-forwarded-for": "192.0.2.9"}) == "192.0.2.9"
    for origin in (Origin(address="192.0.2.9"), Origin(headers={"origin": "https://bad.example"})):
        refusal = gate.admit(origin)
        assert refusal is not None
        assert refusal.status == 403


def test_websockets_can_be_turned_off_and_compressed(folder: DataFolder) -> None:
    assert PATH in build(Settings(), folder).gate.endpoints
    assert PATH not in build(Settings(websocket=WebSocket(enabled=False)), folder).gate.endpoints
    assert build(Settings(websocket=WebSocket(compression=True)), folder).gate.compression


def test_the_demo_opens_its_own_channels_alone(folder: DataFolder) -> None:
    hub = build(
        Settings(
            server=Server(demo=True),
            admin=Admin(enabled=False),
            connections=Connections(enabled=False),
            fusion=Fusion(enabled=False),
        ),
        folder,
    ).hub
    assert hub.policies.allow_anonymous
    assert [rule.pattern for rule in hub.rules.rules] == ["demo:{name}"]


def test_apps_are_there_unless_they_are_turned_off(folder: DataFolder) -> None:
    parts = build(Settings(), folder)
    assert "admin" in parts.hub.sections
    assert set(parts.apps) == {"admin", "connections", "console", "fusion"}
    assert parts.hub.policies.sessions is not None
    off = build(
        Settings(
            admin=Admin(enabled=False),
            connections=Connections(enabled=False),
            console=Console(enabled=False),
            fusion=Fusion(enabled=False),
        ),
        folder,
    )
    assert off.hub.policies.sessions is None
    assert "admin" not in off.hub.sections
    assert off.apps == {}


def test_a_channel_of_the_admin_hub_that_has_a_rule_already_is_a_problem(folder: DataFolder) -> None:
    settings = Settings(channels=(ChannelRule(pattern="alerts"),))
    assert refused(settings, folder) == ["admin.enabled: channel 'alerts'.pattern: 'alerts' has a rule already"]


def test_everything_that_cannot_work_is_told_at_once(folder: DataFolder) -> None:
    settings = Settings(
        server=Server(app="nowhere:hub"),
        tokens=Tokens(rsa_public_key="absent"),
        subscription_tokens=Tokens(hmac_secret=""),
        access=Access(origins=("x",), allow_addresses=("x",), deny_addresses=("10.1.1.1/8",), proxies=("x",)),
        keys=(Key(name="a", hash="x"),),
    )
    assert refused(settings, folder) == [
        "tokens.rsa_public_key: is neither a readable file, nor a key in PEM form, nor that in base64",
        "subscription_tokens.hmac_secret: a secret is needed, not an empty text or a PEM key",
        "server.app: there is no module nowhere",
        "access.allow_addresses: 'x' does not appear to be an IPv4 or IPv6 network",
        "access.deny_addresses: 10.1.1.1/8 has host bits set",
        "access.origins: 'x' is not an origin such as https://*.example.com",
        "access.proxies: 'x' does not appear to be an IPv4 or IPv6 network",
        "keys: a key needs a name and the SHA-256 of the secret in hexadecimal",
    ]


def test_two_keys_of_one_name_are_refused(folder: DataFolder) -> None:
    keys = (Key(name="a", secret="s"), Key(name="a", secret="t"))
    assert refused(Settings(keys=keys), folder) == ["keys: two keys have the same name"]


def test_a_problem_of_the_parts_is_traced_to_its_source(folder: DataFolder) -> None:
    loaded = load(environment={"VAGUS_ACCESS__ORIGINS": "x"})
    with pytest.raises(SettingsError) as caught:
        build(loaded.settings, folder)
    assert str(loaded.located(caught.value)).startswith("VAGUS_ACCESS__ORIGINS: access.origins: ")


def test_other_rules_for_subscription_tokens_make_a_split_verifier(folder: DataFolder) -> None:
    settings = Settings(tokens=Tokens(hmac_secret="a"), subscription_tokens=Tokens(hmac_secret="b"))
    assert build(settings, folder).hub is not None
    assert build(msgspec.structs.replace(settings, subscription_tokens=None), folder).hub is not None
