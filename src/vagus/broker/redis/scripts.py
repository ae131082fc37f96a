"""What happens in Redis at once: the Lua scripts beside this file, read when this module is imported.

Each begins with what it does, its keys, its arguments and its result. They use what Redis 6.2 has and Valkey too.
"""

import hashlib
from importlib import resources
from typing import Final

from . import Script


def _script(name: str) -> Script:
    text = resources.files(__package__).joinpath("lua", f"{name}.lua").read_text("utf-8")
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


PUBLISH: Final = _script("publish")
SEND: Final = _script("send")
PAGE: Final = _script("page")
RENEW: Final = _script("renew")
ENTER: Final = _script("enter")
EXIT: Final = _script("exit")
EVICT: Final = _script("evict")
BEAT: Final = _script("beat")
BURY: Final = _script("bury")
ASK: Final = _script("ask")

ALL: Final = (PUBLISH, SEND, PAGE, RENEW, ENTER, EXIT, EVICT, BEAT, BURY, ASK)
