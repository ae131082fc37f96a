"""Words that say who may: each admits exactly those that it names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.kernel.errors import RuleError
from vagus.kernel.identity import ANONYMOUS, Identity, Role
from vagus.kernel.permissions import check_access, is_allowed

ADA = Identity(user="ada", roles=frozenset({"operator"}))
ROBOT = Identity(roles=frozenset({"service"}))


@pytest.mark.parametrize(
    ("access", "who", "subscribed", "expected"),
    [
        ((), ADA, True, False),
        (("anyone",), ANONYMOUS, False, True),
        (("user",), ANONYMOUS, True, False),
        (("user",), ADA, False, True),
        (("subscriber",), ANONYMOUS, True, True),
        (("subscriber",), ADA, False, False),
        (("@operator",), ADA, False, True),
        (("@admin",), ADA, False, False),
        (("@service",), ROBOT, False, True),
        (("@admin", "subscriber"), ADA, True, True),
        (("@admin", "user"), ROBOT, False, False),
    ],
)
def test_a_word_admits_whom_it_names(access: tuple[str, ...], who: Identity, subscribed: bool, expected: bool) -> None:
    assert is_allowed(access, who, subscribed=subscribed) is expected


WORDS = ["anyone", "user", "subscriber", *(f"@{role}" for role in Role)]
A_ROLE = re.compile(r"@[A-Za-z][A-Za-z0-9_.-]*")
"""One of an application's own, which the property test finds now and then."""


@given(st.lists(st.sampled_from(WORDS)), st.lists(st.sampled_from(WORDS)), st.booleans())
def test_more_words_never_admit_fewer(access: list[str], more: list[str], subscribed: bool) -> None:
    check_access([*access, *more], "rule.subscribe")
    if is_allowed(tuple(access), ADA, subscribed=subscribed):
        assert is_allowed((*more, *access), ADA, subscribed=subscribed)


@given(st.text().filter(lambda word: word not in WORDS and not A_ROLE.fullmatch(word)))
def test_any_other_word_is_refused_with_its_path(word: str) -> None:
    with pytest.raises(RuleError, match=r"^rule\.publish: "):
        check_access(["user", word], "rule.publish")
