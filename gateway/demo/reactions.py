"""What people do with the mails that they got: open, click, and one has had enough."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Final

from angarium.core.events.times import SECOND
from angarium.core.workers.clock import Now
from angarium.gateway.demo import figures
from angarium.gateway.demo.catalogue import PRODUCTS
from angarium.gateway.demo.client import Client, DemoFailed
from angarium.gateway.demo.diary import Diary, Said
from angarium.gateway.demo.mails import Mail
from angarium.gateway.demo.people import Person
from angarium.gateway.demo.screen import Screen

OPENS: Final = 0.4
CLICKS: Final = 0.35
"""The share of mails whose pictures are loaded; of those, the share whose link is followed."""
LOOK_SECONDS: Final = 0.25
PATIENCE: Final = 60 * SECOND


async def open_and_click(client: Client, screen: Screen, mails: Sequence[Mail], seed: int) -> None:
    """Load pictures and follow links, as mail programs do. Raises DemoFailed."""
    chance = Random(seed)
    opened = [mail for mail in mails if mail.opening and chance.random() < OPENS]
    with screen.working("People open their mail, and click") as move:
        for number, mail in enumerate(opened, 1):
            await client.visit(mail.opening)
            if mail.links and chance.random() < CLICKS:
                await client.visit(mail.links[0])
            move(number, len(opened))


def find_leaver(mails: Sequence[Mail], people: Sequence[Person]) -> tuple[Mail, Person] | None:
    """Somebody who got a mail with a way out of it, and that mail."""
    by_address = {person.traits.get("email"): person for person in people}
    found = (
        (mail, by_address[mail.to])
        for mail in mails
        if mail.unsubscribing and mail.is_persian and mail.to in by_address
    )
    return next(found, None)


async def unsubscribe(client: Client, mail: Mail, person: Person, now: Now) -> None:
    """One click in a mail program (RFC 8058); returns once it holds. Raises DemoFailed."""
    await client.visit(mail.unsubscribing, "POST")
    give_up_at = now() + PATIENCE
    while now() < give_up_at:
        profile = await figures.find_profile(client, person)
        if profile is not None and figures.is_opted_out(profile):
            return
        await asyncio.sleep(LOOK_SECONDS)
    raise DemoFailed(f"{person.user_id} unsubscribed, and is not opted out a minute later")


def buy_again(person: Person, now: int) -> list[Said]:
    """What they do right afterwards."""
    diary = Diary(Random(person.user_id), person, known=True)
    diary.buy(now, f"{person.user_id.removeprefix('u-')}-last", PRODUCTS[:1])
    return diary.said
