"""Who may come: tokens in headers and queries, refused, expired, renewed."""

import pytest

from tests.integration.native.peers import Refused
from tests.integration.native.tokens import EXPIRED, FORGED, token, verifier
from tests.patience import LEISURE
from vagus import ConnectRequest, Hub, Identity, Limits
from vagus.kernel.errors import RefusedError

from .conftest import ONE_WAY, OpenCaller, OpenPeer, Serve
from .furnished import furnished_hub


def guarded_hub(**options: object) -> Hub:
    return furnished_hub(allow_anonymous=False, verifier=verifier(), **options)


async def test_a_token_says_who_somebody_is(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(guarded_hub()), tokens=[token("7")])
    assert await peer.invoke("WhoAmI") == "7"


@ONE_WAY
async def test_a_token_says_so_without_negotiation_too(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(guarded_hub()), tokens=[token("7")], skip=True)
    assert await peer.invoke("WhoAmI") == "7"


@pytest.mark.parametrize("bad", [FORGED, EXPIRED, "nonsense", None], ids=["forged", "expired", "nonsense", "none"])
async def test_who_has_no_good_token_may_not_even_negotiate(serve: Serve, open_peer: OpenPeer, bad: str | None) -> None:
    server = await serve(guarded_hub())
    peer = await open_peer(server, start=False, **({"tokens": [bad]} if bad else {}))
    with pytest.raises(Refused, match="Unauthorized: Status code '401'"):
        await peer.started()
    assert not server.hub.clients


@pytest.mark.parametrize(
    ("bad", "text"),
    [(FORGED, "unauthorized"), (EXPIRED, "token expired"), (None, "unauthorized")],
    ids=["forged", "expired", "none"],
)
@ONE_WAY
async def test_without_negotiation_the_handshake_is_refused(
    serve: Serve, open_peer: OpenPeer, bad: str | None, text: str
) -> None:
    server = await serve(guarded_hub())
    peer = await open_peer(server, start=False, skip=True, **({"tokens": [bad]} if bad else {}))
    with pytest.raises(Refused, match=f"Server returned handshake error: {text}"):
        await peer.started()
    await server.alone()


@pytest.mark.parametrize("where", ["header", "query"])
async def test_a_token_is_taken_from_header_and_query(serve: Serve, open_caller: OpenCaller, where: str) -> None:
    caller = await open_caller(await serve(guarded_hub()))
    if where == "header":
        answer = await caller.negotiate(headers={"authorization": f"bearer {token('7')}"})
    else:
        answer = await caller.negotiate(f"negotiateVersion=1&access_token={token('7')}")
    assert answer.status_code == 200


async def test_a_401_names_the_scheme(serve: Serve, open_caller: OpenCaller) -> None:
    answer = await (await open_caller(await serve(guarded_hub()))).negotiate()
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_section_is_for_whom_it_is_for(serve: Serve, open_caller: OpenCaller) -> None:
    hub = guarded_hub()
    hub.section("admin", allow=("@admin",))
    caller = await open_caller(await serve(hub), "admin")
    headers = {"authorization": f"Bearer {token('7')}"}
    assert (await caller.negotiate(headers=headers)).status_code == 403
    headers = {"authorization": f"Bearer {token('7', roles=frozenset({'admin'}))}"}
    assert (await caller.negotiate(headers=headers)).status_code == 200


@ONE_WAY
async def test_an_expired_connection_is_told_to_come_back(serve: Serve, open_peer: OpenPeer) -> None:
    hub = guarded_hub(limits=Limits(expiry_grace_s=0))
    peer = await open_peer(
        await serve(hub),
        tokens=[token("7", lasts_s=2 * LEISURE), token("7", lasts_s=2 * LEISURE), token("8")],
        delays=[0, 0],
    )
    await peer.expect("reconnecting", error="Server returned an error on close: connection expired")
    await peer.expect("reconnected")
    assert await peer.invoke("WhoAmI") == "8"


@ONE_WAY
async def test_a_connection_that_is_refreshed_stays(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(guarded_hub()), tokens=[token("7", lasts_s=60)])
    assert (await peer.invoke("Refresh", token("7", lasts_s=120)))["ttl"] > 60


@ONE_WAY
async def test_what_an_application_refuses_is_told_in_its_words(serve: Serve, open_peer: OpenPeer) -> None:
    hub = furnished_hub()

    @hub.on_connect
    def refuse(request: ConnectRequest, identity: Identity) -> None:
        raise RefusedError.because(400, "closed on Sundays")

    server = await serve(hub)
    peer = await open_peer(server, start=False)
    with pytest.raises(Refused, match="Server returned handshake error: closed on Sundays"):
        await peer.started()
    await server.alone()


async def test_an_application_that_fails_is_no_open_door(serve: Serve, open_caller: OpenCaller) -> None:
    hub = furnished_hub()

    @hub.authenticate
    def fail(request: ConnectRequest) -> Identity:
        raise ValueError("a bug")

    assert (await (await open_caller(await serve(hub))).negotiate()).status_code == 500
