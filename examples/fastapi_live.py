"""An existing FastAPI service gets live updates: it publishes to a Vagus server that runs beside it.

vagus serve                                  with a rule for orders:{order_id} in its vagus.toml, docs/recipes.md
HUB_TOKEN=$(vagus token --user shop --role service) uvicorn examples.fastapi_live:app --port 8001
curl -X POST 127.0.0.1:8001/orders/42/status -H 'content-type: application/json' -d '{"status": "paid"}'
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from pydantic import BaseModel

from vagus.client import Client, Retry

URL = os.environ.get("HUB_URL", "http://127.0.0.1:8000")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with Client(URL, token=os.environ["HUB_TOKEN"], retry=Retry(tries=None)) as app.state.hub:
        yield


app = FastAPI(lifespan=lifespan)


class Status(BaseModel):
    status: str


@app.post("/orders/{order_id}/status")
async def change(order_id: str, status: Status) -> dict[str, int]:
    hub: Client = app.state.hub
    receipt = await hub.publish(f"orders:{order_id}", status.model_dump())
    return {"offset": receipt.offset}
