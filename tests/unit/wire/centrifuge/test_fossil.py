"""The Fossil delta format: round trips, UTF-8 kept whole, sizes, and refusal of every malformed patch."""

import json
import random
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vagus.wire.centrifuge import fossil
from vagus.wire.centrifuge.fossil import DeltaError

LIMIT_OF_OVERHEAD = 24


def words_summed(data: bytes) -> int:
    """The checksum as the format defines it."""
    padded = data + bytes(-len(data) % 4)
    words: tuple[int, ...] = struct.unpack(f">{len(padded) // 4}I", padded)
    return sum(words) % 2**32


def digits(value: int) -> bytes:
    alphabet = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"
    text = b""
    while True:
        text = alphabet[value % 64 : value % 64 + 1] + text
        value //= 64
        if value == 0:
            return text


def patch(operations: bytes, target: bytes) -> bytes:
    return digits(len(target)) + b"\n" + operations + digits(words_summed(target)) + b";"


def records(count: int, seed: int = 1) -> list[dict[str, object]]:
    source = random.Random(seed)
    names = ["Łódź", "München", "Paris", "東京", "🛰 orbit"]
    return [
        {"id": number, "site": source.choice(names), "unit": "celsius", "value": round(source.uniform(1, 99), 2)}
        for number in range(count)
    ]


def as_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def round_trip(base: bytes, target: bytes) -> bytes:
    delta = fossil.create(base, target)
    assert fossil.apply(base, delta) == target
    assert len(delta) <= len(target) + LIMIT_OF_OVERHEAD
    return delta


small_binary = st.binary(max_size=200)
repetitive = st.lists(st.sampled_from([b"a", b"ab", b"aab", bytes(9), b"\x80\x80", b'{"k":1},'])).map(b"".join)
characters = st.characters(exclude_categories=["Cs"])
words = st.sampled_from(["temperature", "größe", "東京", "🛰🛰", "é", "ok", "1234567890", '","value":'])
unicode_texts = st.lists(st.one_of(words, st.text(characters, max_size=5)), max_size=40).map("".join)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(characters, max_size=12),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(characters, max_size=6), inner, max_size=6),
    max_leaves=40,
)


@st.composite
def edited(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A JSON text and the same with a few spans replaced, removed, doubled or moved, cut where it may hurt."""
    base = as_json([draw(json_values), records(draw(st.integers(0, 12)))])
    target = base
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(target)))
        end = draw(st.integers(start, min(len(target), start + 60)))
        middle = draw(st.sampled_from([b"", target[start:end] * 2, base[end : end + 40], b"42.5"]))
        target = target[:start] + middle + target[end:]
    return base, target


@given(small_binary, small_binary)
@example(b"", b"")
@example(b"", b"new")
@example(b"old", b"")
def test_any_two_payloads_round_trip(base: bytes, target: bytes) -> None:
    round_trip(base, target)


@given(repetitive, repetitive)
def test_repetitive_payloads_round_trip(base: bytes, target: bytes) -> None:
    round_trip(base, target)


@given(edited())
def test_an_edited_document_round_trips(pair: tuple[bytes, bytes]) -> None:
    round_trip(*pair)


@given(unicode_texts, unicode_texts, unicode_texts)
@example("é" * 20, "è" * 20, "")
@example("🛰" * 20, "🛱" * 20, "🛰" * 20)
@example("xxxxxxxxxxxxxxxxxxxx€", "xxxxxxxxxxxxxxxxxxxx₭", "€xxxxxxxxxxxxxxxxxxxxxxxxxxxx")
def test_a_patch_of_texts_is_a_text(first: str, second: str, third: str) -> None:
    base, target = (first + second + third).encode(), (second + third + first).encode()
    round_trip(base, target).decode()
    round_trip(first.encode(), second.encode()).decode()


@given(st.binary(max_size=3000))
def test_the_checksum_is_the_sum_of_big_endian_words(data: bytes) -> None:
    assert fossil.create(b"", data).endswith(b"%b;" % digits(words_summed(data)))


def test_the_checksum_of_many_high_bytes_does_not_wrap_early() -> None:
    data = b"\xff" * 70_001
    assert fossil.create(b"", data).endswith(digits(words_summed(data)) + b";")


def test_a_patch_recorded_from_another_implementation_applies() -> None:
    base = b'{"%b":1,"%b":2}' % (b"a" * 35, b"b" * 26)
    assert fossil.apply(base, b"18\n16@0,2:3}23zdg5;") == base[:-2] + b"3}"


def test_equal_payloads_make_one_copy() -> None:
    payload = as_json(records(20))
    assert fossil.create(payload, payload) == patch(b"%b@0," % digits(len(payload)), payload)


def test_a_few_changed_numbers_make_a_small_patch() -> None:
    changed = records(200)
    for index in (3, 50, 51, 120, 199):
        changed[index]["value"] = index * 1.37
    assert len(round_trip(as_json(records(200)), as_json(changed))) < 150


def test_a_list_that_lost_its_head_and_grew_a_tail_makes_a_small_patch() -> None:
    window = records(101)
    assert len(round_trip(as_json(window[:-1]), as_json(window[1:]))) < 150


def test_records_in_another_order_are_found_again() -> None:
    shuffled = records(40)
    random.Random(2).shuffle(shuffled)
    base, target = as_json(records(40)), as_json(shuffled)
    assert len(round_trip(base, target)) < len(target) * 2 // 3


@pytest.mark.parametrize(
    ("base", "target"),
    [
        (b"a" * 65_536, b"a" * 65_535 + b"b"),
        (b"a" * 65_536, (b"a" * 50 + b"b") * 1285),
        ((b"a" * 13 + b"b") * 4681, b"a" * 65_536),
        (random.Random(1).randbytes(65_536), random.Random(2).randbytes(65_536)),
        ((b"a" * 20 + b"b") * 20_000, (b"a" * 14 + b"b") * 28_000),
        (b"\x80" * 65_536, b"\x80" * 30_000 + b"x" + b"\x80" * 30_000),
    ],
)
def test_hostile_payloads_round_trip_too(base: bytes, target: bytes) -> None:
    round_trip(base, target)


BASE = b"0123456789abcdef"


@pytest.mark.parametrize(
    "delta",
    [
        b"",
        b"4",
        b"\n",
        b"4;",
        b"-4\n",
        b"1000000\n4:abcd0;",
        b"zzzzzz\n4:abcd0;",
        b"4\n",
        b"4\n4",
        b"4\n4:abc",
        b"4\n4:abcd",
        b"4\n4:abcd!;",
        b"4\n4:abcd0;",
        b"4\n4@0",
        b"4\n4@0;",
        b"4\n4@,",
        b"4\n@0,",
        b"4\n4@D,",
        b"4\n4@zzzzz,",
        b"4\n5@0,",
        b"4\n2@0,3@0,",
        b"4\n4,",
        b"4\n4\n",
        b"4\n 4@0,",
        patch(b"3@0,", b"012")[1:].join([b"4", b""]),
        patch(b"4@0,", b"0123") + b" ",
        patch(b"4@1,", b"0123"),
        patch(b"4@0,", b"0123")[:-1],
    ],
)
def test_a_malformed_patch_is_refused(delta: bytes) -> None:
    with pytest.raises(DeltaError):
        fossil.apply(BASE, delta)


@given(st.binary(max_size=60) | st.text("0123@:,;\n", max_size=30).map(str.encode))
def test_whatever_is_applied_fails_only_with_a_delta_error(delta: bytes) -> None:
    try:
        target = fossil.apply(BASE, delta)
    except DeltaError:
        return
    assert digits(words_summed(target)) in delta


@given(edited(), st.data())
def test_a_cut_patch_is_refused(pair: tuple[bytes, bytes], data: st.DataObject) -> None:
    delta = fossil.create(*pair)
    with pytest.raises(DeltaError):
        fossil.apply(pair[0], delta[: data.draw(st.integers(0, len(delta) - 1))])


def test_a_patch_for_another_base_is_refused() -> None:
    delta = fossil.create(as_json(records(20)), as_json(records(21)))
    with pytest.raises(DeltaError, match="another base"):
        fossil.apply(as_json(records(20, seed=2)).ljust(5000), delta)


def test_a_patch_that_would_build_too_much_is_refused_before_it_does() -> None:
    bomb = b"~~~~~\n" + b"G@0," * 1000
    with pytest.raises(DeltaError, match="larger than"):
        fossil.apply(BASE, bomb)
    with pytest.raises(DeltaError, match="larger than"):
        fossil.apply(BASE, patch(b"G@0,", BASE), max_size=15)
    assert fossil.apply(BASE, patch(b"G@0,", BASE), max_size=16) == BASE
