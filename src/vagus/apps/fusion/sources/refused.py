"""A source that may not, or cannot, be what its settings say. It stands among the others and says why."""

from vagus.apps.fusion.values import Reading, Terms

from . import SourceError


class Refused:
    """See ``Source``. Asked for its values it never gives any."""

    def __init__(self, terms: Terms, why: str) -> None:
        self.terms = terms
        self._why = why

    async def collect(self) -> Reading:
        raise SourceError(self._why)

    async def close(self) -> None:
        pass
