"""Campaigns as bodies: the documented shape, editions, and changes of parts."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, cast

import msgspec
from litestar import Response
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg, QueryParameter

from angarium.core.events.times import parse_instant
from angarium.core.store.campaigns import STATES, StoredCampaign
from angarium.gateway.instants import instant
from angarium.gateway.problems import Problem, Refusal

Json = dict[str, Any]

OURS: Final = ("id", "version", "state", "createdAt", "updatedAt", "activatedAt")
"""Members that a definition does not have: they are told, never taken."""

EXAMPLE: Final[dict[str, Any]] = {
    "name": "Abandoned cart",
    "class": "marketing",
    "audience": {"attribute": "city", "is": "Tehran"},
    "send_at": {"trigger": {"event": "AddToCart"}, "delay": "P1D", "stop": {"event": "Purchase"}},
    "content": {
        "order": ["email"],
        "email": {
            "subject": "{{ profile.first_name | default: 'Hello' }}, your cart waits",
            "html": "<p>{{ event.properties.product }} is still there.</p>",
        },
    },
}
Definition = Annotated[
    dict[str, Any], BodyKwarg(examples=[Example(summary="Abandoned cart (S1.5)", value=EXAMPLE)])
]
CampaignState = Annotated[
    str | None, QueryParameter(name="state", description="One of " + ", ".join(STATES) + ".")
]


class CampaignBody(msgspec.Struct, rename="camel", kw_only=True):
    """A campaign: the members of its definition, and beside them where it stands."""

    id: str
    version: int
    state: Literal["draft", "active", "paused", "archived"]
    created_at: str
    updated_at: str
    activated_at: str | None
    name: str
    class_: str = msgspec.field(name="class")
    content: dict[str, Any]


def body_of(stored: StoredCampaign) -> dict[str, Any]:
    """A campaign as it is answered."""
    return {
        "id": stored.id,
        "version": stored.version,
        "state": stored.state,
        "createdAt": instant(stored.created_at),
        "updatedAt": instant(stored.updated_at),
        "activatedAt": instant(stored.activated_at),
        **stored.body,
    }


def tagged(response: Response[bytes]) -> Response[bytes]:
    """The answer with the edition that it shows as its ETag."""
    body = msgspec.json.decode(response.content, type=dict[str, Any])
    response.headers["ETag"] = _etag(body["version"], body["state"], body["updatedAt"])
    return response


def check_match(header: str | None, stored: StoredCampaign) -> None:
    """Refuse with 412 unless `If-Match`, if sent, names the present edition (RFC 9110, 13.1.1)."""
    if header is None or header.strip() == "*":
        return
    present = _etag(stored.version, stored.state, instant(stored.updated_at))
    if present not in [tag.strip() for tag in header.split(",")]:
        raise Refusal(Problem.PRECONDITION_FAILED, headers={"ETag": present})


def without_unchanged(body: Mapping[str, Any], stored: StoredCampaign) -> dict[str, Any]:
    """`body` without the members that we told and that still say the same.

    So what was read may be sent back; one that says something else stays, and is refused.
    """
    told = body_of(stored)
    return {name: value for name, value in body.items() if name not in OURS or value != told[name]}


def merge_patch(old: Any, change: Any) -> Any:
    """RFC 7396: objects are merged member by member, null takes away, anything else replaces."""
    if not isinstance(change, dict):
        return change
    merged = dict(cast("Json", old)) if isinstance(old, dict) else {}
    for name, value in cast("Json", change).items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def _etag(version: int, state: str, updated_at: str) -> str:
    return f'"{version}-{state}-{parse_instant(updated_at):x}"'
