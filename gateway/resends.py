"""Sending again, over HTTP, what was given up: its provider was away for longer than it waits."""

from typing import Any, Final

import msgspec
from litestar import Request, Response, post

from angarium.core.bus.subjects import feedback_subject
from angarium.core.delivery.feedback import OPERATOR, RESEND
from angarium.core.delivery.keys import make_id
from angarium.core.delivery.resends import may_be_resent, resend_id
from angarium.core.delivery.status import DeliveryState
from angarium.gateway import examples
from angarium.gateway.answers import refused, told
from angarium.gateway.deliveries import ABSENT, WRITE, find_delivery
from angarium.gateway.idempotency import IdempotencyKey, once
from angarium.gateway.keyring import Caller
from angarium.gateway.parts import Parts
from angarium.gateway.paths import Id
from angarium.gateway.problems import Problem, Refusal
from angarium.gateway.publishing import publish

EXAMPLE: Final = {"delivery": "dlv_abcdefghijklmnopqrstuvwx", "resendOf": examples.DELIVERY_ID}


class ResentBody(msgspec.Struct, rename="camel"):
    """It was taken: within moments `delivery` is planned in the place of `resendOf`."""

    delivery: str
    resend_of: str


@post(
    "/v1/deliveries/{delivery_id:str}/resend",
    guards=[WRITE],
    status_code=202,
    responses={
        202: told(ResentBody, EXAMPLE),
        409: refused("It was sent, may have been, is waiting, or was refused by a gate."),
        **ABSENT,
    },
    summary="Send again a delivery that was given up",
    description=(
        "Scope: deliveries:write. Of a delivery `failed`, or `skipped` as `expired`. A new one is "
        "planned, due at once and of use for as long as the first was; all gates judge it anew, so "
        "it reaches nobody who has opted out meanwhile. Asking twice plans one."
    ),
    tags=["deliveries"],
)
async def resend_delivery(
    parts: Parts,
    caller: Caller,
    request: Request[Any, Any, Any],
    delivery_id: Id,
    idempotency_key: IdempotencyKey = None,
) -> Response[bytes]:
    async def work(_: str) -> ResentBody:
        found = (await find_delivery(parts, caller, request)).listed
        if not may_be_resent(found.state, found.reason):
            raise Refusal(Problem.CONFLICT, _why_not(found.state, found.reason))
        body = {
            "delivery": found.id,
            "kind": OPERATOR,
            "status": RESEND,
            "at": parts.now(),
            "id": make_id("fbk_", found.id, OPERATOR, RESEND),
        }
        await publish(parts.bus, feedback_subject(caller.workspace), body)
        return ResentBody(resend_id(caller.workspace, found.id), found.id)

    return await once(parts, caller, request, work, status=202)


def _why_not(state: str, reason: str) -> str:
    if state == DeliveryState.IN_DOUBT:
        return "it is in_doubt, and may have been sent: release it with resend"
    if state == DeliveryState.SKIPPED:
        return f"it was skipped ({reason}), and would be again"
    return f"it is {state}, not failed"
