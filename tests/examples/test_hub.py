"""The smallest hub, as its head says to run it."""

from tests.examples.driving import Follower, Wire, connected, serving, soon


async def test_what_is_said_in_a_room_is_heard_there_and_recovered_after_a_cut() -> None:
    heard = Follower()
    async with serving("examples.hub") as server, Wire(server.port) as wire:
        direct = f"ws://127.0.0.1:{server.port}/connection/websocket"
        async with connected(wire.websocket_url, "sesame") as listener, connected(direct, "sesame") as speaker:
            await heard.follow(listener, "chat:lobby")
            await soon(heard.subscribed.get())
            assert (await soon(speaker.rpc("say", {"room": "lobby", "text": "hello"}))).data == {"offset": 1}
            assert await soon(heard.data.get()) == {"from": "alice", "text": "hello"}

            wire.cut()
            await soon(speaker.rpc("say", {"room": "lobby", "text": "are you there?"}))
            wire.mend()

            assert await soon(heard.data.get()) == {"from": "alice", "text": "are you there?"}


async def test_the_secret_room_stays_shut() -> None:
    heard = Follower()
    async with serving("examples.hub") as server:
        async with connected(f"ws://127.0.0.1:{server.port}/connection/websocket", "sesame") as client:
            await heard.follow(client, "chat:secret")
            assert (await soon(heard.unsubscribed.get())).code == 103
