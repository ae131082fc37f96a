"""XOR with the client's mask (RFC 6455 section 5.3), in C where there is a wheel for it.

The C function is 4 times faster than XOR of Python's integers at 60 bytes and 60 times at 16 KB. Where there
is no wheel, `websockets` has the integers too, under another name.
"""

try:
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask

__all__ = ["apply_mask"]
