"""Every transcript beside this file is played to the letter, each on a hub of its own."""

from pathlib import Path
from typing import Final

import pytest

from vagus import ChannelRule, Hub, Identity, Last, Limits
from vagus.gateway.furnishing import open_gate
from vagus.hub.requests import ConnectRequest

from .playing import TranscriptError, play

TRANSCRIPTS: Final = {file.stem: file.read_text() for file in Path(__file__).parent.glob("*.txt")}
RULES: Final = (
    ChannelRule(
        pattern="news", history=Last(3, minutes=5), subscribe=("anyone",), publish=("anyone",), tag_filter=True
    ),
    ChannelRule(pattern="plain", subscribe=("anyone",), publish=("anyone",)),
    ChannelRule(pattern="secret"),
)


def furnished() -> Hub:
    hub = Hub(rules=RULES, limits=Limits(max_delay_s=0), allow_anonymous=True)

    @hub.authenticate
    def who(request: ConnectRequest) -> Identity | None:
        return Identity(user=request.token) if request.token else None

    return hub


@pytest.mark.parametrize("name", sorted(TRANSCRIPTS))
async def test_a_transcript_plays_to_the_letter(name: str) -> None:
    async with furnished() as hub:
        await play(TRANSCRIPTS[name], open_gate(hub))


@pytest.mark.parametrize("line", ["< 404", ".", "x", "< 200\n< data: 2"])
async def test_a_departure_is_found(line: str) -> None:
    async with furnished() as hub:
        with pytest.raises(TranscriptError):
            await play(f"= ada GET /events?channel=plain\n* publish plain 1\n{line}", open_gate(hub))
