"""A roster against a dict that counts users anew each time."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from vagus.kernel.presence import Roster
from vagus.kernel.publications import ClientInfo
from vagus.kernel.replies import PresenceStatsResult

STEPS = st.lists(
    st.tuples(
        st.booleans(), st.sampled_from(["c1", "c2", "c3"]), st.sampled_from(["", "ada", "bob"]), st.integers(0, 9)
    )
)


@given(STEPS)
def test_a_roster_is_a_dict_that_counts_its_users(steps: list[tuple[bool, str, str, int]]) -> None:
    roster, model = Roster(), dict[str, ClientInfo]()
    for enters, client, user, number in steps:
        if enters:
            info = ClientInfo(user, client, msgspec.Raw(b"%d" % number))
            roster.add(info)
            model[client] = info
        else:
            roster.remove(client)
            model.pop(client, None)
        assert roster.clients == model
        assert len(roster) == len(model)
        assert roster.stats == PresenceStatsResult(len(model), len({info.user for info in model.values()}))


def test_what_a_roster_gives_out_is_not_the_roster() -> None:
    roster = Roster()
    roster.add(ClientInfo("ada", "c1"))
    roster.clients.clear()
    assert len(roster) == 1
