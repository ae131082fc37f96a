import contextlib
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.broker.redis import parcels
from vagus.kernel.publications import ClientInfo, Draft, Json

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
JSON = st.binary(max_size=40).map(Json)
INFOS = st.builds(ClientInfo, TEXT, TEXT, JSON, JSON)
DRAFTS = st.builds(
    Draft,
    data=JSON,
    info=st.none() | INFOS,
    tags=st.none() | st.dictionaries(TEXT, TEXT, max_size=3),
    time=st.integers(0, 2**53),
    exclude=TEXT,
)


@given(DRAFTS)
def test_a_parcel_holds_all_that_is_kept_of_a_draft(draft: Draft) -> None:
    publication, exclude = parcels.unpacked(parcels.packed(draft), 7, "e")
    assert (publication.data, publication.info, publication.tags) == (draft.data, draft.info, draft.tags)
    assert (publication.time, publication.offset, exclude) == (draft.time, 7, draft.exclude)


@pytest.mark.parametrize(("offset", "epoch"), [(0, ""), (1, "e"), (2, "")])
def test_the_first_publication_of_a_stream_alone_carries_its_epoch(offset: int, epoch: str) -> None:
    publication, _ = parcels.unpacked(parcels.packed(Draft(data=Json(b"1"))), offset, "e")
    assert publication.epoch == epoch


def test_data_holds_on_to_nothing_but_itself() -> None:
    parcel = parcels.packed(Draft(data=Json(b"1"), tags={"filler": "x" * 100_000}))
    before = sys.getrefcount(parcel)
    publication, _ = parcels.unpacked(parcel, 0, "")
    assert sys.getrefcount(parcel) == before
    assert bytes(publication.data) == b"1"


def test_what_a_newer_version_adds_is_ignored() -> None:
    newer = msgspec.msgpack.encode([b"1", 5, "c1", {"a": "b"}, ["ada", "c2", b"", b"", "new"], "new", 7])
    publication, exclude = parcels.unpacked(newer, 3, "e")
    assert publication.info == ClientInfo("ada", "c2")
    assert (publication.time, exclude) == (5, "c1")


@given(INFOS)
def test_an_entry_holds_an_info_and_whose_it_is(info: ClientInfo) -> None:
    entry = parcels.packed_entry(info, "n1.0a")
    assert parcels.tenure_of(entry) == "n1.0a"
    assert parcels.unpacked_entry(entry) == info


def test_a_place_is_read_from_the_front_of_a_message() -> None:
    assert parcels.place_of(b"+12 0a1b 000000ff 0000000a\n\n\x90") == (12, "0a1b", 255, 10, 27)
    assert parcels.place_of(b"+12 0a1b 000000ff \n\n\x90") == (12, "0a1b", 255, None, 19)


@pytest.mark.parametrize(
    "message",
    [
        b"+",
        b"+\n",
        b"+1\n",
        b"+1 \n",
        b"+1 e\n",
        b"+1 e 1\n",
        b"+1 e  \n",
        b"+1 e x \n",
        b"+1 e 1 x\n",
        b"+1  1 1\n",
        b"+0 e 1 1\n",
        b"+-1 e 1 1\n",
        b"+a e 1 1\n",
        b"+1 \xff 1 1\n",
        b"+1 e 1 1 1\n",
    ],
)
def test_what_names_no_place_is_refused(message: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parcels.place_of(message)


@given(st.binary(max_size=60))
def test_garbage_is_refused_in_one_way(garbage: bytes) -> None:
    for read in (parcels.unpacked_info, parcels.unpacked_entry, lambda text: parcels.unpacked(text, 1, "e")):
        with contextlib.suppress(ValueError, msgspec.DecodeError):
            read(garbage)
