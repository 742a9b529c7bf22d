"""Promo codes: which deliveries need one, and what they have (S1.17).

The gate of codes is asked last, of messages in which `code` stands only: a message that another
gate keeps back takes no code. At first nobody knows whether there is one for it, and the gate lets
it pass; whoever gives codes then says so, and the gates are asked again.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from angarium.core.delivery.attempt import Attempt
from angarium.core.delivery.fallback import earlier_than
from angarium.core.delivery.gates import ASK_AGAIN, SEND, Decision, Gate, Hold
from angarium.core.delivery.record import CODE, Delivery

SAMPLE: Final = "TEST-CODE"
"""What stands in test messages: they take no code of the list."""
NO_CODE: Final = "no_code"

_MARK: Final = f'"{CODE}"'
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def code_of(delivery: Delivery) -> str | None:
    """The code that a delivery has: it was handed over with it, or is a test; None: none yet."""
    if delivery.test:
        return SAMPLE
    if _MARK not in delivery.context:  # which is cheaper than to decode them all
        return None
    code = _decode(delivery.context).get(CODE)
    return code if isinstance(code, str) else None


def owner_of(delivery: Delivery) -> str:
    """The id under which its code is kept: a message that goes in another's place has the same."""
    return next(iter(earlier_than(delivery)), delivery.id)


def _decide(attempt: Attempt) -> Decision:
    return Hold(attempt.now + ASK_AGAIN, NO_CODE) if attempt.code == "" else SEND


def _saw(attempt: Attempt) -> Mapping[str, Any]:
    return {"list": attempt.codes, "found": bool(attempt.code)}


CODE_GATE: Final = Gate("code", _decide, _saw)
"""There is a code for it; else it waits until more are uploaded, or it expires."""
