"""Every transcript of transcripts/, played against a hub that is furnished as the specification's examples assume."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from vagus.auth.claims import ConnectionClaims, SubscriptionClaims
from vagus.auth.minting import Signer, connection_token, subscription_token
from vagus.auth.tokens import TokenRules, TokenVerifier
from vagus.hub.hub import Hub
from vagus.hub.requests import Caller
from vagus.kernel.channels import ChannelRule, Last
from vagus.kernel.errors import DisconnectError, RefusedError
from vagus.kernel.limits import Limits
from vagus.kernel.rates import Rate
from vagus.testing import FakeClock, TranscriptError, play

TRANSCRIPTS = {path.stem: path.read_text() for path in sorted(Path(__file__).parent.glob("transcripts/*.txt"))}
SECRET = "a secret of at least thirty-two bytes"
KEEP = Last(10, hours=1)

RULES = (
    ChannelRule(pattern="news", subscribe=("anyone",), publish=("anyone",)),
    ChannelRule(pattern="news:{n}", subscribe=("anyone",)),
    ChannelRule(pattern="secret", history=KEEP),
    ChannelRule(pattern="$private"),
    ChannelRule(pattern="recovery:{name}", history=KEEP, subscribe=("anyone",), publish=("subscriber",)),
    ChannelRule(pattern="recovery:r", history=KEEP, subscribe=("anyone",), read_history=("anyone",)),
    ChannelRule(
        pattern="cache:{name}", history=KEEP, recovery="cache", subscribe=("anyone",), read_history=("anyone",)
    ),
    ChannelRule(pattern="lobby", presence=True, join_leave=True, subscribe=("anyone",)),
    ChannelRule(pattern="#{user}", history=KEEP, join_leave=True, force_join_leave=True),
    ChannelRule(pattern="delta:{name}", history=KEEP, delta=True, subscribe=("anyone",)),
    ChannelRule(pattern="tagged:{name}", history=KEEP, tag_filter=True, subscribe=("anyone",)),
)


def furnished_hub(clock: FakeClock, name: str) -> Hub:
    hub = Hub(
        rules=RULES,
        verifier=TokenVerifier(TokenRules(hmac_secret=SECRET), now=clock),
        limits=Limits(
            max_delay_s=0,
            channels=4,
            history=2 if name == "history" else 300,
            commands=Rate(0.001, 5) if name == "codes" else None,
        ),
        allow_anonymous=True,
        personal_channels="#",
        clock=clock,
    )

    @hub.call("echo", allow=("anyone",))
    def echo(caller: Caller, request: msgspec.Raw) -> msgspec.Raw:
        return request

    @hub.call("broken", allow=("anyone",))
    def broken(caller: Caller) -> None:
        raise ZeroDivisionError

    @hub.call("sold_out", allow=("anyone",))
    def sold_out(caller: Caller) -> None:
        raise RefusedError.because(400, "sold out")

    @hub.call("leave", allow=("anyone",))
    def leave(caller: Caller) -> None:
        raise DisconnectError.because(4500, "go away")

    return hub


def tokens(clock: FakeClock) -> dict[str, str]:
    """The tokens that transcripts name; their times count from the start of the transcript."""
    now, signer = clock(), Signer.with_secret(SECRET)
    forger = Signer.with_secret("another secret of thirty-two bytes!")

    def connection(user: str, ttl_s: float | None = None, info: bytes | None = None) -> str:
        expires_at = None if ttl_s is None else now + ttl_s
        return connection_token(ConnectionClaims(user=user, exp=expires_at, info=info), signer)

    def subscription(channel: str, ttl_s: float) -> str:
        return subscription_token(SubscriptionClaims(channel=channel, exp=now + ttl_s), signer)

    return {
        "ada_token": connection("ada", info=b'{"name":"Ada"}'),
        "ada_60s_token": connection("ada", 60, info=b'{"name":"Ada"}'),
        "ada_90s_token": connection("ada", 90, info=b'{"name":"Ada"}'),
        "plain_token": connection("plain"),
        "expired_token": connection("plain", -1),
        "forged_token": connection_token(ConnectionClaims(user="ada"), forger),
        "sub_60s_token": subscription("$private", 60),
        "sub_90s_token": subscription("$private", 90),
        "sub_expired_token": subscription("$private", -1),
        "sub_other_token": subscription("$other", 60),
    }


@pytest.mark.parametrize("name", TRANSCRIPTS)
async def test_a_transcript_plays_to_the_letter(name: str, clock: FakeClock) -> None:
    hub = furnished_hub(clock, name)
    values: dict[str, Any] = {**tokens(clock), "long": "x" * 256, "one": 1}

    async def expire(arguments: str) -> None:
        user, seconds = arguments.split()
        await hub.refresh(user=user, expires_at=clock() + float(seconds))

    async def mint(arguments: str) -> None:
        """Mint a token that counts from now: its name, its kind and how long it holds."""
        name, kind, ttl_s = arguments.split()
        signer, at = Signer.with_secret(SECRET), clock() + float(ttl_s)
        if kind.startswith("$"):
            values[name] = subscription_token(SubscriptionClaims(channel=kind, exp=at), signer)
        else:
            values[name] = connection_token(ConnectionClaims(user=kind, exp=at), signer)

    async def exhaust(_: str) -> None:
        for client in hub.clients.values():
            client.receive(b"\n".join(b'{"send":{"data":1}}' for _ in range(5)))

    async def stop(_: str) -> None:
        await hub.stop()

    actions = {"expire": expire, "mint": mint, "exhaust": exhaust, "stop": stop}
    async with hub:
        await play(TRANSCRIPTS[name], hub, values=values, actions=actions)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('> {"id":1,"connect":{}}', "the server said"),
        ('> {"id":1,"connect":{}}\n< {"id":1,"connect":{"client":"<c>"}}', "line 2"),
        ('> {"id":1,"connect":{}}\n< {"id":2,"connect":{}}', "line 2"),
        ("< {}", "the server said nothing"),
        ("x 3501 bad request", "did not close"),
        ("> nonsense\nx 3000 other", "closed with 3501"),
        ('> nonsense\nx 3501 bad request\n> {"id":1,"connect":{}}', "closed already"),
        ("* dance", "no action"),
        ("? what", "a line begins with"),
        ('> {"id":1,"connect":{}}\n< {"id":', "not JSON"),
        ('> {"id":1,"connect":{}}\nx 3501 bad request', "said something first"),
    ],
)
async def test_a_player_names_the_line_where_a_hub_departs(text: str, complaint: str, clock: FakeClock) -> None:
    async with furnished_hub(clock, "") as hub:
        with pytest.raises(TranscriptError, match=complaint):
            await play(text, hub)
