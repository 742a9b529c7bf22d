"""Whether to believe a provider that calls addresses dead: always a few, never most of them.

A wrong project, environment or route of ours, or a vendor's bad day, makes everybody's address look
dead at once, and what is lost then comes back only when people return. So the share is watched.
"""

from typing import Final

import msgspec

BLOCK: Final = 200
"""Sends that are looked at together, and the block before: enough that chance does not decide."""
MOST_PERCENT: Final = 20
"""Of them. A list that nobody wrote to for a year loses about a tenth; a wrong setting, most."""
CALM_PERCENT: Final = 10
"""When the share has fallen to this, the provider is believed again."""
TRUSTED: Final = 24 * 3_600_000
"""Milliseconds for which an admin's word that the provider is right counts: a campaign's length."""


class Toll(msgspec.Struct, frozen=True):
    """What one provider said of its last messages: this block, and the one before.

    held_since: since when its word is not carried out (ms). trusted_until: until when it is in any
    case.
    """

    sends: int = 0
    deaths: int = 0
    old_sends: int = 0
    old_deaths: int = 0
    held_since: int | None = None
    trusted_until: int = 0

    @property
    def all_sends(self) -> int:
        return self.sends + self.old_sends

    @property
    def all_deaths(self) -> int:
        return self.deaths + self.old_deaths

    def allowed(self, percent: int) -> int:
        """So many deaths are this share; of few sends as many as of a whole block."""
        return max(self.all_sends, BLOCK) * percent // 100


def weigh(toll: Toll, sends: int, deaths: int, now: int) -> tuple[Toll, int]:
    """The toll with these in it, and how many of the deaths are to be carried out."""
    seen = msgspec.structs.replace(toll, sends=toll.sends + sends, deaths=toll.deaths + deaths)
    excess = seen.all_deaths - seen.allowed(MOST_PERCENT)
    calm = seen.all_deaths <= seen.allowed(CALM_PERCENT)
    held = toll.held_since
    if now < toll.trusted_until or calm:
        held, carried = None, deaths
    elif held is not None:
        carried = 0
    elif excess > 0:
        held, carried = now, max(0, deaths - excess)
    else:
        carried = deaths
    return _turned(msgspec.structs.replace(seen, held_since=held)), carried


def trusted(now: int) -> Toll:
    """The toll of a provider that an admin says is right: it is counted anew."""
    return Toll(trusted_until=now + TRUSTED)


def _turned(toll: Toll) -> Toll:
    """A full block becomes the one before; one that is more than full is scaled down to a block."""
    if toll.sends < BLOCK:
        return toll
    deaths = -(-toll.deaths * BLOCK // toll.sends)
    return msgspec.structs.replace(toll, sends=0, deaths=0, old_sends=BLOCK, old_deaths=deaths)
