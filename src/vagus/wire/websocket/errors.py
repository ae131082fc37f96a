"""The one fault of this package: the client's bytes break the protocol.

It never leaves the package: FrameReader turns it into the event Violation, so that the messages before it are not lost.
"""


class FrameError(Exception):
    """The connection must be closed with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason
