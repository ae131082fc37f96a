"""What is found in a document or a line without being told where: the forms in which such files are written.

It is used where a source names no path, and for the four sources that come ready. docs/fusion.md says the same in
words; what cannot be understood is a ``ValueError`` that says what was looked for.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Raw

from vagus.apps.fusion.kinds import moment

from .selecting import begins, elements, members

LISTS: Final = ("items", "entries", "memos", "recommendations", "documents", "records", "results", "rows", "list")
COUNTS: Final = ("count", "total", "length", "size", "totalCount", "memoCount", "totalMemos")
AMOUNTS: Final = ("mrr", "monthlyRecurringRevenue", "currentMrr", "totalMrr", "revenue", "total", "amount", "value")
WRAPPERS: Final = ("data", "snapshot", "summary", "metrics", "totals", "index", "payload", "current", "latest")

_DEPTH: Final = 4
_AMOUNT: Final = re.compile(r"[^\d+-]{0,4}([+-]?\d{1,3}(?:[ ,]\d{3})+(?:\.\d+)?|[+-]?\d+(?:\.\d+)?)\s?[^\d]{0,4}")

_TIME: Final = re.compile(
    r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z| ?[+-]\d\d:?\d\d)?(?![\d:])"
)
_SAID: Final = re.compile(r"""\bstatus["']?\s*[=:]\s*["']?([A-Za-z][A-Za-z_-]{0,31})""", re.IGNORECASE)
_WORD: Final = re.compile(r"[A-Za-z]+")
_WORDS: Final = {
    "ERROR": ("error", "failed", "failure", "fatal", "critical", "exception", "aborted"),
    "WARNING": ("warning", "warn"),
    "OK": ("ok", "success", "successful", "successfully", "succeeded", "complete", "completed", "done", "synced",
           "finished"),
    "RUNNING": ("running", "started", "starting", "syncing", "progress"),
}  # fmt: skip
_STATUS: Final = {word: status for status, words in _WORDS.items() for word in words}


def count_in(document: Raw) -> int | float:
    """How many: a list's length, a number, a number under one of ``COUNTS``, the length of a list under ``LISTS`` or of

    the only list there is, or the members of an object of objects.
    """
    found = _count_in(document, _DEPTH)
    if found is None:
        raise ValueError("there is nothing to count: neither a list nor a number such as count or total")
    return found


def _count_in(document: Raw, depth: int) -> int | float | None:
    if begins(document, b"["):
        return len(elements(document))
    if not begins(document, b"{"):
        return _number(document)
    table = _folded(document)
    listed = _list_among(table)
    if listed is not None:
        return len(elements(listed))
    for name in COUNTS:
        found = _number(table.get(_fold(name)))
        if found is not None:
            return found
    if depth:
        for wrapped in _wrapped(table, LISTS):
            found = _count_in(wrapped, depth - 1)
            if found is not None:
                return found
    if all(begins(member, b"{") for member in table.values()):
        return len(members(document))  # an index by id; of an empty object, none
    return None


def amount_in(document: Raw) -> int | float:
    """A number, also as text with a currency; or that under one of ``AMOUNTS``; of a list, that of its last element."""
    found = _amount_in(document, _DEPTH)
    if found is None:
        raise ValueError("there is no number under a name such as mrr, revenue, total or amount")
    return found


def _amount_in(document: Raw, depth: int) -> int | float | None:
    if begins(document, b"["):
        listed = elements(document)
        return _amount_in(listed[-1], depth - 1) if listed and depth else None
    if not begins(document, b"{"):
        return _number(document)
    table = _folded(document)
    for name in AMOUNTS:
        member = table.get(_fold(name))
        if member is not None and depth:
            found = _amount_in(member, depth - 1)
            if found is not None:
                return found
    for wrapped in _wrapped(table, ()) if depth else ():
        found = _amount_in(wrapped, depth - 1)
        if found is not None:
            return found
    return None


def list_in(document: Raw) -> Raw:
    """The list itself, that under one of ``LISTS``, or the only one in the object."""
    found = _list_in(document, _DEPTH)
    if found is None:
        raise ValueError("there is no list in it, or several and none named items or the like")
    return found


def _list_in(document: Raw, depth: int) -> Raw | None:
    if begins(document, b"["):
        return document
    if not begins(document, b"{"):
        return None
    table = _folded(document)
    found = _list_among(table)
    for wrapped in _wrapped(table, ()) if found is None and depth else ():
        found = _list_in(wrapped, depth - 1)
        if found is not None:
            break
    return found


def _list_among(table: dict[str, Raw]) -> Raw | None:
    lists = {name: member for name, member in table.items() if begins(member, b"[")}
    for name in (*LISTS, *WRAPPERS):
        if _fold(name) in lists:
            return lists[_fold(name)]
    return next(iter(lists.values())) if len(lists) == 1 else None


def _wrapped(table: dict[str, Raw], more: Sequence[str]) -> list[Raw]:
    found = (table.get(_fold(name)) for name in (*WRAPPERS, *more))
    return [member for member in found if member is not None and begins(member, b"{")]


def _folded(document: Raw) -> dict[str, Raw]:
    """An object's members, their names without case, underscores and hyphens."""
    return {_fold(name): member for name, member in members(document).items()}


def _fold(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _number(node: Raw | None) -> int | float | None:
    if node is None:
        return None
    value = msgspec.json.decode(node) if not begins(node, b"{") and not begins(node, b"[") else None
    match value:
        case bool():
            return None
        case int() | float():
            return value
        case str() if len(value) <= 64 and (found := _AMOUNT.fullmatch(value.strip())):
            return float(found[1].replace(",", "").replace(" ", ""))
    return None


def sync_status(line: str) -> tuple[str, int | None] | None:
    """The status that a line of a log tells, in capitals, and its time; ``None`` for a line that tells none.

    ``status=…`` and ``"status": …`` count first, then words: of those of a failure, a warning, a success and of work
    under way the first kind that is there.
    """
    said = _SAID.search(line)
    if said is not None:
        status = _STATUS.get(said[1].lower(), said[1].upper())
    else:
        words = {_STATUS.get(word.lower()) for word in _WORD.findall(line)}
        status = next((known for known in _WORDS if known in words), "")
    return (status, time_in(line)) if status else None


def time_in(line: str) -> int | None:
    """The first date with a time in a line."""
    found = _TIME.search(line)
    if found is None:
        return None
    try:
        return moment(found[0].replace(" +", "+").replace(" -", "-"))
    except ValueError:
        return None
