"""Takes reports of a form that is filled in where there is not always a network.

npx vite build          in this folder, see docs/recipes.md
uvicorn reports:app
"""

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from vagus import ChannelRule, Hub, Last, asgi_app

PLACES = {"hall", "yard"}  # stands for your database; the cellar is closed

hub = Hub(
    rules=[ChannelRule(pattern="reports:{place}", history=Last(300, hours=24), subscribe=("anyone",))],
    allow_anonymous=True,  # in a real one, hub.authenticate says who files
)


@hub.may_publish("reports:{place}")
async def may_file(place: str) -> bool:
    return place in PLACES


async def filed(request: Request) -> Response:
    """What came in for a place, oldest first."""
    page = await hub.history(f"reports:{request.path_params['place']}")
    reports = b",\n".join(bytes(publication.data) for publication in page.publications)
    return Response(b"[%b]" % reports, media_type="application/json")


app = Starlette(
    routes=[
        Route("/filed/{place}", filed),
        Mount("/connection", asgi_app(hub)),
        Mount("/", StaticFiles(directory=Path(__file__).parent / "dist", html=True, check_dir=False)),
    ],
)
