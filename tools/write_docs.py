"""Writes the pages of docs/ that are made from the source: settings.md and codes.md.

    python tools/write_docs.py            writes them
    python tools/write_docs.py --check    fails, naming the page, if one is not what the source says now

A code without a meaning below, or a meaning without a code, is a ``KeyError`` here: a new code needs its words.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from vagus.cli.configuration import markdown
from vagus.kernel import codes
from vagus.kernel.codes import Closure, Ending, Fault

FOLDER: Final = Path(__file__).parents[1] / "docs"
MADE: Final = "<!-- Made by tools/write_docs.py: change the source that it reads, not this page. -->\n"
NEVER: Final = "This version never sends it; it keeps its number."

_NAMES: Final = {id(value): name for name, value in vars(codes).items() if isinstance(value, Fault | Ending | Closure)}

MEANINGS: Final = {
    # errors
    "INTERNAL": "A function of the application raised or took too long, keys could not be fetched, or Vagus has a bug. "
    "The server's log says which.",
    "UNAUTHORIZED": NEVER,
    "UNKNOWN_CHANNEL": "No channel rule matches the name, or a place's type does not fit it.",
    "PERMISSION_DENIED": "The rule, a function or a scope says no; or a private channel was asked for without a token.",
    "METHOD_NOT_FOUND": "No call of that name is registered.",
    "ALREADY_SUBSCRIBED": "This connection follows the channel already, perhaps because the server subscribed it.",
    "LIMIT_EXCEEDED": "The client has `limits.channels` subscriptions.",
    "BAD_REQUEST": "The command makes no sense; the message often says what is wrong.",
    "NOT_AVAILABLE": "The channel's rule does not have it (history, presence), or it is a "
    "kind of subscription that Vagus does not have (map, shared poll).",
    "TOKEN_EXPIRED": "The token is past its time, or not valid yet. Client libraries ask for a new one.",
    "EXPIRED": NEVER,
    "TOO_MANY_REQUESTS": "More commands than `limits.commands` or `limits.commands_per_user` allow.",
    "UNRECOVERABLE_POSITION": "What was missed is not all there any more, or the position names an epoch that is over.",
    "CONCURRENT_PAGINATION": NEVER,
    "UNAVAILABLE": "The broker (Redis, for instance) cannot do it now, and it may or may not have done it. Ask again; "
    "a publication with an idempotency key is then made once.",
    # endings
    "UNSUBSCRIBED": "The server unsubscribed the client: `hub.unsubscribe` or `/api/unsubscribe`.",
    "INSUFFICIENT": "A publication was lost on its way to this node. The client recovers it.",
    "SUBSCRIPTION_EXPIRED": "The subscription's time is over and no new token came. The library asks for one.",
    "INVALIDATED": NEVER,
    # closures
    "CONNECTION_CLOSED": "The client went, or its network did. Only hooks and metrics see this one.",
    "SHUTDOWN": "The server stops or restarts.",
    "SERVER_ERROR": NEVER,
    "CONNECTION_EXPIRED": "The connection's time is over and no new token came.",
    "CLOSED_BY_SUBSCRIPTION": "A subscription that the server had made has expired.",
    "SLOW": "The client read too slowly and its queue was full. The connection is cut without a close frame, since "
    "nothing gets through: the client sees 1006, hooks and metrics see this.",
    "WRITE_ERROR": NEVER,
    "INSUFFICIENT_STATE": "A publication of a subscription that the server had made was lost on its way here, or "
    "a new token names other channels. The client recovers.",
    "FORCE_RECONNECT": NEVER,
    "NO_PONG": "The client did not answer a ping within `limits.pong_timeout_s`: its network is gone, or it hangs.",
    "TOO_MANY": "The client sent far more commands than can wait for an answer.",
    "STATE_INVALIDATED": NEVER,
    "INVALID_TOKEN": "The token is not believed, or is another user's or channel's. `vagus token check` says why.",
    "MALFORMED": "The client broke the protocol, or connected without any token where one is needed.",
    "STALE": "The client did not say who it is within `limits.stale_s`.",
    "FORCE_DISCONNECT": "The server closed it: `hub.disconnect` or `/api/disconnect`.",
    "CONNECTION_LIMIT": "A bound on connections of the node, the user or the address is reached.",
    "CHANNEL_LIMIT": "The token or the application subscribes the client to more than `limits.channels` channels.",
    "INAPPROPRIATE_PROTOCOL": NEVER,
    "CONNECTION_DENIED": NEVER,
    "CONNECTION_NOT_AVAILABLE": NEVER,
    "TOO_MANY_ERRORS": NEVER,
}

_HEAD: Final = """\
# Codes

Every number that a client can be told. Client libraries act on the ranges, so a number never changes its meaning.

| range | what it is | what a client does |
| --- | --- | --- |
| 100-399 | error, ours | depends on the code, below |
| 400-1999 | error, the application's: `RefusedError.because(404, "no such order")` | whatever you make of it |
| 2000-2499 | end of a subscription | stays unsubscribed |
| 2500-2999 | end of a subscription | subscribes again, and recovers |
| 3000-3499 | connection closed | reconnects, and recovers |
| 3500-3999 | connection closed | stays away until it is told to connect |
| 4000-4499 | connection closed, the application's: `DisconnectError.because(4001, "moved")` | reconnects |
| 4500-4999 | connection closed, the application's | stays away |

A browser's console may also show codes of WebSocket itself: 1000 and 1001 are a page that went, 1002 and 1007 broken
frames, 1006 a connection that broke without a goodbye, 1009 a message above `limits.message_bytes`. Numbers below 100
are the client library's own and never come from the server.
"""


def codes_page() -> str:
    """The tables of errors, endings and closures."""
    unknown = MEANINGS.keys() - _NAMES.values()
    if unknown:
        raise KeyError(f"no such code: {', '.join(sorted(unknown))}")
    faults = [_row(fault, fault.message, "yes" if fault.temporary else "no") for fault in codes.FAULTS]
    endings = [_row(end, end.reason, "subscribes again" if end.resubscribes else "stays out") for end in codes.ENDINGS]
    closures = [_row(end, end.reason, "reconnects" if end.reconnects else "stays away") for end in codes.CLOSURES]
    return f"""{MADE}
{_HEAD}
## Errors

The answer to one command; the connection goes on. Temporary: the same may succeed later.

{_table("code", "message", "temporary", "when", rows=faults)}

## Ends of a subscription

The connection goes on.

{_table("code", "reason", "client", "when", rows=endings)}

## Closures

The end of the connection.

{_table("code", "reason", "client", "when", rows=closures)}
"""


def _row(code: Fault | Ending | Closure, *cells: str) -> str:
    return f"| {' | '.join([str(code.code), *cells, MEANINGS[_NAMES[id(code)]]])} |"


def _table(*columns: str, rows: list[str]) -> str:
    return "\n".join([f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}", *rows])


def settings_page() -> str:
    """What ``vagus config-doc`` prints."""
    return f"{MADE}\n{markdown().rstrip()}\n"


PAGES: Final[dict[str, Callable[[], str]]] = {"settings.md": settings_page, "codes.md": codes_page}


def stale_pages(folder: Path = FOLDER) -> list[str]:
    """Pages that are missing or differ from what would be written now."""
    return [name for name, page in PAGES.items() if not _is_fresh(folder / name, page())]


def _is_fresh(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text("utf-8") == text


def main(arguments: list[str]) -> int:
    """Write the pages, or check them; returns the exit code."""
    if arguments == ["--check"]:
        stale = stale_pages()
        for name in stale:
            print(f"docs/{name} is stale: run python tools/write_docs.py", file=sys.stderr)
        return 1 if stale else 0
    if arguments:
        print("usage: python tools/write_docs.py [--check]", file=sys.stderr)
        return 2
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), "utf-8")
        print(f"wrote docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
