"""The one place that reads the clock; everything else takes `now` as an argument."""

import time
from collections.abc import Callable

Now = Callable[[], int]
"""Milliseconds since 1970 UTC."""


def now() -> int:
    """The present instant."""
    return time.time_ns() // 1_000_000
