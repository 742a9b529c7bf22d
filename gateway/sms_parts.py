"""What a text message will cost, over HTTP: its parts, before anybody is sent it (N7)."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec
from litestar import post
from litestar.params import JSONBody
from msgspec import Meta

from angarium.core.delivery.codes import SAMPLE
from angarium.core.delivery.keys import make_id
from angarium.core.store import reading
from angarium.core.store.protocol import Transaction
from angarium.gateway import examples
from angarium.gateway.answers import told
from angarium.gateway.auth import requires
from angarium.gateway.keyring import Caller
from angarium.gateway.parts import AllParts, Parts
from angarium.gateway.problems import Problem, Refusal
from angarium.plugins.sms import Alphabet, split_sms

MOST_NAMED: Final = 20
"""People whom one question names."""
LETTERS: Final = 64 * 1024
"""Of a template, as in a campaign."""
UserId = Annotated[str, Meta(min_length=1, max_length=100)]
Person = tuple[str | None, Mapping[str, Any]]
"""A userId and attributes."""
SOMEBODY: Final[Person] = (None, {})


class SmsPartsQuery(msgspec.Struct, forbid_unknown_fields=True):
    """A text, as in a campaign's `content.sms`; `to`: who it is filled in for, by userId."""

    text: Annotated[str, Meta(min_length=1, max_length=LETTERS)]
    to: Annotated[list[UserId], Meta(min_length=1, max_length=MOST_NAMED)] | None = None


class SmsPartsBody(msgspec.Struct, rename="camel"):
    """The text as it would go out; a vendor charges for each part. An empty one is not sent."""

    user_id: str | None
    text: str
    alphabet: Alphabet
    parts: int
    cost: float | None
    currency: str | None


class SmsPartsAnswer(msgspec.Struct):
    """One for each person; one in all where nobody was named."""

    data: list[SmsPartsBody]


@post(
    "/v1/sms/parts",
    guards=[requires("campaigns:read")],
    status_code=200,
    responses={200: told(SmsPartsAnswer, {"data": [examples.SMS_PARTS]})},
    summary="Count the parts of a text message, and what they cost",
    description=(
        f"Scope: campaigns:read. For up to {MOST_NAMED} people named in `to`, or for somebody of "
        "whom nothing is known. Of an event nothing is known; a promo code is shown as "
        f"{SAMPLE}. What a part costs is set in `[sms]`. Nothing is sent."
    ),
    tags=["campaigns"],
)
async def count_sms_parts(
    parts: Parts, caller: Caller, data: JSONBody[SmsPartsQuery]
) -> SmsPartsAnswer:
    people: Sequence[Person] = [SOMEBODY]
    if data.to is not None:
        async with parts.store.reading() as tx:
            people = await _find(tx, caller.workspace, list(dict.fromkeys(data.to)))
    # In a thread: a template may take its time, and the doors are open meanwhile.
    return SmsPartsAnswer(await asyncio.to_thread(_count, parts, data.text, people))


async def _find(tx: Transaction, workspace: str, named: Sequence[str]) -> list[Person]:
    people: list[Person] = []
    errors: list[tuple[str, str]] = []
    for index, user_id in enumerate(named):
        found = None
        if "\0" not in user_id:
            found = await reading.find_profile(tx, workspace, "user", user_id)
        if found is None:
            errors.append((f"/to/{index}", "nobody has this userId"))
        else:
            people.append((user_id, found.attributes))
    if errors:
        raise Refusal(Problem.INVALID, errors=errors)
    return people


def _count(parts: AllParts, text: str, people: Sequence[Person]) -> list[SmsPartsBody]:
    return [
        _priced(parts, user_id, filled)
        for (user_id, _), filled in zip(people, _filled(parts, text, people), strict=True)
    ]


def _filled(parts: AllParts, text: str, people: Sequence[Person]) -> Iterator[str]:
    # Imported by the first question, so that the doors open sooner: it brings all of Liquid.
    from angarium.core.delivery.templates import RenderFailed, Templates

    templates = Templates(1, parts.plugins.filters)
    scope: Mapping[str, Any] = {
        "event": {},
        "data": {},
        "code": SAMPLE,
        "links": {"unsubscribe": parts.links.unsubscribe(make_id("dlv_", "nobody"))},
    }
    for _, attributes in people:
        try:
            yield templates.render(text, {**scope, "profile": attributes})
        except RenderFailed as failure:
            raise Refusal(Problem.INVALID, errors=[("/text", str(failure))]) from failure


def _priced(parts: AllParts, user_id: str | None, text: str) -> SmsPartsBody:
    price = parts.settings.sms.part_price
    split = split_sms(text)
    count = len(split.texts) if text.strip() else 0
    return SmsPartsBody(
        user_id=user_id,
        text=text,
        alphabet=split.alphabet,
        parts=count,
        cost=round(count * price, 4) if price else None,
        currency=parts.settings.sms.currency if price else None,
    )
