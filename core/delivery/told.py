"""What an app or page tells of a message that it was given, as an event of the person's."""

from collections.abc import Mapping
from typing import Any, Final

from angarium.core.delivery.feedback import Feedback
from angarium.core.delivery.keys import make_id
from angarium.core.delivery.status import Reaction

REACTION_EVENTS: Final[Mapping[str, Reaction]] = {
    "Message Shown": Reaction.SHOWN,
    "Message Opened": Reaction.OPENED,
    "Message Clicked": Reaction.CLICKED,
    "Message Dismissed": Reaction.DISMISSED,
}
"""What they mean where `properties.delivery` is a delivery's id, as the message brought it."""

_DELIVERY: Final = "dlv_"
_LONGEST: Final = 64


def read_told(event: str, properties: Mapping[str, Any], id: str, at: int) -> Feedback | None:
    """The reaction that an event tells, if it does; `id`: of the message, `at`: in ms.

    Without a delivery it is an event like any other: an app may have some of the same name.
    """
    reaction = REACTION_EVENTS.get(event)
    delivery = properties.get("delivery") if reaction else None
    if reaction is None or not isinstance(delivery, str):
        return None
    if not delivery.startswith(_DELIVERY) or len(delivery) > _LONGEST:
        return None
    return Feedback(reaction.value, at, id=make_id("fbk_", "event", id), delivery=delivery)
