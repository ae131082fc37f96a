"""Tag filters: which publications of a channel a subscription wants, by the publications' tags.

A client sends a tree of ``FilterNode``; ``compile_filter`` checks it once and makes a ``Filter``, a value that the
hub can group subscriptions by. It decides as Centrifugo does:

* a tag that is missing is unlike any value: ``neq``, ``nin`` and ``nex`` match, all others do not. Only ``in`` and
  ``nin`` read it as the empty string, so a list that holds ``""`` contains the missing tag;
* ``lt lte gt gte`` compare decimal numbers exactly (sign, digits, at most 19 digits after the point, no exponent);
  where the tag or the operand is no such number there is no match.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import msgspec

__all__ = ["Filter", "FilterError", "FilterNode", "compile_filter"]

DEPTH_LIMIT: Final = 8
NODE_LIMIT: Final = 64
VALS_LIMIT: Final = 128
KEY_LENGTH: Final = 255
VAL_LENGTH: Final = 1024

Matches = Callable[[Mapping[str, str]], bool]

_BRANCHES: Final = ("and", "or", "not")
_ORDERINGS: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}
_ONE_VALUE: Final = frozenset({"eq", "neq", "sw", "ew", "ct", *_ORDERINGS})
_MANY_VALUES: Final = frozenset({"in", "nin"})
_NO_VALUE: Final = frozenset({"ex", "nex"})
_COMPARISONS: Final = _ONE_VALUE | _MANY_VALUES | _NO_VALUE

_DECIMAL: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]{1,19})?")
_DECIMAL_LENGTH: Final = 200
"""Longest number that is read; comparing two of this length is still quick."""


class FilterNode(msgspec.Struct, frozen=True, omit_defaults=True, cache_hash=True):
    """A node as it is on the wire, unchecked.

    A leaf (``op`` empty) compares the tag ``key`` by ``cmp`` with ``val``, or with ``vals`` for ``in`` and ``nin``.
    ``and``, ``or`` and ``not`` join ``nodes``.
    """

    op: str = ""
    key: str = ""
    cmp: str = ""
    val: str = ""
    vals: tuple[str, ...] = ()
    nodes: tuple["FilterNode", ...] = ()


class FilterError(ValueError):
    """A filter that makes no sense or is too big. The message starts with the path, such as ``nodes[1].cmp``."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Filter:
    """A checked filter. Filters of equal nodes are equal and hash alike, so that one decision serves them all."""

    node: FilterNode
    matches: Matches = field(compare=False, repr=False)
    """``matches(tags)``: does a publication with these tags pass? Never raises."""


def compile_filter(node: FilterNode) -> Filter:
    """Check ``node`` and all below it, and make the filter. Raises ``FilterError`` for the first fault found."""
    _check(node, path="", depth=1, seen=0)
    return Filter(node, _matches(node))


def _check(node: FilterNode, *, path: str, depth: int, seen: int) -> int:
    """Check a subtree, ``seen`` nodes having been checked before; returns how many have been then."""
    if seen >= NODE_LIMIT:
        raise FilterError(f"{path}op", f"a filter has at most {NODE_LIMIT} nodes")
    if depth > DEPTH_LIMIT:
        raise FilterError(f"{path}op", f"nodes are nested at most {DEPTH_LIMIT} deep")
    seen += 1
    if not node.op:
        _check_leaf(node, path)
        return seen
    _check_branch(node, path)
    for index, child in enumerate(node.nodes):
        seen = _check(child, path=f"{path}nodes[{index}].", depth=depth + 1, seen=seen)
    return seen


def _check_branch(node: FilterNode, path: str) -> None:
    if node.op not in _BRANCHES:
        raise FilterError(f"{path}op", "is none of and, or, not")
    for name in ("key", "cmp", "val", "vals"):
        if getattr(node, name):
            raise FilterError(f"{path}{name}", f"has no meaning beside op {node.op}")
    if not node.nodes:
        raise FilterError(f"{path}nodes", f"{node.op} needs at least one node")
    if node.op == "not" and len(node.nodes) != 1:
        raise FilterError(f"{path}nodes", "not needs exactly one node")


def _check_leaf(node: FilterNode, path: str) -> None:
    if node.cmp not in _COMPARISONS:
        raise FilterError(f"{path}cmp", "is no known comparison")
    if node.nodes:
        raise FilterError(f"{path}nodes", "needs an op to join them")
    if not 0 < len(node.key) <= KEY_LENGTH:
        raise FilterError(f"{path}key", f"needs 1 to {KEY_LENGTH} characters")
    _check_val(node, path)
    _check_vals(node, path)


def _check_val(node: FilterNode, path: str) -> None:
    if node.cmp not in _ONE_VALUE:
        if node.val:
            raise FilterError(f"{path}val", f"has no meaning for {node.cmp}")
    elif not 0 < len(node.val) <= VAL_LENGTH:
        raise FilterError(f"{path}val", f"{node.cmp} needs 1 to {VAL_LENGTH} characters")


def _check_vals(node: FilterNode, path: str) -> None:
    if node.cmp not in _MANY_VALUES:
        if node.vals:
            raise FilterError(f"{path}vals", f"has no meaning for {node.cmp}")
        return
    if not 0 < len(node.vals) <= VALS_LIMIT:
        raise FilterError(f"{path}vals", f"{node.cmp} needs 1 to {VALS_LIMIT} values")
    for index, val in enumerate(node.vals):
        if len(val) > VAL_LENGTH:
            raise FilterError(f"{path}vals[{index}]", f"has more than {VAL_LENGTH} characters")


def _matches(node: FilterNode) -> Matches:
    """The closure of a checked node. Leaves are made with few names and no test of ``cmp`` left in them."""
    match node.op:
        case "and":
            return _all_of(tuple(map(_matches, node.nodes)))
        case "or":
            return _any_of(tuple(map(_matches, node.nodes)))
        case "not":
            inner = _matches(node.nodes[0])
            return lambda tags: not inner(tags)
    return _leaf(node.key, node.cmp, node.val, frozenset(node.vals))


def _all_of(parts: tuple[Matches, ...]) -> Matches:
    def matches(tags: Mapping[str, str]) -> bool:
        for part in parts:  # a generator for all() would double the time
            if not part(tags):
                return False
        return True

    return matches


def _any_of(parts: tuple[Matches, ...]) -> Matches:
    def matches(tags: Mapping[str, str]) -> bool:
        for part in parts:  # a generator for any() would double the time
            if part(tags):
                return True
        return False

    return matches


def _leaf(key: str, cmp: str, val: str, vals: frozenset[str]) -> Matches:
    """``val`` is not empty, so that reading a missing tag as the empty string cannot make it match."""
    match cmp:
        case "eq":
            return lambda tags: tags.get(key) == val
        case "neq":
            return lambda tags: tags.get(key) != val
        case "in":
            return lambda tags: tags.get(key, "") in vals
        case "nin":
            return lambda tags: tags.get(key, "") not in vals
        case "ex":
            return lambda tags: key in tags
        case "nex":
            return lambda tags: key not in tags
        case "sw":
            return lambda tags: tags.get(key, "").startswith(val)
        case "ew":
            return lambda tags: tags.get(key, "").endswith(val)
        case "ct":
            return lambda tags: val in tags.get(key, "")
    return _ordering(key, _ORDERINGS[cmp], _number(val))


def _ordering(key: str, holds: Callable[[Decimal, Decimal], bool], operand: Decimal | None) -> Matches:
    if operand is None:
        return lambda tags: False

    def matches(tags: Mapping[str, str]) -> bool:
        number = _number(tags.get(key, ""))
        return number is not None and holds(number, operand)

    return matches


def _number(text: str) -> Decimal | None:
    """The number that ``text`` is, or none. ``Decimal`` alone would take exponents, blanks, NaN and infinities."""
    if len(text) > _DECIMAL_LENGTH or _DECIMAL.fullmatch(text) is None:
        return None
    return Decimal(text)
