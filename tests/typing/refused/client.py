"""What must not type-check: each line that is marked has the error that its mark names, and no other line has any."""

from vagus.client import Client, Retry

Client()  # E: call-arg
Client("http://a", "token")  # E: call-arg
Client("http://a", token=7)  # E: arg-type
Client("http://a", get_token=7)  # E: arg-type
Client("http://a", retry=5)  # E: arg-type
Client("http://a", proxy=False)  # E: arg-type
Retry(5)  # E: call-arg
Retry(tries="five")  # E: arg-type


async def use(client: Client) -> None:
    client.subscribe("news", when_full="explode")  # E: call-overload
    client.subscribe("news", since=7)  # E: call-overload
    client.subscribe("news", tags={"kind": 7})  # E: dict-item
    async with client.subscribe("numbers", int) as numbers:
        numbers.publish(7)  # E: attr-defined
        async for message in numbers:
            message.data.upper()  # E: attr-defined
            message.data = 7  # E: misc
    await client.publish("news")  # E: call-arg
    await client.publish("news", 1, tags={"a": 1})  # E: dict-item
    count: int = await client.call("orders.count", returns=str)  # E: arg-type
    await client.call("orders.count", timeout=5)  # E: call-overload # E: call-overload
    status: str = client.status  # E: assignment
    client.status.state = "connected"  # E: misc
    assert count and status
