"""What can go wrong on the bus, arranged by what the caller should do.

BusError
├── BusUnavailable    repeat later: nothing is known to be stored
│   └── BatchSpoilt   (the publisher sees to it)
├── BusFull           repeat much later, or shed load: refused, nothing was stored
├── MessageTooLarge   make the message smaller; repeating is useless
├── BusRefused        a setting or a program is wrong; repeating is useless
└── StreamReset       the stream is not the one that was being read; start it anew

`BadToken` is a `ValueError`: a program tried to build a subject from something that is no token.
"""


class BusError(Exception):
    """The bus could not do what was asked."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or (type(self).__doc__ or "").splitlines()[0])


class BusUnavailable(BusError):
    """NATS cannot be reached, or gave no answer in time.

    A message whose publishing ends so may or may not be stored: send it again with the same
    message id, the inbox removes what came twice.
    """


class BatchSpoilt(BusUnavailable):
    """A batch was not stored because one of its messages was not, or did not arrive."""


class BusFull(BusError):
    """The bus takes no more messages for now; this one was not stored."""


class MessageTooLarge(BusError):
    """The message is larger than the bus takes."""


class BusRefused(BusError):
    """NATS refused the request. `code` is the server's own error code (0: none given)."""

    def __init__(self, detail: str, code: int = 0) -> None:
        super().__init__(detail)
        self.code = code


class StreamReset(BusError):
    """The stream was wiped, restored or made anew, so the known position means nothing in it."""


class BadToken(ValueError):
    """Part of a subject is not made of 1 to 64 letters, digits, `_` and `-`."""
