"""How long to wait before a process that died is started again."""

FIRST_SECONDS = 0.1
MOST_SECONDS = 10.0
SOUND_SECONDS = 60.0  # who lived this long was sound: the next death counts as a first one


def next_delay(last: float | None, lived: float) -> float:
    """Seconds to wait, after a life of `lived` seconds that began `last` seconds after a death.

    `last` is None for a process that had not died before.
    """
    if last is None or lived >= SOUND_SECONDS:
        return FIRST_SECONDS
    return min(last * 2, MOST_SECONDS)
