import pytest

from vagus.broker.redis.slots import Range, View, ranges_from, slot_of, target_from, view_from
from vagus.kernel.errors import BrokerError


@pytest.mark.parametrize(
    ("key", "slot"),
    [
        (b"", 0),
        (b"123456789", 0x31C3),
        (b"foo", 12182),
        (b"{foo}", 12182),
        (b"a{foo}b{bar}", 12182),
        (b"{foo", slot_of(b"{foo")),
    ],
)
def test_slots_are_those_of_redis(key: bytes, slot: int) -> None:
    assert slot_of(key) == slot


def test_an_empty_tag_is_no_tag() -> None:
    assert slot_of(b"{}foo") != slot_of(b"foo")
    assert slot_of(b"{}{foo}") != slot_of(b"foo")


def test_masters_are_read_and_replicas_are_not() -> None:
    answer = [
        [0, 99, [b"10.0.0.1", 7000, b"id", []], [b"10.0.0.2", 7001, b"id", []]],
        [100, 16383, [b"h", 7002, b"id"]],
    ]
    assert ranges_from(answer, "seed") == [Range(0, 99, ("10.0.0.1", 7000)), Range(100, 16383, ("h", 7002))]


@pytest.mark.parametrize("unknown", [b"", b"?", None])
def test_a_node_that_does_not_know_its_address_is_where_it_was_asked(unknown: bytes | None) -> None:
    assert ranges_from([[0, 16383, [unknown, 7000, b"id"]]], "seed") == [Range(0, 16383, ("seed", 7000))]


@pytest.mark.parametrize("answer", [None, 1, [1], [[0, 1]], [[0, 1, []]], [[0, 1, [1, 2]]], [[0, 16384, [b"h", 1]]]])
def test_what_is_no_list_of_slots_is_an_error(answer: object) -> None:
    with pytest.raises(BrokerError, match="unknown way"):
        ranges_from(answer, "seed")


@pytest.mark.parametrize(
    ("detail", "target"),
    [
        ("3999 127.0.0.1:6381", ("127.0.0.1", 6381)),
        ("3999 :6381", ("seed", 6381)),
        ("3999 cache.example.org:6381", ("cache.example.org", 6381)),
        ("3999 ::1:6381", ("::1", 6381)),
        ("3999", None),
        ("", None),
        ("3999 host:port", None),
    ],
)
def test_redirections_name_an_address(detail: str, target: tuple[str, int] | None) -> None:
    assert target_from(detail, "seed") == target


def test_a_view_tells_how_far_its_node_is() -> None:
    slots = [[0, 16383, [None, 7000, b"id"]]]
    facts = b"cluster_state:ok\r\ncluster_slots_ok:16384\r\ncluster_current_epoch:7\r\n"
    ranges = [Range(0, 16383, ("::1", 7000))]
    assert view_from(facts, slots, "[::1]:7000") == View("[::1]:7000", ranges, 7, True)
    assert view_from(b"cluster_state:fail\r\n", slots, "[::1]:7000") == View("[::1]:7000", ranges, 0, False)
