"""What every table of settings is, and the types that many of them need."""

from typing import Annotated, Any, ClassVar

import msgspec

Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file. ``secrets`` names the fields whose values are masked when it is printed."""

    secrets: ClassVar[frozenset[str]] = frozenset()

    def __repr__(self) -> str:
        shown = (f"{name}={self._shown(name)}" for name in self.__struct_fields__)
        return f"{type(self).__name__}({', '.join(shown)})"

    def _shown(self, name: str) -> str:
        value: Any = getattr(self, name)
        return "'***'" if name in self.secrets and value else repr(value)
