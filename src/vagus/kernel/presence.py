"""Who follows a channel now: clients with what others may know of them, and how many users they are."""

from .publications import ClientInfo
from .replies import PresenceStatsResult


class Roster:
    """The clients present in one channel. Users are counted as clients come and go, so that asking costs nothing."""

    __slots__ = ("_clients", "_users")

    def __init__(self) -> None:
        self._clients: dict[str, ClientInfo] = {}
        self._users: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._clients)

    def add(self, info: ClientInfo) -> None:
        """Note a client, or what has changed about it."""
        self.remove(info.client)
        self._clients[info.client] = info
        self._users[info.user] = self._users.get(info.user, 0) + 1

    def remove(self, client: str) -> None:
        """Forget a client; one that is not there is no error, since leaving may be told twice."""
        info = self._clients.pop(client, None)
        if info is None:
            return
        left = self._users[info.user] - 1
        if left:
            self._users[info.user] = left
        else:
            del self._users[info.user]

    @property
    def clients(self) -> dict[str, ClientInfo]:
        return dict(self._clients)

    @property
    def stats(self) -> PresenceStatsResult:
        return PresenceStatsResult(len(self._clients), len(self._users))
