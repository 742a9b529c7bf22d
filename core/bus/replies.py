"""Reading the reply subject that JetStream gives to each message it delivers."""

_SHORT = 9


def read_reply(reply: str) -> tuple[int, int, int]:
    """The sequence in the stream, the number of the delivery, and when it was stored (ms).

    A reply is `$JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.<delivery>.<ns>.<pending>`; the
    longer form has domain and account before the stream, and may have more after the end.
    """
    parts = reply.split(".")
    at = 5 if len(parts) == _SHORT else 7
    return int(parts[at]), int(parts[at + 1]), int(parts[at + 2]) // 1_000_000
