"""The demo from its first event to its last figure, against any running instance."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from angarium.core.workers.clock import Now
from angarium.gateway.demo import figures, reactions
from angarium.gateway.demo.campaigns import CAMPAIGNS, DemoCampaign
from angarium.gateway.demo.client import Client
from angarium.gateway.demo.figures import CampaignFigures, PeopleFigures, Reject
from angarium.gateway.demo.mails import Mail, count_mails, read_mails
from angarium.gateway.demo.screen import Screen
from angarium.gateway.demo.sending import Campaigns, Sender
from angarium.gateway.demo.shop import DUE, Shop, open_shop

LAST_PURCHASE: Final = "Order confirmation"
"""The campaign that says nothing to who unsubscribed and bought again."""


class Refused(msgspec.Struct, frozen=True):
    """Somebody who got nothing, and the decision that says why (as `explain` has it)."""

    user_id: str
    campaign: str
    campaign_id: str
    decision: Mapping[str, Any]


class Outcome(msgspec.Struct, frozen=True):
    """What came of it. rejected: messages refused at the door. events: occurrences by name.

    mails: how many the mail server's own log holds; None where that is not ours to read.
    """

    messages: int
    requests: int
    rejected: int
    people: PeopleFigures
    events: Mapping[str, int]
    campaigns: Sequence[CampaignFigures]
    rejects: Sequence[Reject]
    mails: int | None
    sample: Mail | None
    refused: Refused | None


class Runner:
    """One run of the demo. mail_log: of the instance's mail server; None: it is a stranger's."""

    def __init__(self, client: Client, screen: Screen, now: Now, mail_log: Path | None) -> None:
        self._client = client
        self._screen = screen
        self._now = now
        self._mail_log = mail_log
        self._campaigns = Campaigns(client, screen, now)

    async def run(self, seed: int, size: int, tag: str) -> Outcome:
        """Send the traffic of `size` people and wait for all that follows. Raises DemoFailed.

        tag: sets these people apart from those of an earlier run on the same instance.
        """
        before = await figures.count_stored(self._client)
        sender = Sender(self._client, self._screen, self._now, before)
        for campaign in CAMPAIGNS:
            self._campaigns.ids[campaign.name] = await self._prepare(campaign)
        began_at = self._now()
        shop = open_shop(seed, began_at, size=size, tag=tag)
        await self._tell(shop, sender)
        await self._settle(began_at + DUE[1])
        mails = read_mails(self._mail_log) if self._mail_log else []
        if mails:
            await reactions.open_and_click(self._client, self._screen, mails, seed)
        refused = await self._leave(shop, sender, mails)
        return await self._read(shop, sender, mails, refused or await self._find_refused())

    async def _prepare(self, campaign: DemoCampaign) -> str:
        """Make the campaign, unless there is one of its name already; its id."""
        page = await self._client.get("/v1/campaigns", limit=figures.PAGE)
        for found in page["data"]:
            if found["name"] == campaign.name and found["state"] in ("draft", "active"):
                return str(found["id"])
        made = await self._client.post("/v1/campaigns", campaign.definition)
        return str(made["id"])

    async def _begin(self, *, today: bool) -> None:
        for campaign in CAMPAIGNS:
            if campaign.today == today:
                id_ = self._campaigns.ids[campaign.name]
                await self._client.post(f"/v1/campaigns/{id_}/activate")

    async def _tell(self, shop: Shop, sender: Sender) -> None:
        """Campaigns of today begin when all of the past is known."""
        await self._begin(today=False)
        with self._screen.working("Sending the shop's last fortnight") as move:
            await sender.send(shop.history, move)
        await sender.until_stored()
        await self._begin(today=True)
        with self._screen.working("Sending its last minutes") as move:
            await sender.send(shop.today, move)
        await sender.until_stored()

    async def _settle(self, due_at: int) -> None:
        await self._campaigns.until_settled(due_at, all_sent=self._mail_log is not None)

    async def _leave(self, shop: Shop, sender: Sender, mails: Sequence[Mail]) -> Refused | None:
        """Somebody unsubscribes by a mail's own link and buys again: no receipt may follow."""
        found = reactions.find_leaver(mails, shop.people)
        if found is None:
            return None
        mail, person = found
        with self._screen.working(f"{person.user_id} unsubscribes, then buys again") as move:
            await reactions.unsubscribe(self._client, mail, person, self._now)
            await sender.send([reactions.buy_again(person, self._now())], move)
        await sender.until_stored()
        await self._settle(0)
        return await self._explain(person.user_id, LAST_PURCHASE)

    async def _find_refused(self) -> Refused | None:
        for reason in ("opted_out", "no_address"):  # chance may have nobody opt out
            for name, id_ in self._campaigns.ids.items():
                user_id = await figures.find_skipped(self._client, id_, reason)
                if user_id is not None:
                    return await self._explain(user_id, name)
        return None

    async def _explain(self, user_id: str, campaign: str) -> Refused | None:
        id_ = self._campaigns.ids[campaign]
        decision = await figures.explain(self._client, user_id, id_)
        return None if decision is None else Refused(user_id, campaign, id_, decision)

    async def _read(
        self, shop: Shop, sender: Sender, mails: Sequence[Mail], refused: Refused | None
    ) -> Outcome:
        with self._screen.working("Looking everybody up") as move:
            people = await figures.read_people(self._client, shop.people, move)
        persian = (mail for mail in mails if mail.is_persian and "/cart" in mail.text)
        return Outcome(
            messages=sender.messages,
            requests=sender.requests,
            rejected=sender.rejected,
            people=people,
            events=await sender.stored(),
            campaigns=await self._campaigns.figures(),
            rejects=await figures.read_rejects(self._client),
            mails=None if self._mail_log is None else count_mails(self._mail_log),
            sample=next(persian, mails[0] if mails else None),
            refused=refused,
        )
