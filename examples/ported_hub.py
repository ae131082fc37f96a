"""A board of cards that was a SignalR hub, moved over; docs/moving-from-signalr.md has the lines that these were.

    uvicorn examples.ported_hub:app

Then connect any SignalR client to http://127.0.0.1:8000/hubs/board with the access token "token-of-ann".
"""

import asyncio
from collections.abc import AsyncIterator

import msgspec

from vagus import ConnectRequest, Hub, Identity, asgi_app
from vagus.porting.signalr import HubError, SignalRHub, authorize, serve

hub = Hub()

USERS = {  # stands for your sessions
    "token-of-ann": Identity(user="ann", roles=frozenset({"editor"})),
    "token-of-ben": Identity(user="ben"),
}
COLUMNS = ("to do", "doing", "done")


class Card(msgspec.Struct):
    title: str
    column: str = COLUMNS[0]


@hub.authenticate
async def who(request: ConnectRequest) -> Identity | None:
    return USERS.get(request.token)


class Board(SignalRHub):
    async def on_connected(self) -> None:
        await self.clients.others.send("Joined", self.context.user_identifier)

    async def on_disconnected(self, error: str | None) -> None:
        await self.clients.all.send("Left", self.context.user_identifier)

    async def open_board(self, board: str) -> tuple[str, ...]:
        self.context.items["board"] = board
        await self.groups.add(self.context.connection_id, board)
        return COLUMNS

    async def move_card(self, card: Card) -> str:
        if card.column not in COLUMNS:
            raise HubError(f"there is no column {card.column!r}")
        await self.clients.others_in_group(self._board).send("CardMoved", card)
        return card.column

    @authorize("@editor")
    async def delete_card(self, title: str) -> bool:
        is_sure = await self.clients.caller.invoke("Confirm", f"delete {title}?", timeout_s=10)
        if is_sure:
            await self.clients.group(self._board).send("CardDeleted", title)
        return bool(is_sure)

    async def countdown(self, start: int) -> AsyncIterator[int]:
        for number in range(start, 0, -1):
            yield number
            await asyncio.sleep(0.01)

    async def import_cards(self, cards: AsyncIterator[Card]) -> int:
        count = 0
        async for card in cards:
            await self.clients.group(self._board).send("CardMoved", card)
            count += 1
        return count

    @property
    def _board(self) -> str:
        board = self.context.items.get("board")
        if board is None:
            raise HubError("open a board first")
        return str(board)


board = serve(hub, "board", Board)


async def announce(text: str) -> None:
    """What a part of the application does that is no hub method, such as a view or a timer."""
    await board.clients.all.send("Announced", text)


app = asgi_app(hub)
