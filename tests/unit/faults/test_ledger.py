"""The ledger finds each kind of broken promise, and finds nothing where all were kept."""

import pytest

from tests.faults.ledger import Began, Ended, Fate, Ledger, Mark, Position, Saw, Terms, shortened, violations

CHANNEL = "deep:1"
EPOCH = "abc"
WINDOW = 5


class Book:
    """A ledger of one writer and one subscriber, filled in short words; each step takes a second."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.now = 0.0

    def tick(self) -> float:
        self.now += 1
        return self.now

    def send(self, *offsets: int, epoch: str = EPOCH, fate: Fate = Fate.ACKNOWLEDGED, tries: int = 1) -> None:
        """Publish one after the other; each is told where it stands if it is acknowledged."""
        for offset in offsets:
            sent = self.ledger.begin(CHANNEL, "w", self.tick())
            sent.ended, sent.fate, sent.tries = self.tick(), fate, tries
            sent.position = Position(offset, epoch) if fate is Fate.ACKNOWLEDGED else None

    def begin(
        self, offset: int, *, epoch: str = EPOCH, since: Position | None = None, recovered: bool = False, who: str = "s"
    ) -> None:
        position = Position(offset, epoch)
        self.ledger.log(CHANNEL, who).append(Began(self.tick(), position, since, recovered))

    def see(self, *numbers: int, shift: int = 0, who: str = "s") -> None:
        """See publications of the writer, each at the offset of its number."""
        for number in numbers:
            self.ledger.log(CHANNEL, who).append(Saw(self.tick(), number + shift, Mark("w", number)))

    def leave(self, who: str = "s") -> None:
        self.ledger.log(CHANNEL, who).append(Ended(self.tick(), "connection lost"))

    def rules(self, *, keeps_history: bool = True, final: int = 0) -> set[str]:
        """The rules that are broken."""
        if final:
            self.ledger.finals[CHANNEL] = Mark("w", final)
        return {found.rule for found in violations(self.ledger, Terms({CHANNEL: WINDOW}, keeps_history))}


@pytest.fixture
def book() -> Book:
    return Book()


def test_a_whole_flow_with_a_recovery_breaks_nothing(book: Book) -> None:
    book.begin(0)
    book.send(1, 2, 3, 4)
    book.see(1, 2)
    book.leave()
    book.begin(2, since=Position(2, EPOCH), recovered=True)
    book.see(3, 4)
    assert book.rules(final=4) == set()


def test_a_gap_is_found(book: Book) -> None:
    book.begin(0)
    book.send(1, 2, 3)
    book.see(1, 3)
    assert book.rules() == {"gap", "missed"}


def test_a_gap_at_the_start_of_a_recovery_is_found(book: Book) -> None:
    book.begin(0)
    book.send(1, 2, 3)
    book.see(1)
    book.leave()
    book.begin(1, since=Position(1, EPOCH), recovered=True)
    book.see(3)
    assert "gap" in book.rules()


def test_a_recovery_that_leaves_something_out_and_closes_the_numbers_up_is_found(book: Book) -> None:
    book.begin(0)
    book.send(1, 2, 3)
    book.see(1)
    book.see(3, shift=-1)
    assert {"disagreement", "missed"} <= book.rules()


def test_a_repetition_is_found(book: Book) -> None:
    book.begin(0)
    book.send(1, 2)
    book.see(1, 2, 2)
    assert book.rules() == {"repeated", "seen twice"}


def test_a_publication_that_stands_at_two_offsets_is_found(book: Book) -> None:
    book.begin(0)
    book.send(1)
    book.see(1)
    book.see(1, shift=1)
    assert {"doubled", "seen twice"} <= book.rules()


def test_two_publications_in_the_wrong_order_are_found(book: Book) -> None:
    book.begin(0)
    book.send(1, 2, 3)
    book.see(1, 3, 2)
    assert {"gap", "repeated", "out of order"} <= book.rules()


def test_a_wrong_order_is_found_though_the_offsets_look_right(book: Book) -> None:
    book.begin(0)
    book.send(2, 1)
    book.see(2, shift=-1)
    book.see(1, shift=1)
    assert "out of order" in book.rules()


def test_an_order_that_nobody_was_promised_is_no_violation(book: Book) -> None:
    book.begin(0)
    book.send(0, fate=Fate.UNKNOWN)
    book.send(1, 2)
    book.see(2, shift=-1)
    book.see(3, shift=-1)
    book.see(1, shift=2)
    assert book.rules() == set()


def test_subscribers_that_disagree_are_found(book: Book) -> None:
    book.begin(0)
    book.begin(0, who="t")
    book.send(0, 0, fate=Fate.UNKNOWN)
    book.see(1, 2)
    book.see(2, shift=-1, who="t")
    book.see(1, shift=1, who="t")
    assert {"disagreement", "doubled"} <= book.rules()


def test_what_nobody_sent_is_found(book: Book) -> None:
    book.begin(0)
    book.see(1)
    assert book.rules() == {"invented"}


def test_what_had_been_refused_and_comes_nevertheless_is_found(book: Book) -> None:
    book.begin(0)
    book.send(1, fate=Fate.FAILED)
    book.see(1)
    assert book.rules() == {"failed but seen"}


def test_what_comes_without_a_subscription_is_found(book: Book) -> None:
    book.begin(0)
    book.send(1)
    book.leave()
    book.see(1)
    assert book.rules() == {"uninvited"}


def test_what_is_lost_at_the_end_is_found_by_the_last_publication(book: Book) -> None:
    book.begin(0)
    book.send(1, 2)
    book.see(1)
    assert book.rules(final=2) == {"end not reached"}


def test_who_does_not_come_back_is_found(book: Book) -> None:
    book.begin(0)
    book.send(1)
    book.see(1)
    book.leave()
    assert book.rules(final=1) == {"not back"}


def test_who_never_came_is_found(book: Book) -> None:
    book.ledger.log(CHANNEL, "s")
    book.send(1)
    assert book.rules(final=1) == {"not back"}


def test_who_is_told_may_miss_what_came_before(book: Book) -> None:
    book.begin(0)
    book.send(1, 2, 3, 4, 5, 6, 7, 8)
    book.see(1)
    book.leave()
    book.begin(7, since=Position(1, EPOCH))
    book.see(8)
    assert book.rules(final=8) == set()


def test_who_is_told_without_a_reason_is_found(book: Book) -> None:
    book.begin(0)
    book.send(1, 2, 3)
    book.see(1)
    book.leave()
    book.begin(2, since=Position(1, EPOCH))
    book.see(3)
    assert book.rules() == {"told without reason"}


def test_who_is_told_since_the_history_is_another_one_has_a_reason_where_histories_may_go(book: Book) -> None:
    book.begin(0)
    book.send(1)
    book.see(1)
    book.leave()
    book.begin(0, since=Position(1, EPOCH), epoch="other")
    assert book.rules(keeps_history=False) == set()
    assert book.rules() == {"history lost"}


def test_a_history_that_goes_back_in_time_is_found_where_it_must_not(book: Book) -> None:
    book.begin(0)
    book.send(1, 2)
    book.see(1, 2)
    book.leave()
    book.begin(1, since=Position(2, EPOCH))
    assert book.rules() == {"told without reason"}
    assert book.rules(keeps_history=False) == set()


def test_a_history_that_goes_back_and_gives_positions_anew_is_found_always(book: Book) -> None:
    book.begin(0)
    book.send(1, 2, 2)
    book.see(1, 2)
    assert "disagreement" in book.rules(keeps_history=False)


def test_who_is_told_where_the_end_is_has_reached_it(book: Book) -> None:
    book.begin(0)
    book.send(*range(1, 9))
    book.see(1)
    book.leave()
    book.begin(8, since=Position(1, EPOCH))
    assert book.rules(final=8) == set()


def test_a_recovery_from_another_history_is_found(book: Book) -> None:
    book.begin(0)
    book.send(1)
    book.see(1)
    book.leave()
    book.begin(1, since=Position(1, EPOCH), epoch="other", recovered=True)
    assert book.rules(keeps_history=False) == {"false recovery"}


def test_a_recovery_from_elsewhere_is_found(book: Book) -> None:
    book.begin(0)
    book.send(1, 2)
    book.see(1)
    book.leave()
    book.begin(2, since=Position(1, EPOCH), recovered=True)
    assert book.rules() == {"false recovery"}


def test_a_publication_tried_again_may_stand_in_two_histories_but_not_twice_in_one(book: Book) -> None:
    book.begin(0)
    book.send(1, tries=2)
    book.see(1)
    book.leave()
    book.begin(0, since=Position(1, EPOCH), epoch="other")
    book.see(1)
    assert book.rules(keeps_history=False) == set()
    book.see(1, shift=1)
    assert {"seen twice"} <= book.rules(keeps_history=False)


def test_the_figures_are_counted(book: Book) -> None:
    book.begin(0)
    book.send(1, 2)
    book.send(0, fate=Fate.UNKNOWN)
    book.see(1)
    book.leave()
    book.begin(1, since=Position(1, EPOCH), recovered=True)
    book.begin(9, since=Position(1, EPOCH))
    tally = book.ledger.tally()
    assert (tally.sent, tally.acknowledged, tally.unknown, tally.failed) == (3, 2, 1, 0)
    assert (tally.subscribers, tally.deliveries, tally.comebacks, tally.recovered, tally.told) == (1, 1, 2, 1, 1)


def test_many_violations_of_one_rule_are_shown_shortly(book: Book) -> None:
    book.begin(0)
    book.see(*range(1, 10))
    lines = shortened(violations(book.ledger, Terms({})), most=2)
    assert len(lines) == 3
    assert lines[-1] == "invented: and 7 more"
