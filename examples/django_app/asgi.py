"""Vagus beside Django in one ASGI application: views publish, browsers listen at /connection/websocket.

    uvicorn examples.django_app.asgi:app
    curl -X POST 127.0.0.1:8000/orders/42/status -d '{"status": "paid"}'

A whole project in one file; in yours, settings and urls stay where they are, and asgi.py gets the hub and ``app``.
Django has no lifespan of its own, so the hub takes the server's: it starts before the first request.
"""

import json
from typing import Any

import django
import msgspec
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from vagus import Caller, ConnectRequest, Hub, Identity, Last, asgi_app

settings.configure(ALLOWED_HOSTS=["127.0.0.1", "localhost"], ROOT_URLCONF=__name__, SECRET_KEY="for this example only")
django.setup()

hub = Hub()

USERS = {"sesame": "alice"}  # stands for your sessions
ORDERS = {"alice": {"42"}}  # stands for your models


@hub.authenticate
async def who(request: ConnectRequest) -> Identity | None:
    user = USERS.get(request.token)
    return Identity(user=user) if user is not None else None


@hub.channel("orders:{order_id}", history=Last(100, hours=1))
async def may_follow(identity: Identity, order_id: str) -> bool:
    return order_id in ORDERS.get(identity.user, ())


class Cancel(msgspec.Struct):
    order_id: str


class Cancelled(msgspec.Struct):
    order_id: str
    by: str


@hub.call("orders.cancel")
async def cancel(caller: Caller, request: Cancel) -> Cancelled:
    await hub.publish(f"orders:{request.order_id}", {"status": "cancelled"})
    return Cancelled(order_id=request.order_id, by=caller.user)


@csrf_exempt  # called by a service here; leave it out for forms
@require_POST
async def change(request: HttpRequest, order_id: str) -> JsonResponse:
    receipt = await hub.publish(f"orders:{order_id}", json.loads(request.body))
    return JsonResponse({"offset": receipt.position.offset})


urlpatterns = [path("orders/<order_id>/status", change)]

_django = get_asgi_application()
_hub = asgi_app(hub)


async def app(scope: Any, receive: Any, send: Any) -> None:
    await (_django if scope["type"] == "http" else _hub)(scope, receive, send)
