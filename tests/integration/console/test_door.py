"""Signing in to a real server: by each way, what its session opens, what it does not, and how it ends."""

import asyncio
import json
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.integration.console.conftest import PASSWORD, SESSION, SESSIONS, House, NewHouse, OpenSocket
from tests.patience import DEADLINE_S, PATIENCE
from vagus.auth.sessions import new_secret
from vagus.kernel import codes
from vagus.server.pages import is_built

pytestmark = pytest.mark.timeout(60)  # servers and commands of their own, each a process

EVIL = "https://evil.example"
FOREIGN = [
    {"origin": EVIL},
    {"origin": "null"},
    {"origin": EVIL, "sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site"},
    {"origin": ""},
]


def code_of(link: str) -> str:
    return parse_qs(urlsplit(link).query)["code"][0]


async def connected(socket: ClientConnection) -> bool:
    """Whether the connect command is answered with who it is."""
    await socket.send('{"id":1,"connect":{}}')
    return "connect" in json.loads(await asyncio.wait_for(socket.recv(), DEADLINE_S))


async def closing_of(socket: ClientConnection) -> int:
    """The code with which the server closes."""
    with pytest.raises(ConnectionClosed) as caught:
        while True:
            await asyncio.wait_for(socket.recv(), DEADLINE_S)
    return caught.value.rcvd.code if caught.value.rcvd is not None else 0


async def until_gone(page: httpx.AsyncClient) -> None:
    """Wait until the session of a page has ended."""
    async with asyncio.timeout(DEADLINE_S):
        while (await page.get(SESSION)).status_code != 401:  # noqa: ASYNC110  # the server tells nobody
            await asyncio.sleep(0.1)


async def until_alone(page: httpx.AsyncClient) -> None:
    """Wait until a page's session is the only one of its user, by asking, which would keep no other one alive."""
    async with asyncio.timeout(40 * PATIENCE):
        while len((await page.get(SESSIONS)).json()["sessions"]) > 1:  # noqa: ASYNC110
            await asyncio.sleep(0.2)


# --- Signing in ---


async def test_a_link_of_the_command_line_signs_in_beside_a_running_server_once(house: House) -> None:
    link = house.vagus("link", "--role", "operator", "--user", "olga")
    assert link.startswith(f"{house.site}/?code=")
    async with house.page() as page:
        first = await page.post(SESSION, json={"code": code_of(link)})
        again = await page.post(SESSION, json={"code": code_of(link)})
    assert (first.status_code, first.json()["user"], first.json()["roles"]) == (200, "olga", ["operator"])
    assert (again.status_code, again.headers["content-type"]) == (401, "application/problem+json")


async def test_of_two_who_use_a_link_at_once_one_comes_in(house: House) -> None:
    code = code_of(house.vagus("link"))
    async with house.page() as one, house.page() as other:
        answers = await asyncio.gather(*(page.post(SESSION, json={"code": code}) for page in (one, other)))
    assert sorted(answer.status_code for answer in answers) == [200, 401]


async def test_a_user_signs_in_with_a_password_and_is_out_when_removed(house: House, open_socket: OpenSocket) -> None:
    house.vagus("user", "add", "paula", "--role", "viewer", said=f"{PASSWORD}\n")
    async with house.page() as page:
        answer = await page.post(SESSION, json={"user": "paula", "password": PASSWORD})
        assert (answer.status_code, answer.json()["method"]) == (200, "password")
        socket = await open_socket(house, Cookie=f"vagus_session={page.cookies['vagus_session']}")
        assert await connected(socket)
        house.vagus("user", "remove", "paula")
        assert await closing_of(socket) == codes.INVALID_TOKEN.code
        assert (await page.get(SESSION)).status_code == 401


async def test_a_new_password_ends_the_sessions_of_the_old_one(house: House) -> None:
    house.vagus("user", "add", "peter", "--role", "viewer", said=f"{PASSWORD}\n")
    async with house.page() as page:
        await page.post(SESSION, json={"user": "peter", "password": PASSWORD})
        house.vagus("user", "password", "peter", said="another horse battery\n")
        await until_gone(page)
        assert (await page.post(SESSION, json={"user": "peter", "password": PASSWORD})).status_code == 401


async def test_other_roles_end_what_the_sessions_of_the_old_ones_may(house: House, open_socket: OpenSocket) -> None:
    house.vagus("user", "add", "piet", "--role", "admin", said=f"{PASSWORD}\n")
    async with house.page() as page:
        shown = {"user": "piet", "password": PASSWORD}
        assert (await page.post(SESSION, json=shown)).json()["roles"] == ["admin"]
        socket = await open_socket(house, Cookie=f"vagus_session={page.cookies['vagus_session']}")
        assert await connected(socket)
        house.vagus("user", "role", "piet", "--role", "viewer")
        assert await closing_of(socket) == codes.INVALID_TOKEN.code
        await until_gone(page)
        assert (await page.post(SESSION, json=shown)).json()["roles"] == ["viewer"]
        house.vagus("user", "role", "piet", "--role", "viewer")
        assert (await page.get("/api/fusion/sources")).status_code == 403
        assert len((await page.get(SESSIONS)).json()["sessions"]) == 1


async def test_who_am_i_says_who_and_until_when(house: House) -> None:
    async with house.page(await house.signed_in("wanda", "viewer")) as page:
        said = (await page.get(SESSION)).json()
    assert (said["user"], said["roles"], said["method"], said["insecure"]) == ("wanda", ["viewer"], "token", False)
    assert said["expiresAt"] > 1_700_000_000_000
    assert said["idleMs"] == 12 * 3_600_000
    assert {"id", "version", "node"} <= said.keys()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"user": "ada"},
        {"password": PASSWORD},
        {"code": "a", "token": "b"},
        {"code": 1},
        {"code": "a", "next": "/"},
        [],
        "code",
        {"code": "x" * 9000},
    ],
)
async def test_a_body_that_is_none_of_the_ways_is_refused(house: House, body: object) -> None:
    async with house.page() as page:
        answer = await page.post(SESSION, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_cookie_is_for_this_site_alone_and_for_no_script(house: House, scheme: str) -> None:
    origin = f"{scheme}://{urlsplit(house.site).netloc}"
    async with house.page(origin=origin) as page:
        cookie = (await page.post(SESSION, json={"token": house.token("carla", "viewer")})).headers["set-cookie"]
    parts = cookie.split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=604800"} <= set(parts)
    assert ("Secure" in parts) is (scheme == "https")


async def test_no_answer_leads_elsewhere(house: House) -> None:
    async with house.page() as page:
        for path in (f"/?next={EVIL}", f"/?next=//{EVIL[8:]}", f"{SESSION}?next={EVIL}"):
            answer = await page.get(path, headers={"accept": "text/html"})
            assert not answer.is_redirect
            assert "location" not in answer.headers
        answer = await page.post(f"{SESSION}?next={EVIL}", json={"token": house.token("nora", "viewer")})
    assert (answer.status_code, "location" in answer.headers) == (200, False)


async def test_no_log_has_a_secret(house: House) -> None:
    code = code_of(house.vagus("link", "--user", "lotte"))
    async with house.page() as page:
        await page.post(SESSION, json={"code": code})
        await page.post(SESSION, json={"user": "lotte", "password": PASSWORD})
        secret = page.cookies["vagus_session"]
    (line,) = [line for line in house.logged("signed_in") if line["user"] == "lotte"]
    assert (line["method"], line["address"].startswith("10.0.")) == ("link", True)
    assert not [shown for shown in (code, secret, PASSWORD) if shown in house.server.log()]


# --- What a cookie opens ---


@pytest.mark.parametrize(
    "cookie",
    [
        "vagus_session=k3Vd8_not-a-real-secret_0123456789abcdefghi",
        "vagus_session=",
        "vagus_session=ses_000000000000",
        "vagus_session=' OR 1=1--",
    ],
)
async def test_a_forged_cookie_opens_nothing(house: House, cookie: str) -> None:
    async with house.page(cookie) as page:
        for path in (SESSION, SESSIONS, "/api/fusion/stream", "/api/admin/realtime/status"):
            assert (await page.get(path)).status_code == 401


async def test_of_two_cookies_neither_counts(house: House) -> None:
    one, other = await house.signed_in("tina", "viewer"), await house.signed_in("tom", "viewer")
    async with house.page(f"{one}; {other}") as page:
        assert (await page.get(SESSION)).status_code == 401


async def test_a_cookie_that_was_swapped_is_who_it_belongs_to(house: House) -> None:
    async with house.page(await house.signed_in("hanna", "viewer")) as page:
        page.headers["cookie"] = await house.signed_in("hugo", "viewer")
        assert (await page.get(SESSION)).json()["user"] == "hugo"


async def test_routes_of_apps_let_a_session_in_by_its_roles(house: House) -> None:
    found = {}
    for role in ("viewer", "operator", "admin"):
        async with house.page(await house.signed_in(f"{role}-of-routes", role)) as page:
            reading, steering = await page.get("/api/fusion/stream"), await page.post("/api/fusion/emitter/pause")
            alerting = await page.post("/api/admin/realtime/alert/warning", json={"title": "x"})
            found[role] = (reading.status_code, steering.status_code, alerting.status_code)
    assert found["viewer"] == (200, 403, 403)
    assert found["operator"][0::2] == (200, 403)
    assert found["admin"] == (200, 200, 202)


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_a_page_from_elsewhere_may_not_change_anything_with_a_session(
    house: House, headers: dict[str, str]
) -> None:
    async with house.page(await house.signed_in("carlo", "admin"), **headers) as page:
        answers = [
            await page.post("/api/fusion/emitter/pause"),
            await page.post("/api/admin/realtime/alert/warning", json={"title": "x"}),
            await page.delete(SESSION),
            await page.delete(f"{SESSIONS}/ses_000000000000"),
        ]
    assert [answer.status_code for answer in answers] == [403, 403, 403, 403]


@pytest.mark.parametrize("headers", FOREIGN[:3], ids=str)
async def test_a_page_from_elsewhere_cannot_sign_anybody_in(house: House, headers: dict[str, str]) -> None:
    async with house.page(**headers) as page:
        answer = await page.post(SESSION, json={"token": house.token("mallory", "viewer")})
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


async def test_what_shows_a_session_and_names_no_page_may_only_read(house: House) -> None:
    cookie = await house.signed_in("rita", "admin")
    async with httpx.AsyncClient(base_url=house.site, headers={"cookie": cookie}, timeout=DEADLINE_S) as program:
        assert (await program.get(SESSION)).status_code == 200
        assert (await program.post("/api/fusion/emitter/pause")).status_code == 403
        assert (await program.delete(SESSION)).status_code == 403


async def test_a_token_that_is_shown_beside_a_cookie_decides(house: House) -> None:
    bearer = {"authorization": f"Bearer {house.token('vera', 'viewer')}"}
    async with house.page(await house.signed_in("adam", "admin"), **bearer) as page:
        assert (await page.post("/api/admin/realtime/alert/warning", json={"title": "x"})).status_code == 403


# --- The hub ---


async def test_a_page_connects_by_its_cookie(house: House, open_socket: OpenSocket) -> None:
    socket = await open_socket(house, Cookie=await house.signed_in("sonja", "viewer"))
    assert await connected(socket)


@pytest.mark.parametrize("origin", [EVIL, "http://127.0.0.1:1"])
async def test_a_page_of_another_origin_is_nobody_for_all_its_cookie(
    house: House, open_socket: OpenSocket, origin: str
) -> None:
    socket = await open_socket(house, Origin=origin, Cookie=await house.signed_in("sonja", "admin"))
    await socket.send('{"id":1,"connect":{}}')
    assert await closing_of(socket) == codes.MALFORMED.code


async def test_a_cookie_in_the_connect_command_is_none(house: House, open_socket: OpenSocket) -> None:
    cookie = await house.signed_in("sonja", "admin")
    socket = await open_socket(house)
    await socket.send(json.dumps({"id": 1, "connect": {"headers": {"cookie": cookie}}}))
    assert await closing_of(socket) == codes.MALFORMED.code


async def test_a_forged_cookie_does_not_connect(house: House, open_socket: OpenSocket) -> None:
    socket = await open_socket(house, Cookie=f"vagus_session={new_secret()}")
    await socket.send('{"id":1,"connect":{}}')
    assert await closing_of(socket) == codes.INVALID_TOKEN.code


async def test_signing_out_closes_the_connections_of_this_session_and_of_no_other(
    house: House, open_socket: OpenSocket
) -> None:
    cookies = [await house.signed_in("dora", "viewer") for _ in range(2)]
    out, staying = [await open_socket(house, Cookie=cookie) for cookie in cookies]
    assert await connected(out)
    assert await connected(staying)
    async with house.page(cookies[0]) as page:
        answer = await page.delete(SESSION)
        assert (answer.status_code, "vagus_session=;" in answer.headers["set-cookie"]) == (204, True)
        assert (await page.get(SESSION)).status_code == 401
    assert await closing_of(out) == codes.INVALID_TOKEN.code
    await staying.send('{"id":2,"rpc":{"method":"nobody"}}')
    assert json.loads(await asyncio.wait_for(staying.recv(), DEADLINE_S))["id"] == 2


async def test_an_unused_session_ends_while_one_with_an_open_connection_goes_on(
    new_house: NewHouse, open_socket: OpenSocket
) -> None:
    house = new_house(VAGUS_CONSOLE__SESSION_IDLE_HOURS=str(6 / 3600))
    used, unused = await house.signed_in("ida", "viewer"), await house.signed_in("ida", "viewer")
    socket = await open_socket(house, Cookie=used)
    assert await connected(socket)
    async with house.page(used) as page:
        await until_alone(page)
    async with house.page(unused) as page:
        assert (await page.get(SESSION)).status_code == 401
    await socket.send('{"id":2,"rpc":{"method":"nobody"}}')
    assert json.loads(await asyncio.wait_for(socket.recv(), DEADLINE_S))["id"] == 2


async def listed(house: House, cookie: str) -> list[dict[str, object]]:
    async with house.page(cookie) as page:
        found: list[dict[str, object]] = (await page.get(SESSIONS)).json()["sessions"]
    return found


# --- Sessions ---


async def test_people_see_and_end_their_own_sessions_and_admins_all(house: House) -> None:
    mine, other = await house.signed_in("mia", "viewer"), await house.signed_in("noah", "viewer")
    admin = await house.signed_in("root", "admin")
    (own,) = await listed(house, mine)
    assert (own["user"], own["current"], own["method"]) == ("mia", True, "token")
    (noahs,) = [each for each in await listed(house, admin) if each["user"] == "noah"]
    async with house.page(mine) as page:
        assert (await page.delete(f"{SESSIONS}/{noahs['id']}")).status_code == 404
    async with house.page(admin) as page:
        assert (await page.delete(f"{SESSIONS}/{noahs['id']}")).status_code == 204
    async with house.page(other) as page:
        assert (await page.get(SESSION)).status_code == 401


# --- Floods, and servers that ask nobody ---


async def test_a_flood_of_tries_is_told_to_wait_and_others_go_on(new_house: NewHouse) -> None:
    house = new_house()
    cookie = await house.signed_in("ada", "viewer")
    async with house.page() as page:
        answers = [await page.post(SESSION, json={"code": new_secret()}) for _ in range(25)]
    assert {answer.status_code for answer in answers} == {401, 429}
    assert answers[-1].headers["retry-after"] == "5"
    async with house.page(cookie) as page:
        assert (await page.get(SESSION)).status_code == 200


async def test_on_an_insecure_server_everybody_is_an_admin_without_signing_in(new_house: NewHouse) -> None:
    async with new_house("--insecure").page() as page:
        said = (await page.get(SESSION)).json()
        assert (said["user"], said["roles"], said["insecure"]) == ("local", ["admin"], True)
        assert (await page.delete(SESSION)).status_code == 204
        assert (await page.get(SESSIONS)).json() == {"sessions": []}


@pytest.mark.skipif(not is_built(), reason="the console is not built: pip install . builds it")
async def test_the_link_that_is_printed_at_start_signs_an_admin_in(house: House) -> None:
    (link,) = [word for word in house.server.said.split() if "?code=" in word]
    async with house.page() as page:
        answer = await page.post(SESSION, json={"code": code_of(link)})
    assert (answer.json()["user"], answer.json()["roles"]) == ("admin", ["admin"])


@pytest.mark.parametrize("origin", ["", EVIL])
async def test_every_transport_knows_the_session_of_the_servers_own_pages_alone(house: House, origin: str) -> None:
    cookie = await house.signed_in("tara", "viewer")
    is_own = not origin
    async with house.page(cookie, origin=origin or house.site) as page:
        negotiated = await page.post("/hubs/vagus/negotiate?negotiateVersion=1")
        async with page.stream("POST", "/connection/http_stream", content=b'{"id":1,"connect":{}}\n') as stream:
            first = await anext(stream.aiter_lines())
        async with page.stream("GET", "/events?channel=fusion") as events:
            status = events.status_code
    assert (negotiated.status_code == 200) is is_own
    assert ('"connect":{"client"' in first) is is_own
    assert (status == 200) is is_own
