from vagus.broker.redis.lane import Pending
from vagus.kernel.control import Answer


def test_answers_that_come_before_it_is_known_who_is_asked_count() -> None:
    pending = Pending()
    pending.hear("n1", b"a")
    pending.expect({"n1", "n2"})
    assert not pending.done.is_set()
    pending.hear("n2", b"b")
    assert pending.done.is_set()
    assert pending.answers == [Answer("n1", b"a"), Answer("n2", b"b")]


def test_who_has_nothing_to_say_is_waited_for_and_left_out() -> None:
    pending = Pending()
    pending.expect({"n1"})
    pending.hear("n1", None)
    assert pending.done.is_set()
    assert pending.answers == []


def test_a_second_answer_of_a_node_and_one_of_a_stranger_do_not_count() -> None:
    pending = Pending()
    pending.expect({"n1"})
    pending.hear("stranger", b"x")
    pending.hear("n1", b"first")
    pending.hear("n1", b"second")
    assert pending.answers == [Answer("n1", b"first")]


def test_nobody_is_waited_for_where_nobody_is_asked() -> None:
    pending = Pending()
    pending.expect(set())
    assert pending.done.is_set()
