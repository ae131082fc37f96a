"""Values in a JSON file, read again when it changed: numbers, texts, or a list as it is."""

from collections.abc import Sequence
from pathlib import Path

from vagus.apps.fusion.values import Reading, Terms, checked

from . import SourceError
from .fence import Fence
from .files import MAX_BYTES, ChangingFile, Looks, Stamp, content
from .picking import Pick, picked


class JsonFile:
    """See ``Source``. A file of more than ``max_bytes`` is refused."""

    def __init__(
        self,
        terms: Terms,
        path: Path,
        picks: Sequence[Pick],
        looks: Looks,
        *,
        max_bytes: int = MAX_BYTES,
        fence: Fence | None = None,
    ) -> None:
        self.terms = terms
        self._picks = tuple(picks)
        self._max_bytes = max_bytes
        self._file = ChangingFile(path, looks, fence)

    async def collect(self) -> Reading:
        return await self._file.when_changed(self._read)

    async def close(self) -> None:
        pass

    def _read(self, stamp: Stamp) -> Reading:
        body = content(self._file.path, self._max_bytes)
        try:
            values = checked(self.terms.fields, picked(self._picks, body))
        except ValueError as error:
            raise SourceError(f"{self._file.path}: {error}") from None
        return Reading(values, stamp.as_of, len(body))
