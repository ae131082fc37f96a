"""Who may do something in a channel, as a list of words that a rule names.

``anyone`` everybody, also anonymous · ``user`` whoever has a name · ``subscriber`` whoever follows the channel ·
``@role`` whoever has that role, one of ours or the application's own. An empty list is nobody. Subscription tokens and
Python functions come on top: they admit to their one channel whatever the list says.
"""

import re
from collections.abc import Collection

from .errors import RuleError
from .identity import Identity, Role

Access = tuple[str, ...]

ANYONE = "anyone"
USER = "user"
SUBSCRIBER = "subscriber"
_WORDS = frozenset({ANYONE, USER, SUBSCRIBER})
_ROLE = re.compile(r"@[A-Za-z][A-Za-z0-9_.-]*")


def check_access(access: Collection[str], path: str) -> None:
    """Raises ``RuleError`` for a word that is none of ours: a typing mistake shall neither close nor open a channel."""
    for word in access:
        if word not in _WORDS and not _ROLE.fullmatch(word):
            raise RuleError(
                f"{path}: {word!r} is none of {', '.join(sorted(_WORDS))} and no role, such as '@{Role.ADMIN}'"
            )


def is_allowed(access: Access, identity: Identity, *, subscribed: bool = False) -> bool:
    for word in access:
        if word == ANYONE or (word == USER and identity.user) or (word == SUBSCRIBER and subscribed):
            return True
        if word[0] == "@" and word[1:] in identity.roles:
            return True
    return False
