"""Ask the instance what came of it: nothing here is worked out, all of it is read over the API."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from angarium.gateway.demo.client import Client, segment
from angarium.gateway.demo.people import Person
from angarium.gateway.demo.screen import Move

PAGE = 100

STATES = ("waiting", "accepted", "failed", "skipped", "cancelled", "in_doubt")
"""The six that `planned` is the sum of."""


class PeopleFigures(msgspec.Struct, frozen=True):
    """Of the shop's people. browsers: anonymous ids that turned out to be a known person's."""

    known: int
    anonymous: int
    browsers: int
    in_several_browsers: int
    opted_out: int


class CampaignFigures(msgspec.Struct, frozen=True):
    """totals, reactions: as GET /v1/campaigns/{id}/stats has them. waiting: runs that wait.

    skipped: by reason.
    """

    id: str
    name: str
    enrolled: int
    waiting: int
    stopped: int
    totals: Mapping[str, int]
    skipped: Mapping[str, int]
    reactions: Mapping[str, int]


class Reject(msgspec.Struct, frozen=True):
    """What was not stored, and why; `field` is "" for a whole message."""

    field: str
    code: str
    reason: str
    value: str | None


async def count_stored(client: Client) -> Counter[str]:
    """How often each event has occurred, by its name."""
    page = await client.get("/v1/events", limit=PAGE)
    return Counter({event["name"]: event["count"] for event in page["data"]})


async def read_campaign(client: Client, id_: str, name: str) -> CampaignFigures:
    """The figures of one campaign."""
    stats = await client.get(f"/v1/campaigns/{id_}/stats", group_by="reason")
    return CampaignFigures(
        id=id_,
        name=name,
        enrolled=stats["enrolled"],
        waiting=stats["waiting"],
        stopped=stats["cancelled_by_stop"],
        totals=stats["totals"],
        skipped={
            group["reason"]: group["skipped"] for group in stats["groups"] if group["skipped"]
        },
        reactions=stats["reactions"],
    )


async def read_people(client: Client, people: Sequence[Person], move: Move) -> PeopleFigures:
    """Look everybody up, by their user id or the anonymous id that they came with."""
    found: list[dict[str, Any]] = []
    for number, person in enumerate(people, 1):
        profile = await find_profile(client, person)
        found += [profile] if profile is not None else []
        move(number, len(people))
    known = [profile for profile in found if profile["known"]]
    browsers = [len(profile["anonymousIds"]) for profile in known]
    return PeopleFigures(
        known=len(known),
        anonymous=len(found) - len(known),
        browsers=sum(browsers),
        in_several_browsers=sum(count > 1 for count in browsers),
        opted_out=sum(map(is_opted_out, known)),
    )


async def find_profile(client: Client, person: Person) -> dict[str, Any] | None:
    """The person's profile, if the instance has one."""
    name = person.user_id or f"anonymous:{person.browsers[0]}"
    found: dict[str, Any] | None = await client.find(f"/v1/profiles/{segment(name)}")
    return found


def is_opted_out(profile: Mapping[str, Any]) -> bool:
    """Whether they said that they want no email."""
    return bool(profile["consents"]["email"]["state"] == "opted_out")


async def read_rejects(client: Client) -> list[Reject]:
    """The last hundred things that were not stored."""
    page = await client.get("/v1/rejects", limit=PAGE)
    return [Reject(row["field"], row["code"], row["reason"], row["value"]) for row in page["data"]]


async def find_skipped(client: Client, campaign: str, reason: str) -> str | None:
    """The user id of somebody known for whom the campaign was skipped for this reason."""
    page = await client.get(
        "/v1/deliveries", campaign=campaign, status="skipped", reason=reason, limit=PAGE
    )
    return next((row["userId"] for row in page["data"] if row["userId"]), None)


async def explain(client: Client, user_id: str, campaign: str) -> dict[str, Any] | None:
    """The last decision on a person and a campaign that passed the gates or did not."""
    path = f"/v1/profiles/{segment(user_id)}/explain"
    found = await client.get(path, campaign=campaign)
    decisions: list[dict[str, Any]] = found["decisions"]
    return next((one for one in decisions if one["delivery"] and one["gates"]), None)


def add_up(campaigns: Sequence[CampaignFigures]) -> Counter[str]:
    """The totals of all of them together."""
    total: Counter[str] = Counter()
    for campaign in campaigns:
        total.update(campaign.totals)
    return total
