"""Errors: what an application may raise with a number of its own, and what it may not."""

import pytest

from vagus.kernel import codes
from vagus.kernel.errors import BrokerError, DisconnectError, RefusedError, RuleError, StoreError, VagusError


@pytest.mark.parametrize("code", [400, 1999])
def test_an_application_refuses_with_a_code_of_its_own(code: int) -> None:
    error = RefusedError.because(code, "sold out", temporary=True)
    assert error.fault == codes.Fault(code, "sold out", temporary=True)
    assert (error.fault.code, str(error)) == (code, f"sold out ({code})")


@pytest.mark.parametrize("code", [0, 103, 399, 2000])
def test_a_code_outside_of_an_applications_range_is_a_bug(code: int) -> None:
    with pytest.raises(ValueError, match=r"400\.\.1999"):
        RefusedError.because(code, "no")


@pytest.mark.parametrize("code", [4000, 4999])
def test_an_application_closes_with_a_code_of_its_own(code: int) -> None:
    error = DisconnectError.because(code, "x" * 123)
    assert error.closure == codes.Closure(code, "x" * 123)


@pytest.mark.parametrize("code", [1000, 3999, 5000])
def test_a_close_code_outside_of_an_applications_range_is_a_bug(code: int) -> None:
    with pytest.raises(ValueError, match=r"4000\.\.4999"):
        DisconnectError.because(code, "no")


def test_a_reason_must_fit_into_a_close_frame_in_bytes() -> None:
    with pytest.raises(ValueError, match="123 bytes"):
        DisconnectError.because(4000, "ü" * 62)


@pytest.mark.parametrize("retryable", [True, False])
def test_an_error_of_the_store_says_whether_the_same_may_work_later(retryable: bool) -> None:
    error = StoreError("the disk is full", retryable=retryable)
    assert (str(error), error.retryable) == ("the disk is full", retryable)


def test_bugs_stay_outside_of_the_tree_that_applications_catch() -> None:
    assert issubclass(RefusedError, VagusError)
    assert issubclass(DisconnectError, VagusError)
    assert issubclass(BrokerError, VagusError)
    assert issubclass(RuleError, ValueError)
    assert not issubclass(RuleError, VagusError)
