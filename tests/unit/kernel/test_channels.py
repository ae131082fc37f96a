"""Channel rules: what a pattern takes, which rule holds, and which rules are refused with the path of what is wrong."""

import math
import re
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.kernel.channels import (
    MAX_CHANNEL_LENGTH,
    ChannelOptions,
    ChannelRule,
    Last,
    RuleBook,
    check_rule,
    names_user,
    pattern_of,
)
from vagus.kernel.errors import RuleError
from vagus.kernel.identity import ANONYMOUS, Identity

LITERALS = st.text(st.characters(exclude_characters="{}", exclude_categories=["Cs"]), max_size=12)
PLACE_VALUES = st.text(st.characters(exclude_characters=":", exclude_categories=["Cs"]), min_size=1, max_size=8)
REST_VALUES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@st.composite
def patterns(draw: st.DrawFn) -> tuple[str, dict[str, str], str]:
    """A pattern, values for its places, and the channel that they make."""
    text, channel, values = "", "", {}
    for number in range(draw(st.integers(0, 3))):
        # A separator keeps two places apart, or else a channel could be read in two ways.
        literal = draw(LITERALS) + (":" if number else "")
        name, value = f"place_{number}", draw(PLACE_VALUES)
        text, channel = f"{text}{literal}{{{name}}}", f"{channel}{literal}{value}"
        values[name] = value
    tail = ":" + draw(LITERALS) if values else draw(LITERALS.filter(bool))
    text, channel = text + tail, channel + tail
    if draw(st.booleans()):
        rest = draw(REST_VALUES)
        text, channel, values["rest"] = text + "{rest*}", channel + rest, rest
    return text, values, channel


@given(patterns())
def test_a_channel_made_from_a_pattern_matches_it(made: tuple[str, dict[str, str], str]) -> None:
    text, values, channel = made
    pattern = pattern_of(text)
    found = pattern.match(channel)
    assert found is not None
    assert tuple(found) == tuple(values) == pattern.places


@given(LITERALS.filter(bool), LITERALS)
def test_a_pattern_without_places_matches_itself_alone(text: str, other: str) -> None:
    pattern = pattern_of(text)
    assert pattern.match(text) == {}
    assert (pattern.match(other) is not None) == (text == other)


@pytest.mark.parametrize("text", ["a.c", "a*", "[ab]", "(a|b)", "^a$", "a\\d", "a+?"])
def test_the_signs_of_regular_expressions_are_literal(text: str) -> None:
    assert pattern_of(text + "{x}").match(text + "1") == {"x": "1"}
    assert pattern_of(text).match("aac") is None
    assert pattern_of(text).match("a1") is None


@pytest.mark.parametrize(
    ("pattern", "channel", "places"),
    [
        ("orders:{order_id}", "orders:42", {"order_id": "42"}),
        ("orders:{order_id}", "orders:42:lines", None),
        ("orders:{order_id}", "orders:", None),
        ("orders:{order_id}", "Orders:42", None),
        ("{rest*}", "a:b:c", {"rest": "a:b:c"}),
        ("a:{rest*}", "a:b\nc", {"rest": "b\nc"}),
        ("{a}:{b}", "x:y", {"a": "x", "b": "y"}),
        ("{a}-{rest*}", "x-y:z", {"a": "x", "rest": "y:z"}),
        ("news", "news\n", None),
    ],
)
def test_a_place_takes_no_colon_and_a_rest_takes_everything(
    pattern: str, channel: str, places: dict[str, str] | None
) -> None:
    assert pattern_of(pattern).match(channel) == places


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "must have 1 to 255 characters"),
        ("x" * (MAX_CHANNEL_LENGTH + 1), "must have 1 to 255 characters"),
        ("{a}:{a}", "'a' occurs twice"),
        ("{rest*}:x", "must come last"),
        ("{A}", "in lower case"),
        ("{}", "in lower case"),
        ("a{", "in lower case"),
        ("a}", "in lower case"),
        ("{a}{", "in lower case"),
        ("{a b}", "in lower case"),
    ],
)
def test_a_pattern_that_makes_no_sense_is_refused_with_its_path(text: str, complaint: str) -> None:
    with pytest.raises(RuleError, match=f"^rules.3.pattern: .*{complaint}"):
        pattern_of(text, "rules.3.pattern")


def rules_of(*texts: str) -> RuleBook:
    book = RuleBook()
    for text in texts:
        book.add(ChannelRule(pattern=text))
    return book


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("texts", "channel", "winner"),
    [
        (["orders:42", "orders:{id}"], "orders:42", "orders:42"),
        (["a:{x}", "{rest*}"], "a:b", "a:{x}"),
        (["orders:eu:{id}", "orders:{region}:{id}"], "orders:eu:1", "orders:eu:{id}"),
        (["x", "xxxxxxxx:{y}"], "x", "x"),
    ],
)
def test_the_rule_with_the_most_literal_characters_holds(
    texts: list[str], channel: str, winner: str, order: int
) -> None:
    found = rules_of(*texts[::order]).match(channel)
    assert found is not None
    assert found.rule.pattern == winner


@given(st.lists(patterns(), min_size=1, max_size=5, unique_by=lambda made: made[0]), st.data())
def test_no_rule_that_matches_outweighs_the_one_that_holds(
    made: list[tuple[str, dict[str, str], str]], data: st.DataObject
) -> None:
    book = rules_of(*(text for text, _, _ in made))
    channel = data.draw(st.sampled_from([channel for _, _, channel in made]))
    found = book.match(channel)
    assert found is not None
    weights = [pattern_of(text).weight for text, _, _ in made if pattern_of(text).match(channel) is not None]
    assert pattern_of(found.rule.pattern).weight == max(weights)
    assert found.places == pattern_of(found.rule.pattern).match(channel)


def test_a_channel_that_no_rule_matches_has_none() -> None:
    book = rules_of("news")
    assert book.match("other") is None
    assert book.match("other") is None


def test_a_rule_added_later_counts_for_channels_that_were_looked_up_before() -> None:
    book = rules_of("{rest*}")
    book.match("news")
    book.add(ChannelRule(pattern="news"))
    found = book.match("news")
    assert found is not None
    assert found.rule.pattern == "news"
    assert [rule.pattern for rule in book.rules] == ["news", "{rest*}"]


def test_looking_up_more_channels_than_are_remembered_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RuleBook, "CACHE_SIZE", 3)
    book = rules_of("n:{n}")
    assert all(book.match(f"n:{n}") is not None for n in (*range(10), *range(10)))


def test_a_pattern_has_one_rule() -> None:
    book = rules_of("news")
    with pytest.raises(RuleError, match=r"^channels\[1\].pattern: 'news' has a rule already"):
        book.add(ChannelRule(pattern="news"), "channels[1]")


@pytest.mark.parametrize(
    ("texts", "is_refused"),
    [
        (["news:{topic}", "news:{other}"], True),
        (["{rest*}", "{everything*}"], True),
        (["{a}:{b}", "{b}:{a}"], True),
        (["news:{topic}", "news:{rest*}"], False),
        (["{a}:{b}", "{a}-{b}"], False),
    ],
)
def test_two_patterns_that_differ_in_the_names_of_their_places_alone_cannot_both_have_a_rule(
    texts: list[str], is_refused: bool
) -> None:
    book, (first, second) = rules_of(texts[0]), texts
    assert book.covers(second) is is_refused
    if is_refused:
        complaint = f"channels[1].pattern: {second!r} has a rule already: {first!r} matches the same channels"
        with pytest.raises(RuleError, match=re.escape(complaint)):
            book.add(ChannelRule(pattern=second), "channels[1]")
    else:
        book.add(ChannelRule(pattern=second), "channels[1]")


KEEP = Last(10, minutes=1)
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"pattern": "{"}, "pattern"),
    ({"history": Last(0, hours=1)}, "history.size"),
    ({"history": Last(5)}, "history"),
    ({"history": Last(5, hours=-1)}, "history"),
    ({"history": Last(5, hours=math.nan)}, "history"),
    ({"force_recovery": True}, "force_recovery"),
    ({"force_recovery": True, "history": KEEP, "recovery": "off"}, "force_recovery"),
    ({"recovery": "cache"}, "recovery"),
    ({"recovery": "streams", "history": KEEP}, "recovery"),
    ({"force_join_leave": True}, "force_join_leave"),
    ({"throttle": 0}, "throttle"),
    ({"throttle": 1001}, "throttle"),
    ({"throttle": math.nan}, "throttle"),
    ({"when_slow": "drop"}, "when_slow"),
    ({"history": KEEP, "force_recovery": True, "when_slow": "drop-oldest"}, "when_slow"),
    ({"history": KEEP, "force_recovery": True, "when_slow": "keep-latest"}, "when_slow"),
    ({"subscribe": ("everybody",)}, "subscribe"),
    ({"subscribe": ("subscriber",)}, "subscribe"),
    ({"publish": ("@",)}, "publish"),
    ({"publish": ("admin",)}, "publish"),
    ({"read_presence": ("",)}, "read_presence"),
    ({"read_history": ("users",)}, "read_history"),
]


def test_rules_can_be_exchanged_while_others_stay() -> None:
    book = rules_of("news", "old:{n}", "app")
    assert book.match("new:1") is None
    changed = ChannelRule(pattern="news", presence=True)
    book.exchange(
        [ChannelRule(pattern="news"), ChannelRule(pattern="old:{n}")], [changed, ChannelRule(pattern="new:{n}")]
    )
    assert {rule.pattern for rule in book.rules} == {"news", "new:{n}", "app"}
    found = book.match("news")
    assert found is not None
    assert found.rule is changed
    assert (book.match("old:1"), book.match("new:1") is None) == (None, False)


def test_rules_that_cannot_be_exchanged_leave_everything_as_it_was() -> None:
    book = rules_of("news", "app")
    with pytest.raises(RuleError, match=r"^channels\[1\]\.pattern: 'app' has a rule already"):
        book.exchange([ChannelRule(pattern="news")], [ChannelRule(pattern="a"), ChannelRule(pattern="app")])
    assert [rule.pattern for rule in book.rules] == ["news", "app"]
    assert book.match("a") is None


def test_a_copy_of_a_book_changes_alone() -> None:
    book = rules_of("news")
    copy = book.copy()
    copy.add(ChannelRule(pattern="other"))
    assert book.match("other") is None
    assert copy.match("news") == book.match("news")


@pytest.mark.parametrize(("options", "path"), WRONG)
def test_a_rule_that_cannot_work_is_refused_with_the_path_of_the_bad_value(options: dict[str, Any], path: str) -> None:
    with pytest.raises(RuleError, match=rf"^rules\.7\.{re.escape(path)}: "):
        check_rule(ChannelRule(**{"pattern": "news", **options}), "rules.7")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"history": KEEP, "force_recovery": True, "when_slow": "disconnect"},
        {"history": KEEP, "force_recovery": True, "recovery": "cache", "when_slow": "keep-latest"},
        {"history": KEEP, "recovery": "off", "when_slow": "drop-oldest"},
        {"join_leave": True, "force_join_leave": True},
        {"throttle": 1000},
        {"subscribe": ("anyone", "user", "@admin"), "publish": ("subscriber",)},
    ],
)
def test_a_rule_that_makes_sense_is_taken(options: dict[str, Any]) -> None:
    check_rule(ChannelRule(pattern="news", **options))


@given(st.floats(0, 9), st.floats(0, 9), st.floats(0, 9), st.floats(0, 9))
def test_an_age_is_the_sum_of_its_parts(days: float, hours: float, minutes: float, seconds: float) -> None:
    last = Last(1, days, hours, minutes, seconds)
    assert last.ttl_s == pytest.approx(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, False), ({"history": KEEP}, True), ({"history": KEEP, "recovery": "off"}, False)],
)
def test_a_channel_is_recoverable_with_history_and_recovery(options: dict[str, Any], expected: bool) -> None:
    assert ChannelRule(pattern="news", **options).is_recoverable is expected


@pytest.mark.parametrize(
    ("channel", "user", "expected"),
    [
        ("dialog#42", "42", True),
        ("dialog#42,43", "43", True),
        ("dialog#42,43", "4", False),
        ("dialog#", "", False),
        ("dialog#42", "", False),
        ("dialog", "42", False),
        ("#42", "42", True),
    ],
)
def test_a_channel_names_the_users_after_its_boundary(channel: str, user: str, expected: bool) -> None:
    assert names_user(channel, Identity(user=user) if user else ANONYMOUS) is expected


def test_the_options_of_a_channel_are_the_fields_of_its_rule() -> None:
    hints = get_type_hints(ChannelRule)
    assert get_type_hints(ChannelOptions) == {name: kind for name, kind in hints.items() if name != "pattern"}
