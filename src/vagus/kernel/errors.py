"""What can go wrong, split by whose fault it is.

::

    VagusError
    ├── RefusedError       the client asked for what it may not have: answered with an error reply
    ├── DisconnectError    the client broke the protocol or must go: its connection is closed
    ├── AnswerError        a client answered the server's question with an error
    ├── BrokerError        the broker could not do it now: honest, retryable
    ├── StoreError         the store could not do it: says what happened, what helps, and whether to try again
    └── ConflictError      what was to be stored contradicts what is there already

A wrong call of our own API is a built-in ``TypeError`` or ``ValueError``, outside this tree, so that catching
``VagusError`` never hides a bug. ``RuleError`` is such a ``ValueError``: a channel rule or setting makes no sense.
"""

import msgspec

from . import codes
from .publications import NOTHING


class VagusError(Exception):
    """The root of all that an application may want to catch."""


class RefusedError(VagusError):
    """The command is answered with ``fault``. Rules and calls raise it to refuse with a reason of their own.

    ``RefusedError(codes.PERMISSION_DENIED)`` or, from an application, ``RefusedError.because(400, "sold out")``.
    """

    def __init__(self, fault: codes.Fault) -> None:
        super().__init__(f"{fault.message} ({fault.code})")
        self.fault = fault

    @classmethod
    def because(cls, code: int, message: str, *, temporary: bool = False, data: object = None) -> "RefusedError":
        """Refuse with an application's own code (400-1999), and with ``data`` for those dialects that pass it on."""
        if code not in codes.APPLICATION_FAULTS:
            raise ValueError(f"an application's error code lies in 400..1999, not {code}")
        details = NOTHING if data is None else msgspec.Raw(msgspec.json.encode(data))
        return cls(codes.Fault(code, message, temporary, details))


class DisconnectError(VagusError):
    """The connection is closed with ``closure``. Raised by the protocol and by an application's hooks."""

    def __init__(self, closure: codes.Closure) -> None:
        super().__init__(f"{closure.reason} ({closure.code})")
        self.closure = closure

    @classmethod
    def because(cls, code: int, reason: str) -> "DisconnectError":
        """Close with an application's own code: 4000-4499 lets the client come back, 4500-4999 does not."""
        if code not in codes.APPLICATION_CLOSURES:
            raise ValueError(f"an application's close code lies in 4000..4999, not {code}")
        if len(reason.encode()) > 123:
            raise ValueError("a close reason has at most 123 bytes")
        return cls(codes.Closure(code, reason))


class AnswerError(VagusError):
    """A client was asked and answered with an error, whose text this carries."""


class BrokerError(VagusError):
    """The broker did not take the request, or its answer was lost, which the text says; the caller may try again."""


class StoreError(VagusError):
    """The store did not do it. With ``retryable`` the same may work later; otherwise somebody has to do something.

    The text says what happened and what helps; it holds neither statements nor values nor passwords. Of a transaction
    whose connection was lost at its very end nobody knows whether it happened: who repeats one makes that harmless.
    """

    def __init__(self, text: str, *, retryable: bool) -> None:
        super().__init__(text)
        self.retryable = retryable


class ConflictError(VagusError):
    """What was to be stored contradicts what is there: a name that is taken, a version that somebody else changed."""


class RuleError(ValueError):
    """A rule or setting is wrong. The message starts with the path of the bad value."""
