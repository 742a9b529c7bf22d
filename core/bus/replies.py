"""Reading the reply subject that JetStream gives to each message it delivers."""

from typing import NamedTuple

_SHORT = 9


class Place(NamedTuple):
    """Where a message stands: in the stream, in the consumer, and when it was stored (ms)."""

    sequence: int
    consumer_sequence: int
    at: int


def read_reply(reply: str) -> Place:
    """Read `$JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.<consumer's>.<ns>.<pending>`.

    The longer form has the domain and a hash of the account before the stream, and may have
    more after the end.
    """
    parts = reply.split(".")
    at = 5 if len(parts) == _SHORT else 7
    return Place(int(parts[at]), int(parts[at + 1]), int(parts[at + 2]) // 1_000_000)
