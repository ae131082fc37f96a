"""Tag filters: what they match, what is refused and where, and equality as a value."""

from collections.abc import Mapping
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.kernel import filters
from vagus.kernel.filters import FilterError, FilterNode, compile_filter


def leaf(cmp: str, *, val: str = "", vals: tuple[str, ...] = (), key: str = "k") -> FilterNode:
    return FilterNode(key=key, cmp=cmp, val=val, vals=vals)


def nested(depth: int) -> FilterNode:
    node = leaf("ex")
    for _ in range(depth - 1):
        node = FilterNode(op="not", nodes=(node,))
    return node


PRESENT = leaf("ex")
ABSENT = leaf("nex")


@pytest.mark.parametrize(
    ("node", "tag", "expected"),
    [
        (leaf("eq", val="a"), "a", True),
        (leaf("eq", val="a"), "b", False),
        (leaf("eq", val="a"), None, False),
        (leaf("neq", val="a"), "b", True),
        (leaf("neq", val="a"), "a", False),
        (leaf("neq", val="a"), None, True),
        (leaf("in", vals=("a", "b")), "b", True),
        (leaf("in", vals=("a", "b")), "c", False),
        (leaf("in", vals=("a", "b")), None, False),
        (leaf("in", vals=("",)), None, True),
        (leaf("nin", vals=("a", "b")), "c", True),
        (leaf("nin", vals=("a", "b")), "a", False),
        (leaf("nin", vals=("a", "b")), None, True),
        (leaf("nin", vals=("",)), None, False),
        (PRESENT, "", True),
        (PRESENT, None, False),
        (ABSENT, "", False),
        (ABSENT, None, True),
        (leaf("sw", val="ab"), "abc", True),
        (leaf("sw", val="ab"), "cab", False),
        (leaf("sw", val="ab"), None, False),
        (leaf("ew", val="bc"), "abc", True),
        (leaf("ew", val="bc"), "bca", False),
        (leaf("ew", val="bc"), None, False),
        (leaf("ct", val="b"), "abc", True),
        (leaf("ct", val="b"), "ac", False),
        (leaf("ct", val="b"), None, False),
    ],
)
def test_a_text_comparison_decides_as_centrifugo_does(node: FilterNode, tag: str | None, expected: bool) -> None:
    assert compile_filter(node).matches({} if tag is None else {"k": tag}) is expected


@pytest.mark.parametrize(
    ("cmp", "tag", "operand", "expected"),
    [
        ("lt", "9", "10", True),
        ("lt", "10", "10.0", False),
        ("lte", "10", "10.0", True),
        ("lte", "10.1", "10", False),
        ("gt", "100", "42", True),
        ("gt", "-1", "+1", False),
        ("gte", "42", "42", True),
        ("gte", "41.99999999", "42", False),
        ("gt", "9007199254740993", "9007199254740992", True),
        ("gt", "0.0000000000000000002", "0.0000000000000000001", True),
    ],
)
def test_numbers_are_compared_by_their_exact_value(cmp: str, tag: str, operand: str, expected: bool) -> None:
    assert compile_filter(leaf(cmp, val=operand)).matches({"k": tag}) is expected


@pytest.mark.parametrize("cmp", ["lt", "lte", "gt", "gte"])
@pytest.mark.parametrize(
    "text", ["", "x", "1e3", " 1", "1 ", "1.", ".5", "--1", "NaN", "Infinity", "1_0", "\u0661", "0" * 201]
)
def test_what_is_no_number_never_matches_an_ordering(cmp: str, text: str) -> None:
    assert not compile_filter(leaf(cmp, val="1")).matches({"k": text})
    if text:
        assert not compile_filter(leaf(cmp, val=text)).matches({"k": "1"})


def test_an_ordering_never_matches_a_missing_tag() -> None:
    assert not compile_filter(leaf("gt", val="-5")).matches({})


@pytest.mark.parametrize(
    ("op", "nodes", "expected"),
    [
        ("and", (PRESENT, PRESENT), True),
        ("and", (PRESENT, ABSENT), False),
        ("or", (ABSENT, PRESENT), True),
        ("or", (ABSENT, ABSENT), False),
        ("not", (ABSENT,), True),
        ("not", (PRESENT,), False),
    ],
)
def test_branches_join_their_nodes(op: str, nodes: tuple[FilterNode, ...], expected: bool) -> None:
    assert compile_filter(FilterNode(op=op, nodes=nodes)).matches({"k": "v"}) is expected


@pytest.mark.parametrize(
    ("node", "path"),
    [
        (FilterNode(), "cmp"),
        (leaf("like", val="a"), "cmp"),
        (FilterNode(op="xor", nodes=(PRESENT,)), "op"),
        (leaf("eq", val="a", key=""), "key"),
        (leaf("ex", key=""), "key"),
        (leaf("ex", key="k" * 256), "key"),
        (leaf("eq"), "val"),
        (leaf("eq", val="v" * 1025), "val"),
        (leaf("eq", val="a", vals=("b",)), "vals"),
        (leaf("in"), "vals"),
        (leaf("in", val="a", vals=("b",)), "val"),
        (leaf("in", vals=("a",) * 129), "vals"),
        (leaf("in", vals=("a", "v" * 1025)), "vals[1]"),
        (leaf("ex", val="a"), "val"),
        (leaf("nex", vals=("a",)), "vals"),
        (FilterNode(key="k", cmp="ex", nodes=(PRESENT,)), "nodes"),
        (FilterNode(op="and"), "nodes"),
        (FilterNode(op="or"), "nodes"),
        (FilterNode(op="not"), "nodes"),
        (FilterNode(op="not", nodes=(PRESENT, PRESENT)), "nodes"),
        (FilterNode(op="and", key="k", nodes=(PRESENT,)), "key"),
        (FilterNode(op="and", cmp="ex", nodes=(PRESENT,)), "cmp"),
        (FilterNode(op="and", val="v", nodes=(PRESENT,)), "val"),
        (FilterNode(op="and", vals=("v",), nodes=(PRESENT,)), "vals"),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_a_faulty_node_is_refused_with_its_path(node: FilterNode, path: str, inside: bool) -> None:
    tree = FilterNode(op="and", nodes=(PRESENT, FilterNode(op="or", nodes=(node,)))) if inside else node
    with pytest.raises(FilterError) as caught:
        compile_filter(tree)
    assert caught.value.path == ("nodes[1].nodes[0]." if inside else "") + path
    assert str(caught.value) == f"{caught.value.path}: {caught.value.reason}"


def test_a_filter_at_every_limit_is_accepted() -> None:
    longest = leaf("in", vals=("v" * filters.VAL_LENGTH,) * filters.VALS_LIMIT, key="k" * filters.KEY_LENGTH)
    widest = FilterNode(op="and", nodes=(longest,) * (filters.NODE_LIMIT - 1))
    assert not compile_filter(widest).matches({})
    assert compile_filter(nested(filters.DEPTH_LIMIT)).matches({})


def test_too_many_nodes_are_refused() -> None:
    with pytest.raises(FilterError, match=r"^nodes\[63\]\.op: .* 64 nodes"):
        compile_filter(FilterNode(op="or", nodes=(PRESENT,) * filters.NODE_LIMIT))


def test_too_deep_nesting_is_refused() -> None:
    with pytest.raises(FilterError, match=r"8 deep$"):
        compile_filter(nested(filters.DEPTH_LIMIT + 1))


def test_equal_filters_are_one_key() -> None:
    first, second = compile_filter(leaf("eq", val="a")), compile_filter(leaf("eq", val="a"))
    other = compile_filter(leaf("eq", val="b"))
    assert first == second != other
    assert {first: 1, other: 2}[second] == 1


def test_a_node_reads_from_the_wire_and_writes_without_defaults() -> None:
    text = b'{"op":"not","nodes":[{"key":"k","cmp":"in","vals":["a"]}]}'
    node = msgspec.json.decode(text, type=FilterNode)
    assert node == FilterNode(op="not", nodes=(leaf("in", vals=("a",)),))
    assert msgspec.json.encode(node) == text


texts = st.sampled_from(["", "a", "b", "ab", "ba", "1", "1.0", "-2", "10", "9.75", "1e1"])
values = texts.filter(bool)
keys = st.sampled_from(["k", "l"])
one_value = ["eq", "neq", "sw", "ew", "ct", "lt", "lte", "gt", "gte"]
leaves = st.one_of(
    st.builds(FilterNode, key=keys, cmp=st.sampled_from(one_value), val=values),
    st.builds(
        FilterNode,
        key=keys,
        cmp=st.sampled_from(["in", "nin"]),
        vals=st.lists(texts, min_size=1, max_size=3).map(tuple),
    ),
    st.builds(FilterNode, key=keys, cmp=st.sampled_from(["ex", "nex"])),
)


def branches(children: st.SearchStrategy[FilterNode]) -> st.SearchStrategy[FilterNode]:
    some = st.lists(children, min_size=1, max_size=3).map(tuple)
    alone = children.map(lambda node: (node,))
    joined = st.builds(FilterNode, op=st.sampled_from(["and", "or"]), nodes=some)
    return joined | st.builds(FilterNode, op=st.just("not"), nodes=alone)


def shallow(node: FilterNode) -> int:
    return 1 + max(map(shallow, node.nodes), default=0)


trees = st.recursive(leaves, branches, max_leaves=12).filter(lambda node: shallow(node) <= filters.DEPTH_LIMIT)


def fraction(text: str | None) -> Fraction | None:
    return None if text is None or "e" in text or not text.strip("ab") else Fraction(text)


def decide(node: FilterNode, tags: Mapping[str, str]) -> bool:
    """The rules read off the protocol's table, slowly and with nothing shared with the code under test."""
    if node.op:
        results = [decide(child, tags) for child in node.nodes]
        return {"and": all(results), "or": any(results), "not": not results[0]}[node.op]
    tag = tags.get(node.key)
    number, operand = (fraction(tag), fraction(node.val)) if node.cmp[0] in "lg" else (None, None)
    order = 0 if number is None or operand is None else (number > operand) - (number < operand)
    comparable = number is not None and operand is not None
    return {
        "eq": tag is not None and tag == node.val,
        "neq": tag is None or tag != node.val,
        "in": (tag or "") in node.vals,
        "nin": (tag or "") not in node.vals,
        "ex": tag is not None,
        "nex": tag is None,
        "sw": tag is not None and tag[: len(node.val)] == node.val,
        "ew": tag is not None and len(tag) >= len(node.val) and tag[len(tag) - len(node.val) :] == node.val,
        "ct": tag is not None and tag.find(node.val) >= 0,
        "lt": comparable and order < 0,
        "lte": comparable and order <= 0,
        "gt": comparable and order > 0,
        "gte": comparable and order >= 0,
    }[node.cmp]


@given(trees, st.dictionaries(keys, texts))
def test_a_compiled_filter_decides_like_a_naive_interpreter(node: FilterNode, tags: dict[str, str]) -> None:
    assert compile_filter(node).matches(tags) is decide(node, tags)
