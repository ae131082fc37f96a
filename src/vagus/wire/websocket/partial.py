"""The careful half of the parser: frames and messages that come in pieces, and every rule of RFC 6455 section 5.

A PartialMessage reads byte by byte if it must, refuses at the first byte that breaks a rule, and holds what has come
of one frame head, one control payload and one message, never more.
"""

from codecs import utf_8_decode
from typing import Final

from vagus.wire.websocket import codes
from vagus.wire.websocket.deflate import inflate
from vagus.wire.websocket.errors import FrameError
from vagus.wire.websocket.events import Binary, Close, Event, Ping, Pong, Text
from vagus.wire.websocket.frames import BINARY, CLOSE, CONTINUATION, CONTROL_PAYLOAD_LIMIT, FIN, PING, PONG, RSV1, TEXT
from vagus.wire.websocket.masking import apply_mask

_RSV2_RSV3: Final = 0x30
_MASKED: Final = 0x80
_LONGEST_HEAD: Final = 14
_OPCODES: Final = frozenset((CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG))
_NO_MESSAGE: Final = CONTINUATION  # no message begins with this opcode
_NO_FRAME: Final = -1


class PartialMessage:
    """One message on its way in, with the control frames between its fragments."""

    __slots__ = (
        "_checked",
        "_compressed",
        "_control",
        "_deflate",
        "_final",
        "_head",
        "_limit",
        "_mask",
        "_message",
        "_message_opcode",
        "_missing",
        "_opcode",
    )

    def __init__(self, limit: int, deflate: bool) -> None:
        self._limit = limit
        self._deflate = deflate
        # The frame: what has come of its head, or after that its opcode and what is missing of its payload.
        self._head = b""
        self._opcode = _NO_FRAME
        self._final = False
        self._mask = b""
        self._missing = 0
        self._control = b""
        # The message: its payload so far, and how much of that is known to be UTF-8.
        self._message_opcode = _NO_MESSAGE
        self._compressed = False
        self._message = bytearray()
        self._checked = 0

    def is_idle(self) -> bool:
        """Whether nothing is under way, so that this object may be dropped."""
        return self._message_opcode == _NO_MESSAGE and self._opcode == _NO_FRAME and not self._head

    def read(self, data: bytes, position: int, events: list[Event]) -> int:
        """Read from `position` to the end of a frame or of the data, and return where that is.

        Appends the event that the frame completes, if any. Raises FrameError at the first byte that breaks a rule;
        call it no more after that.
        """
        if self._opcode == _NO_FRAME:
            position = self._read_head(data, position)
            if self._opcode == _NO_FRAME:
                return position
        if self._missing:
            position = self._read_payload(data, position)
            if self._missing:
                return position
        event = self._end_frame()
        if event is not None:
            events.append(event)
        return position

    def _read_head(self, data: bytes, position: int) -> int:
        kept = len(self._head)
        head = self._head + data[position : position + _LONGEST_HEAD - kept]
        opcode = self._checked_opcode(head[0])
        size = self._checked_size(opcode, head)
        if size is None:
            self._head = head
            return len(data)
        head_size = _head_size(head[1])
        self._begin_frame(head[0], size, head[head_size - 4 : head_size])
        return position + head_size - kept

    def _checked_opcode(self, first_byte: int) -> int:
        opcode = first_byte & 0x0F
        if first_byte & _RSV2_RSV3:
            raise FrameError(codes.PROTOCOL_ERROR, "reserved bit set")
        if opcode not in _OPCODES:
            raise FrameError(codes.PROTOCOL_ERROR, "reserved opcode")
        # RFC 7692 section 6: RSV1 marks the first frame of a compressed message and no other.
        if first_byte & RSV1 and not (self._deflate and opcode in (TEXT, BINARY)):
            raise FrameError(codes.PROTOCOL_ERROR, "reserved bit set")
        if opcode >= CLOSE:
            if not first_byte & FIN:
                raise FrameError(codes.PROTOCOL_ERROR, "fragmented control frame")
        elif (opcode == CONTINUATION) == (self._message_opcode == _NO_MESSAGE):
            raise FrameError(
                codes.PROTOCOL_ERROR,
                "continuation of no message" if opcode == CONTINUATION else "message inside a fragmented message",
            )
        return opcode

    def _checked_size(self, opcode: int, head: bytes) -> int | None:
        # None: the head is not whole yet.
        if len(head) < 2:
            return None
        size = head[1] & 0x7F
        if not head[1] & _MASKED:
            raise FrameError(codes.PROTOCOL_ERROR, "frame not masked")
        if opcode >= CLOSE and size > CONTROL_PAYLOAD_LIMIT:
            raise FrameError(codes.PROTOCOL_ERROR, "control frame too long")
        head_size = _head_size(head[1])
        if len(head) < head_size:
            return None
        if size > 125:
            # Section 5.2: the minimal number of bytes must be used, and the highest of 64 bits must be 0.
            minimum = 126 if size == 126 else 65_536
            size = int.from_bytes(head[2 : head_size - 4], "big")
            if not minimum <= size < 1 << 63:
                raise FrameError(codes.PROTOCOL_ERROR, "length badly encoded")
        if opcode < CLOSE and len(self._message) + size > self._limit:
            raise FrameError(codes.MESSAGE_TOO_BIG, f"message over {self._limit} bytes")
        return size

    def _begin_frame(self, first_byte: int, size: int, mask: bytes) -> None:
        self._head = b""
        self._opcode = first_byte & 0x0F
        self._final = bool(first_byte & FIN)
        self._mask = mask
        self._missing = size
        if self._opcode in (TEXT, BINARY):
            self._message_opcode = self._opcode
            self._compressed = bool(first_byte & RSV1)

    def _read_payload(self, data: bytes, position: int) -> int:
        piece = apply_mask(data[position : position + self._missing], self._mask)
        size = len(piece)
        self._missing -= size
        turn = size & 3
        self._mask = self._mask[turn:] + self._mask[:turn]
        if self._opcode >= CLOSE:
            self._control += piece
        else:
            self._message += piece
            if self._message_opcode == TEXT and not self._compressed:
                self._check_text()
        return position + size

    def _check_text(self) -> None:
        # Section 8.1. A character cut by the end of the piece is looked at again with the next one.
        try:
            _, size = utf_8_decode(self._message[self._checked :], "strict", False)
        except UnicodeDecodeError:
            raise FrameError(codes.INVALID_PAYLOAD, "text is not UTF-8") from None
        self._checked += size
        # CPython's decoder waits for the third byte of a surrogate, in case an error handler wants it whole.
        cut_character = self._message[self._checked :]
        if cut_character[:1] == b"\xed" and cut_character[1:] >= b"\xa0":
            raise FrameError(codes.INVALID_PAYLOAD, "text is not UTF-8")

    def _end_frame(self) -> Event | None:
        opcode = self._opcode
        self._opcode = _NO_FRAME
        if opcode < CLOSE:
            return self._end_message() if self._final else None
        payload, self._control = self._control, b""
        if opcode == PING:
            return Ping(payload)
        if opcode == PONG:
            return Pong(payload)
        return _close_from_payload(payload)

    def _end_message(self) -> Event:
        payload = inflate(self._message, self._limit) if self._compressed else bytes(self._message)
        is_text = self._message_opcode == TEXT
        if is_text and not (is_utf8(payload) if self._compressed else self._checked == len(payload)):
            raise FrameError(codes.INVALID_PAYLOAD, "text is not UTF-8")
        self._message_opcode = _NO_MESSAGE
        self._message = bytearray()
        self._checked = 0
        return Text(payload) if is_text else Binary(payload)


def is_utf8(payload: bytes) -> bool:
    """Whether the payload may travel as text (section 8.1)."""
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def _head_size(second_byte: int) -> int:
    size = second_byte & 0x7F
    return 6 if size < 126 else 8 if size == 126 else 14


def _close_from_payload(payload: bytes) -> Close:
    # Section 5.5.1: nothing, or a code and a reason.
    if not payload:
        return Close(codes.NO_STATUS, "")
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not codes.may_travel(code):
        raise FrameError(codes.PROTOCOL_ERROR, "invalid close code")
    try:
        return Close(code, payload[2:].decode())
    except UnicodeDecodeError:
        raise FrameError(codes.INVALID_PAYLOAD, "close reason is not UTF-8") from None
