"""A channel for what has none of its own: a call centre's queue, a loyalty system, a chat room."""

from typing import Any, Final

import msgspec

from angarium.plugins import Channel, hookimpl

_LONGEST_ADDRESS: Final = 512


class WebhookContent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`content.webhook` of a campaign: what the service is told; texts in `data` are templates."""

    type: str = "message"
    data: dict[str, Any]


def parse_webhook_address(text: str) -> str:
    """By what the service knows the person. Raises ValueError."""
    if not text.isprintable() or not text.strip() or len(text) > _LONGEST_ADDRESS:
        raise ValueError(f"must be one line of 1 to {_LONGEST_ADDRESS} letters")
    return text.strip()


WEBHOOK: Final = Channel(
    name="webhook",
    consent_attribute="webhook_opt_in",
    consent_default="opted_in",
    address_attribute="webhook_id",
    address_kind="webhook_id",
    content=WebhookContent,
    parse_address=parse_webhook_address,
)


@hookimpl
def register_channels() -> list[Channel]:
    return [WEBHOOK]
