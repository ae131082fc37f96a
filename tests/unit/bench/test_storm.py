"""The simulation of a machine's loss."""

import math

import pytest

from bench.scaling.storm import Loss, play

AT_ONCE = Loss(clients=100, nodes=1, channels_per_client=1, return_us=10_000, recover_us=0, node_busy=0, first_wait_s=0)


def test_the_same_seed_plays_the_same_course() -> None:
    loss = Loss(clients=2_000, nodes=3, connecting_per_s=300)
    assert play(loss, seed=7) == play(loss, seed=7)
    assert play(loss, seed=7) != play(loss, seed=8)


def test_one_after_the_other_they_take_as_long_as_their_work() -> None:
    course = play(AT_ONCE)
    assert course.all_back_s == pytest.approx(1.0)
    assert course.half_back_s == pytest.approx(0.51)
    assert (course.attempts, course.gave_up, course.turned_away) == (100, 0, 0)


def test_a_busy_node_takes_longer_by_what_it_has_left() -> None:
    busy = Loss(clients=100, nodes=1, return_us=10_000, recover_us=0, node_busy=0.5, first_wait_s=0)
    assert play(busy).all_back_s == pytest.approx(2.0)


def test_redis_is_waited_for_too() -> None:
    loss = Loss(
        clients=50, nodes=50, channels_per_client=2, return_us=0, recover_us=10_000, redis_busy=0, first_wait_s=0
    )
    course = play(loss)
    assert course.all_back_s == pytest.approx(1.0)
    assert course.peak_redis_reads_per_s == 1_000  # a hundred in the first tenth of a second
    assert course.peak_redis_busy == 1


def test_clients_wait_before_they_come_as_their_library_does() -> None:
    course = play(Loss(clients=1_000, nodes=10, return_us=1, recover_us=1))
    assert 0.5 <= course.half_back_s <= 1.0
    assert course.all_back_s == pytest.approx(1.0, abs=0.01)


def test_who_is_turned_away_comes_again() -> None:
    free = play(Loss(clients=1_000, nodes=2, return_us=10, recover_us=1))
    limited = play(Loss(clients=1_000, nodes=2, return_us=10, recover_us=1, connecting_per_s=50))
    assert limited.turned_away > 0
    assert limited.attempts == 1_000 + limited.turned_away
    assert limited.all_back_s > 2 * free.all_back_s


def test_who_waits_too_long_gives_up_and_comes_again() -> None:
    loss = Loss(clients=200, nodes=1, return_us=10_000, recover_us=0, node_busy=0.5, first_wait_s=0.5, patience_s=1)
    course = play(loss)
    assert course.gave_up > 0
    assert course.attempts == 200 + course.gave_up


def test_where_they_come_again_faster_than_they_are_answered_it_ends_all_the_same() -> None:
    course = play(Loss(clients=3_000, nodes=1, return_us=10_000, recover_us=0, node_busy=0.5, patience_s=1))
    assert course.half_back_s == course.all_back_s == math.inf


@pytest.mark.parametrize("loss", [Loss(clients=1, nodes=0), Loss(clients=1, nodes=1, node_busy=1)])
def test_without_anything_left_nobody_comes_back(loss: Loss) -> None:
    with pytest.raises(ValueError, match="nothing left"):
        play(loss)


def test_nobody_lost_is_nobody_back() -> None:
    assert play(Loss(clients=0, nodes=1)).attempts == 0
