"""A hub that takes a client's word for who it is, and clients of its sections."""

from typing import Any

import msgspec

from tests.unit.hub.talking import Said, Talker
from vagus.hub.hub import Hub
from vagus.hub.requests import ConnectRequest
from vagus.kernel.identity import Identity
from vagus.testing import World


def trusting_hub(**options: Any) -> Hub:
    """The token is the user's name."""
    hub = Hub(allow_anonymous=True, **options)

    @hub.authenticate
    def who(request: ConnectRequest) -> Identity | None:
        return Identity(user=request.token) if request.token else None

    return hub


class Guest(Talker):
    """A client of a section."""

    @property
    def id(self) -> str:
        return self.client.id

    def heard(self) -> list[Said]:
        """The events that it was sent since it was last asked, each as a name and its arguments."""
        events = [said[1:] for said in self.said if said[0] == "event"]
        self.said = [said for said in self.said if said[0] != "event"]
        return events

    def answers(self) -> list[Said]:
        """What its invocations came to since it was last asked: a value, or a code and a message."""
        answers = [said[2:] for said in self.said if said[0] in ("result", "fault")]
        self.said = [said for said in self.said if said[0] not in ("result", "fault")]
        return answers


async def guest_of(world: World, section: str, user: str = "ada", data: object = None) -> Guest:
    """Connect a client to a section."""
    guest = Guest(world.hub, section)
    guest.connect(msgspec.Raw(msgspec.json.encode(data)) if data is not None else msgspec.Raw(b""), user)
    await world.settle()
    return guest
