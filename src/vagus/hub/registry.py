"""Who is here: the clients of this node by id, user and session, and how many come from each address."""

from collections import Counter

from vagus.kernel import codes
from vagus.kernel.codes import Closure
from vagus.kernel.control import Target
from vagus.kernel.errors import DisconnectError
from vagus.kernel.limits import Limits
from vagus.kernel.rates import Bucket, Buckets

from .client import Client


class Registry:
    """The clients that have said who they are, within the bounds on their number and on how fast they come."""

    def __init__(self, limits: Limits, now: float) -> None:
        self.clients: dict[str, Client] = {}
        self._users: dict[str, tuple[Client, ...]] = {}  # most users have one client, and a tuple is small
        self._sessions: dict[str, Client] = {}
        self.bound(limits, now)

    def bound(self, limits: Limits, now: float) -> None:
        """Let these limits hold from now on; who is in stays."""
        self._limits = limits
        self._addresses = Counter(
            client.origin.address for client in self.clients.values() if limits.connections_per_address
        )
        self._connecting = Bucket(limits.connecting, now) if limits.connecting else None
        self._connecting_from = Buckets(limits.connecting_per_address) if limits.connecting_per_address else None

    @property
    def num_users(self) -> int:
        return len(self._users)

    def takes_connection(self, address: str, now: float) -> bool:
        """Whether one connection more may come now from an address; asked once for each, since it counts."""
        if self._connecting_from is not None and not self._connecting_from.take(address, now):
            return False
        return self._connecting is None or self._connecting.take(now)

    def check_room(self, address: str) -> Closure | None:
        """Why a client from an address finds no room, if it finds none."""
        limits = self._limits
        if limits.connections and len(self.clients) >= limits.connections:
            return codes.CONNECTION_LIMIT
        if limits.connections_per_address and self._addresses[address] >= limits.connections_per_address:
            return codes.CONNECTION_LIMIT
        return None

    def add(self, client: Client) -> None:
        """Raises ``DisconnectError`` if there is no room: for anybody, from its address, or for its user."""
        closure = self.check_room(client.origin.address)
        if closure is not None:
            raise DisconnectError(closure)
        user, bound = client.identity.user, self._limits.connections_per_user
        others = self._users.get(user, ()) if user else ()
        if bound and user and len(others) >= bound:
            raise DisconnectError(codes.CONNECTION_LIMIT)
        self.clients[client.id] = client
        if user:
            self._users[user] = (*others, client)
        if client.session:
            self._sessions[client.session] = client
        if self._limits.connections_per_address:
            self._addresses[client.origin.address] += 1

    def remove(self, client: Client) -> bool:
        """Whether it was there."""
        if self.clients.pop(client.id, None) is None:
            return False
        user = client.identity.user
        others = tuple(other for other in self._users.pop(user, ()) if other is not client)
        if others:
            self._users[user] = others
        self._sessions.pop(client.session, None)
        if self._limits.connections_per_address:
            self._addresses[client.origin.address] -= 1
            self._addresses += Counter()  # drops what is down to zero
        return True

    def targets(self, target: Target) -> list[Client]:
        """The clients here that an order means."""
        if target.client or target.session:
            client = self.single(target)
            found = [client] if client is not None and _fits(client, target) else []
        else:
            found = list(self._users.get(target.user or "", ()))
        return [client for client in found if client.id not in target.except_clients]

    def single(self, target: Target) -> Client | None:
        """The client that an order names by its id or session, if it is here; it is on no other node then."""
        return self.clients.get(target.client) if target.client else self._sessions.get(target.session)


def _fits(client: Client, target: Target) -> bool:
    return target.user in (None, client.identity.user) and target.session in ("", client.session)
