"""Reading promptly: whoever looks hears soon that the store does not answer."""

from contextlib import AsyncExitStack

import pytest

from tests.patience import DEADLINE_S
from vagus.apps.fusion import promptness
from vagus.apps.fusion.history import History
from vagus.kernel.errors import StoreError
from vagus.store import Store
from vagus.store.sqlite import READERS


async def test_while_nothing_can_be_read_who_looks_hears_so_soon(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    history = History(store)
    async with AsyncExitStack() as stack:
        for _ in range(READERS):
            await stack.enter_async_context(store.reading())
        monkeypatch.setattr(promptness, "PROMPT_S", 0.1)
        exported = history.export(["memos"], 0, 1)
        for asked in (history.query(["memos"], 0, 1, 10), history.metrics(), anext(exported)):
            with pytest.raises(StoreError, match="the store does not answer"):
                await asked
    monkeypatch.setattr(promptness, "PROMPT_S", DEADLINE_S)
    assert await history.metrics() == []
