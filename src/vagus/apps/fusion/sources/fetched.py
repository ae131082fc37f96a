"""Values in what a server answers with, be that JSON or the text format of Prometheus."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from vagus.apps.fusion.threads import Threads
from vagus.apps.fusion.values import Reading, Terms, checked

from . import SourceError
from .http import Endpoint

LARGE_BYTES: Final = 65_536
"""From here on a thread takes it apart."""


class Fetched:
    """See ``Source``. ``values_in`` takes an answer apart; it raises ``ValueError`` for one that it cannot use."""

    def __init__(
        self, terms: Terms, endpoint: Endpoint, values_in: Callable[[bytes], Mapping[str, object]], threads: Threads
    ) -> None:
        self.terms = terms
        self._endpoint = endpoint
        self._values_in = values_in
        self._threads = threads

    async def collect(self) -> Reading:
        body = await self._endpoint.get()
        try:
            if len(body) < LARGE_BYTES:
                return self._reading(body)
            return await self._threads.run(f"parse {self.terms.name}", partial(self._reading, body))
        except ValueError as error:
            raise SourceError(f"the answer: {error}") from None

    async def close(self) -> None:
        await self._endpoint.close()

    def _reading(self, body: bytes) -> Reading:
        return Reading(checked(self.terms.fields, self._values_in(body)), bytes=len(body))
