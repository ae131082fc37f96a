"""The Django Channels peer, with its in-memory layer: /sub/X joins the group X, what comes in on /pub/X goes to it.

The layer drops what a consumer has not taken when 100 messages wait for it; that is its documented default, and the
losses are reported.
"""

import django
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path
from serving import serve

settings.configure(
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["*"],
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
)
django.setup()


class Subscriber(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        self.group = self.scope["url_route"]["kwargs"]["channel"]
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def published(self, event: dict[str, str]) -> None:
        await self.send(text_data=event["text"])


class Publisher(AsyncWebsocketConsumer):
    async def receive(self, text_data: str = "", bytes_data: bytes = b"") -> None:
        group = self.scope["url_route"]["kwargs"]["channel"]
        await self.channel_layer.group_send(group, {"type": "published", "text": text_data})


routes = URLRouter([path("sub/<str:channel>", Subscriber.as_asgi()), path("pub/<str:channel>", Publisher.as_asgi())])
serve(ProtocolTypeRouter({"websocket": routes}), lifespan="off")
