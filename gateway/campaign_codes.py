"""What a campaign says of promo codes, checked when it is saved."""

from typing import Final

from angarium.core.campaigns.definition import CampaignDefinition
from angarium.core.delivery.record import CODE
from angarium.core.store.codes import find_list
from angarium.core.store.protocol import Transaction
from angarium.gateway.problems import Problem, Refusal

POINTER: Final = "/codes"


def check_use(definition: CampaignDefinition) -> None:
    """Refuse templates that say `code` without a list, and a list of which none says a code."""
    # Imported by the first campaign, so that the doors open sooner: it brings all of Liquid.
    from angarium.core.delivery.render import uses

    said = any(uses(CODE, dict(written)) for written in definition.content.messages.values())
    if said and not definition.codes:
        _refuse("is missing: the templates use `code`; name a list of codes, by its id or name")
    if definition.codes and not said:
        _refuse("has no meaning here: no template uses `code`; write {{ code }}, or leave it out")


async def check_list(tx: Transaction, workspace: str, ref: object) -> None:
    """Refuse a list, named by its id or name, that is not there."""
    if isinstance(ref, str) and await find_list(tx, workspace, ref) is None:
        _refuse("no list of codes has this id or name; POST /v1/code-lists makes one")


def _refuse(fault: str) -> None:
    raise Refusal(Problem.INVALID, errors=[(POINTER, fault)])
