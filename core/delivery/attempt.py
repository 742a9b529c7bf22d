"""All that the gates look at: one delivery about to be sent, and the facts at this moment."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from angarium.core.campaigns.hours import ActiveHours
from angarium.core.delivery.record import Delivery
from angarium.core.delivery.rules import NO_RULES, MessageRules, Received
from angarium.core.people.app_state import Sight
from angarium.core.segments.conditions import Condition, Facts


class CampaignRules(msgspec.Struct, frozen=True):
    """What a campaign's version demands of each send, and the campaign's state now.

    state: draft, active, paused, archived. audience: given only if leaving it cancels.
    limit: (most messages, window in ms) for each person. live: only for an app that is open.
    """

    state: str
    audience: Condition | None = None
    hours: ActiveHours | None = None
    limit: tuple[int, int] | None = None
    live: bool = False


class Person(msgspec.Struct, frozen=True):
    """The recipient. consent: (state, reason) on the delivery's channel."""

    facts: Facts
    consent: tuple[str, str]
    address: str = ""
    bad_address: str = ""
    """Why the address that there is cannot be sent to; "" if it can."""
    suppressed: str = ""
    """Why nothing is sent to the address; "" if nothing speaks against it."""
    app: Sight | None = None
    """Of the device that has the address; None: not asked, or nothing is known of it."""


class Attempt(msgspec.Struct, frozen=True):
    """One delivery at the moment of sending.

    campaign, person: None if there is no such thing (any more). recent: messages of the campaign
    that the person got within its limit's window. zone: an IANA name, for people without their own.
    provider: "" if none is configured; paused_until: when it may be used again, and why. rules: the
    operator's; received: what the person got of late, as far as a cap of theirs counts it.
    reacted: what the person did with an earlier message in whose place this one would go.
    codes: the list of which the message needs a code ("": it needs none). code: the one it has; "":
    there is none for it; None: it has not been asked for.
    """

    delivery: Delivery
    now: int
    campaign: CampaignRules | None
    person: Person | None
    recent: int = 0
    zone: str = "UTC"
    provider: str = ""
    paused_until: int = 0
    rules: MessageRules = NO_RULES
    received: Sequence[Received] = ()
    reacted: str = ""
    pause: str = "provider_paused"
    codes: str = ""
    code: str | None = None

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The recipient's attributes by name."""
        return self.person.facts.attributes if self.person is not None else {}
