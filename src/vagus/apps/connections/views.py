"""What can be seen of all nodes: each is asked, and what those say that answer is put together.

A node that does not answer is missing, and every answer says how many are. While the broker cannot be asked a node
tells of itself alone.
"""

from collections.abc import Awaitable, Callable
from heapq import nlargest, nsmallest
from typing import Any, Final, TypeVar

import msgspec
import structlog

from vagus.broker import ANSWER_S
from vagus.hub import Hub
from vagus.kernel.codes import Closure
from vagus.kernel.control import Answer, Question, Target
from vagus.kernel.errors import BrokerError

from .channels import Channels, FoundChannels, put_together
from .choosing import ChannelsWanted, ClientsWanted, Key, cursor_of
from .clients import Clients, Found, FoundSlow
from .node import Figures
from .values import (
    ChannelsPage,
    ClientRow,
    ClientsPage,
    ClientView,
    Coverage,
    Disconnected,
    FoundClient,
    NodeFigures,
    Nodes,
    SlowClients,
    totals_of,
)

log = structlog.get_logger()

T = TypeVar("T")

NODES: Final = "connections nodes"
CLIENTS: Final = "connections clients"
CLIENT: Final = "connections client"
CHANNELS: Final = "connections channels"
SLOW: Final = "connections slow"
COUNT: Final = "connections count"


class NotFoundError(Exception):
    """There is nobody like that on any node."""


class UnsureError(Exception):
    """Nobody like that was found, but not all nodes have answered."""


class Views:
    """Looks at all nodes. ``on_asked`` is told which node's live view asks for the nodes' figures, if one does."""

    def __init__(self, hub: Hub, figures: Figures, on_asked: Callable[[str], None]) -> None:
        self._hub = hub
        self.clients_here = Clients(hub)
        self.channels_here = Channels(hub)
        self._answer(figures, on_asked)

    # what this node answers

    def _answer(self, figures: Figures, on_asked: Callable[[str], None]) -> None:
        clients, channels = self.clients_here, self.channels_here

        async def nodes(asker: str) -> NodeFigures:
            on_asked(asker)
            return await figures.node()

        async def one(id: str) -> ClientView | None:
            return clients.one(id)

        async def slow(limit: int) -> FoundSlow:
            return clients.slow(limit)

        async def count(target: Target) -> int:
            return clients.count(target)

        self._answers(NODES, str, nodes)
        self._answers(CLIENTS, ClientsWanted, clients.page)
        self._answers(CLIENT, str, one)
        self._answers(CHANNELS, str, channels.found)
        self._answers(SLOW, int, slow)
        self._answers(COUNT, Target, count)

    def _answers(self, subject: str, kind: type[T], answer: Callable[[T], Awaitable[object]]) -> None:
        async def answering(content: bytes) -> bytes:
            return msgspec.json.encode(await answer(msgspec.json.decode(content, type=kind)))

        self._hub.answers[subject] = answering

    async def _ask(
        self, subject: str, content: object, kind: Any, *, node: str = "", timeout_s: float = ANSWER_S
    ) -> tuple[list[Any], Coverage]:
        hub, question = self._hub, Question(subject, msgspec.json.encode(content))
        try:
            answers = await hub.ask_nodes(question, node=node, timeout_s=timeout_s)
        except BrokerError:
            answers = []
            if node in ("", hub.node_id):
                answers = [Answer(hub.node_id, await hub.answers[subject](question.content))]  # type: ignore[arg-type]  # these always say something
        found = [value for answer in answers for value in _decoded(answer, kind)]
        alive = 1 if node else hub.broker.condition.nodes
        return found, Coverage(max(alive, len(found)), len(found))

    # what is seen

    async def nodes(self, *, asker: str = "", timeout_s: float = ANSWER_S) -> Nodes:
        found, coverage = await self._ask(NODES, asker, NodeFigures, timeout_s=timeout_s)
        nodes = sorted(found, key=lambda node: (node.name, node.id))
        return Nodes(nodes, totals_of(nodes), self._hub.now_ms(), coverage)

    async def clients(self, wanted: ClientsWanted, node: str = "") -> ClientsPage:
        answers, coverage = await self._ask(CLIENTS, wanted, Found, node=node)
        rows, more = _merged(answers, wanted)
        cursor = cursor_of(wanted.order, rows[-1][0], descending=wanted.descending) if more and rows else None
        return ClientsPage([row for _, row in rows], sum(answer.total for answer in answers), cursor, coverage)

    async def client(self, id: str) -> FoundClient:
        """Raises ``NotFoundError`` and ``UnsureError``."""
        found, coverage = await self._ask(CLIENT, id, ClientView | None)
        view = next((view for view in found if view is not None), None)
        if view is None:
            raise _absence(coverage)
        fields = {name: getattr(view, name) for name in ClientView.__struct_fields__}
        return FoundClient(**fields, coverage=coverage)

    async def channels(self, wanted: ChannelsWanted) -> ChannelsPage:
        answers, coverage = await self._ask(CHANNELS, wanted.pattern, FoundChannels)
        rows, total, whole = await put_together(self._hub, answers, wanted)
        return ChannelsPage(rows, total, whole, coverage)

    async def slow(self, limit: int) -> SlowClients:
        answers, coverage = await self._ask(SLOW, limit, FoundSlow)
        every = [client for answer in answers for client in answer.clients]
        return SlowClients(
            clients=nlargest(limit, every, key=lambda slow: slow.client.queue_bytes),
            total=sum(answer.total for answer in answers),
            closed_slow=sum(answer.closed for answer in answers),
            dropped=sum(answer.dropped for answer in answers),
            coverage=coverage,
        )

    # what is done

    async def disconnect(self, *, client: str = "", user: str | None = None, closure: Closure, by: str) -> Disconnected:
        """Close a client, or all of a user. Raises ``NotFoundError``, ``UnsureError`` and ``BrokerError``."""
        counts, coverage = await self._ask(COUNT, Target(user, client), int)
        count = sum(counts)
        if not count and coverage.is_whole:
            raise NotFoundError
        await self._hub.disconnect(client=client, user=user, closure=closure)
        log.info(
            "clients_disconnected",
            by=by,
            client=client,
            user=user,
            code=closure.code,
            reason=closure.reason,
            count=count,
        )
        if not count:
            raise UnsureError
        return Disconnected(count, coverage)


def _decoded(answer: Answer, kind: Any) -> list[Any]:
    """What a node said; nothing if it is of a version that says it otherwise."""
    try:
        return [msgspec.json.decode(answer.content, type=kind)]
    except msgspec.DecodeError as error:
        log.warning("answer_unreadable", node=answer.node, error=str(error))
        return []


def _absence(coverage: Coverage) -> Exception:
    return NotFoundError() if coverage.is_whole else UnsureError()


def _merged(answers: list[Found], wanted: ClientsWanted) -> tuple[list[tuple[Key, ClientRow]], bool]:
    """The first rows of all nodes. What lies after the last row of a node that has more is for the next page, since

    that node's next row may come before it.
    """
    rows = [row for answer in answers for row in answer.rows]
    ends = [answer.rows[-1][0] for answer in answers if answer.more]
    if ends and wanted.descending:
        rows = [row for row in rows if row[0] >= max(ends)]
    elif ends:
        rows = [row for row in rows if row[0] <= min(ends)]
    pick = nlargest if wanted.descending else nsmallest
    page = pick(wanted.limit, rows, key=lambda row: row[0])
    return page, bool(ends) or len(rows) > len(page)
