"""Sentinels say where the master is. All are asked at once, and the one that knows of the latest failover is believed.

An answer needs most of them, or the time: a sentinel that was cut off from the others tells of a master that is none
any more, and one that has died shall not make the others wait.
"""

from typing import Any, Final

import msgspec

from vagus.kernel.errors import BrokerError

from . import Options
from .connecting import AccessError, Address, connect, place_of
from .link import Link
from .polling import answers_of_most

SHARE: Final = 3
"""A sentinel gets the third part of the time that Redis gets, so that the master can still be reached after that."""


class Sentinels:
    """Keeps a link to each sentinel that answers, for asking again is cheap then."""

    def __init__(self, options: Options) -> None:
        self._master = options.master
        self._options = msgspec.structs.replace(options, timeout_s=options.timeout_s / SHARE)
        self._links: dict[Address, Link] = {}

    async def master(self) -> Address:
        """Where the master is. Raises ``BrokerError`` if no sentinel knows."""
        try:
            answers = await answers_of_most(self._options.addresses, self._ask, self._options.timeout_s)
        except AccessError:
            raise
        except BrokerError as error:
            raise BrokerError(f"no sentinel says where the master {self._master} is: {error}") from None
        return max(answers, key=lambda answer: answer[0])[1]

    async def _ask(self, address: Address) -> tuple[int, Address]:
        """Which failover this sentinel knows of, and where the master is since."""
        link = self._links.get(address)
        if link is None or not link.is_open:
            link = await self._open(address)
        facts = _facts(await link.send((b"SENTINEL", b"MASTER", self._master)))
        try:
            return int(facts[b"config-epoch"]), (facts[b"ip"].decode(), int(facts[b"port"]))
        except (KeyError, ValueError):
            raise BrokerError(f"the sentinel at {link.place} answers in an unknown way") from None

    async def _open(self, address: Address) -> Link:
        options = self._options
        link = Link(place_of(address), options.timeout_s)
        await connect(address, options, link, user=options.sentinel_user, password=options.sentinel_password)
        self._links[address] = link
        return link

    def close(self) -> None:
        for link in self._links.values():
            link.abort("this server closed its connection to the sentinel")
        self._links.clear()


def _facts(answer: Any) -> dict[bytes, bytes]:
    return dict(zip(answer[::2], answer[1::2], strict=True)) if isinstance(answer, list) else {}
