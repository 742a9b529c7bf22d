"""Making room in a stream by dropping the oldest of what has been dealt with.

A stream that refuses new messages when it is full would stay full for a week otherwise: reading
removes nothing.
"""

from angarium.core.bus import api
from angarium.core.bus.session import Session


async def trim(session: Session, stream: str, through: int, subject_filter: str | None) -> None:
    """If the stream is more than half full, drop the older half of it as far as `through`.

    With a filter only messages of those subjects are dropped.
    """
    state = await api.stream_state(session, stream)
    if state.size * 2 <= state.max_size:
        return
    middle = (state.first_sequence + state.last_sequence) // 2
    purge: dict[str, object] = {"seq": min(through, middle) + 1}
    if subject_filter is not None:
        purge["filter"] = subject_filter
    await api.ask(session, f"STREAM.PURGE.{stream}", purge)
