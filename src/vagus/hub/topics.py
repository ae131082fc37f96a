"""The topics of this node: one for each channel that somebody here follows, from the first to the last of them."""

import asyncio
from collections.abc import Callable

from vagus.broker import Broker
from vagus.kernel.channels import ChannelRule

from .topic import Topic


class Topics:
    """Channels with followers. The broker is asked for a channel's flow with the first and let go with the last."""

    def __init__(self, broker: Broker, new_topic: Callable[[str, ChannelRule], Topic]) -> None:
        self.by_channel: dict[str, Topic] = {}
        self._broker = broker
        self._new_topic = new_topic
        self._opening: dict[str, asyncio.Future[None]] = {}

    async def enter(self, channel: str, rule: ChannelRule) -> Topic:
        """The channel's topic with one follower more; when it returns, the flow runs. Raises what the broker raises."""
        topic = self.by_channel.get(channel)
        if topic is None:
            return await self._open(channel, rule)
        topic.count += 1
        opening = self._opening.get(channel)
        if opening is not None:
            await asyncio.shield(opening)
        return topic

    async def _open(self, channel: str, rule: ChannelRule) -> Topic:
        topic = self.by_channel[channel] = self._new_topic(channel, rule)
        topic.count = 1
        opening = self._opening[channel] = asyncio.get_running_loop().create_future()
        try:
            await self._broker.subscribe(channel)
        except BaseException as error:
            self.by_channel.pop(channel, None)
            opening.set_exception(error)
            opening.exception()  # seen, also if nobody else waits for it
            raise
        else:
            opening.set_result(None)
        finally:
            del self._opening[channel]
        return topic

    def leave(self, topic: Topic) -> bool:
        """One follower less. ``True`` if it was the last: the broker may stop the channel's flow."""
        topic.count -= 1
        if topic.count or self.by_channel.get(topic.channel) is not topic:
            return False
        del self.by_channel[topic.channel]
        return True
