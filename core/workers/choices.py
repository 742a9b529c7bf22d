"""What people chose on the page of their preferences: one message of the stream holds all of it."""

from collections.abc import Mapping, Sequence

import msgspec

from angarium.core.delivery.feedback import CONSENT, Feedback
from angarium.core.delivery.status import Reaction
from angarium.core.people.consent import CONSENT_OF
from angarium.core.store.feedback import find_handed
from angarium.core.store.protocol import Transaction
from angarium.core.workers import consent

REASON = "preferences"


async def take_choices(
    tx: Transaction,
    workspace: str,
    items: Sequence[Feedback],
    consents: Mapping[str, str] = CONSENT_OF,
) -> tuple[list[Feedback], int]:
    """Save the choices; gives all else that was said, and how many choices are done with.

    Who leaves the channel on which the message came has unsubscribed through it: that is heard as
    any other reaction.
    """
    said = [item for item in items if item.kind == CONSENT]
    if not said:
        return list(items), 0
    rest = [item for item in items if item.kind != CONSENT]
    done = 0
    for item, handed in zip(said, await find_handed(tx, workspace, said), strict=True):
        if handed is None:
            continue
        left = item.choices.get(handed.channel) is False
        for channel, opted_in in sorted(item.choices.items()):
            if not (left and channel == handed.channel):
                words = (channel, opted_in, item.at, f"{item.id}:{channel}", REASON)
                await consent.choose(tx, workspace, handed.profile_id, *words, consents=consents)
        if left:
            rest.append(msgspec.structs.replace(item, kind=Reaction.UNSUBSCRIBED.value))
        else:
            done += 1
    return rest, done
