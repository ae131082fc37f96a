from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.kernel.errors import DisconnectError
from vagus.wire.signalr.records import (
    PrefixedRecords,
    Records,
    SeparatedRecords,
    count_prefixed,
    count_separated,
    prefixed,
    separated,
)

RECORDS = st.lists(st.binary(min_size=1, max_size=300).map(lambda record: record.replace(b"\x1e", b" ")), max_size=8)


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    return [stream[start:end] for start, end in pairwise(edges)]


def fed(records: Records, *chunks: bytes) -> list[bytes]:
    return [record for chunk in chunks for record in records.feed(chunk)]


@given(RECORDS, st.lists(st.integers(min_value=0), max_size=12))
def test_separated_records_are_found_however_the_stream_is_cut(records: list[bytes], places: list[int]) -> None:
    stream = b"".join(map(separated, records))
    assert fed(SeparatedRecords(1_000), *cut(stream, places)) == records


@given(RECORDS, st.lists(st.integers(min_value=0), max_size=12))
def test_prefixed_records_are_found_however_the_stream_is_cut(records: list[bytes], places: list[int]) -> None:
    stream = b"".join(prefixed(record) for record in records)
    assert fed(PrefixedRecords(1_000), *cut(stream, places)) == records


@given(RECORDS)
def test_whole_records_are_counted(records: list[bytes]) -> None:
    assert count_separated(b"".join(map(separated, records))) == len(records)
    assert count_prefixed(b"".join(map(prefixed, records))) == len(records)


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16_383, 16_384, 100_000])
def test_a_length_takes_seven_bits_a_byte(length: int) -> None:
    record = bytes(length)
    written = prefixed(record)
    assert len(written) - length == (1 if length < 1 << 7 else 2 if length < 1 << 14 else 3)
    assert fed(PrefixedRecords(100_000), written) == [record]


def test_a_record_that_is_too_large_is_refused_before_all_of_it_came() -> None:
    with pytest.raises(DisconnectError):
        fed(SeparatedRecords(100), b"a" * 60, b"a" * 60)
    with pytest.raises(DisconnectError):
        fed(PrefixedRecords(100), b"\x65")


def test_what_comes_before_a_record_that_is_too_large_is_given_out() -> None:
    feed = SeparatedRecords(10).feed(b"ok\x1e" + b"a" * 11 + b"\x1e")
    assert next(feed) == b"ok"
    with pytest.raises(DisconnectError):
        next(feed)


@pytest.mark.parametrize("prefix", [b"\x80\x80\x80\x80\x80", b"\xff\xff\xff\xff\xff\x01", b"\xff\xff\xff\xff\x0f"])
def test_a_length_of_more_than_five_bytes_or_beyond_the_bound_is_refused(prefix: bytes) -> None:
    with pytest.raises(DisconnectError):
        fed(PrefixedRecords(100), prefix)


def test_a_length_that_comes_in_pieces_is_read() -> None:
    records = PrefixedRecords(1_000)
    assert fed(records, *(bytes((byte,)) for byte in prefixed(b"a" * 200))) == [b"a" * 200]
