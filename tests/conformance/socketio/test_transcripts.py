"""Every transcript of this folder, played against an endpoint as it serves real clients."""

from pathlib import Path
from typing import Any

import pytest

from vagus.auth.claims import ConnectionClaims
from vagus.auth.minting import Signer, connection_token
from vagus.auth.tokens import TokenRules, TokenVerifier
from vagus.gateway.furnishing import Dialects, open_gate
from vagus.gateway.socketio import SocketIo
from vagus.hub.hub import Hub
from vagus.hub.requests import Caller, ConnectRequest
from vagus.kernel.channels import ChannelRule, Last
from vagus.kernel.errors import RefusedError
from vagus.kernel.identity import Identity
from vagus.kernel.limits import Limits
from vagus.testing import FakeClock

from .playing import TranscriptError, play

TRANSCRIPTS = {path.stem: path.read_text() for path in sorted(Path(__file__).parent.glob("*.txt"))}
SECRET = "a secret of at least thirty-two bytes"

RULES = (
    ChannelRule(pattern="news", subscribe=("anyone",), publish=("anyone",)),
    ChannelRule(pattern="answers", subscribe=("anyone",)),
    ChannelRule(pattern="lobby", presence=True, join_leave=True, subscribe=("anyone",), read_presence=("anyone",)),
    ChannelRule(pattern="kept", history=Last(10, hours=1), subscribe=("anyone",), read_history=("anyone",)),
    ChannelRule(pattern="secret"),
)


def furnished_hub(clock: FakeClock) -> Hub:
    hub = Hub(
        rules=RULES,
        verifier=TokenVerifier(TokenRules(hmac_secret=SECRET), now=clock),
        limits=Limits(max_delay_s=0, pong_timeout_s=20),
        allow_anonymous=True,
        clock=clock,
    )
    chat = hub.section("chat", allow=("anyone",))
    closed = hub.section("closed", allow=("anyone",))

    @hub.call("echo", allow=("anyone",))
    async def echo(caller: Caller, request: Any) -> Any:
        return request

    @hub.call("nothing", allow=("anyone",))
    async def nothing(caller: Caller) -> None: ...

    @chat.call("mirror")
    async def mirror(caller: Caller, *values: Any) -> Any:
        return list(values)

    @closed.on_connecting
    async def refuse(request: ConnectRequest, identity: Identity) -> None:
        raise RefusedError.because(403, "members only", data={"join": "us"})

    return hub


def token(user: str, ends: float) -> str:
    return connection_token(ConnectionClaims(user=user, exp=ends), Signer.with_secret(SECRET))


@pytest.mark.parametrize("name", TRANSCRIPTS)
async def test_a_transcript_plays_to_the_letter(name: str, clock: FakeClock) -> None:
    text = TRANSCRIPTS[name].replace("<ada_token>", token("ada", clock() + 3600))
    text = text.replace("<old_token>", token("ada", clock() - 3600))
    async with furnished_hub(clock) as hub:
        dialects = Dialects(socketio_recovery_s=120 if name == "recovery" else 0)
        gate = open_gate(hub, dialects)
        endpoint = gate.endpoints["/socket.io/"]
        assert isinstance(endpoint, SocketIo)
        await play(text, gate, endpoint)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("= a ws\n< 1", "line 2: < 1\nheard: '< 0"),
        ("= a ws\n< 0…\n< 1", "nothing was heard"),
        ("= a ws", "at the end, 'a' heard"),
        ("= a polls\n> GET\n< 200 ok", "heard: '< 200 0{"),
    ],
)
async def test_a_player_names_the_line_where_a_server_departs(text: str, complaint: str, clock: FakeClock) -> None:
    async with furnished_hub(clock) as hub:
        gate = open_gate(hub)
        endpoint = gate.endpoints["/socket.io/"]
        assert isinstance(endpoint, SocketIo)
        with pytest.raises(TranscriptError) as failed:
            await play(text, gate, endpoint)
        assert complaint in str(failed.value)
