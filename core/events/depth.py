"""How deeply JSON is nested, without recursion: what passes here may be parsed anywhere."""

import re
from collections.abc import Mapping
from itertools import accumulate
from typing import Final

from angarium.config.limits import JSON_DEPTH

_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_STEPS: Final[Mapping[int, int]] = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_OTHERS: Final = bytes(byte for byte in range(256) if byte not in _STEPS)


def is_deep(text: bytes, most: int = JSON_DEPTH) -> bool:
    """Whether valid JSON has more than `most` levels of arrays and objects.

    A recursive parser gives up sooner when its caller stands deeper in the stack, so what one door
    takes another process might not read. Nearly every message is answered by counting its brackets.
    """
    opened = text.count(b"{")
    if b"[" in text:  # which finds it sooner than a count
        opened += text.count(b"[")
    if opened <= most:
        return False
    brackets = _STRING.sub(b"", text).translate(None, _OTHERS)
    return any(map(most.__lt__, accumulate(map(_STEPS.__getitem__, brackets))))
