"""What the bodies of messages look like, as JSON Schema, for the documentation.

Nothing is checked by these at run time: core/events, core/delivery and the workers do that.
"""

from typing import Any, Final

from angarium.core.delivery.status import DeliveryState, Reaction

Schema = dict[str, Any]

_RECEIPTS = ("accepted", "failed", "delivered", "undelivered", "bounced", "expired")


def text(about: str, example: str | None = None, **rules: Any) -> Schema:
    """The schema of a string."""
    return {"type": "string", "description": about, **_example(example), **rules}


def instant(about: str) -> Schema:
    """The schema of an instant in RFC 3339."""
    return text(about, "2026-12-01T09:00:00.000Z", format="date-time")


def _example(example: object) -> Schema:
    return {} if example is None else {"examples": [example]}


def _object(about: str, required: list[str], properties: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "description": about,
        "required": required,
        "properties": properties,
    }


MESSAGE: Final = _object(
    "One message in Segment's shape; members that are not named here are kept out of the way.",
    [],
    {
        "type": text(
            "What it says.", "track", enum=["track", "identify", "page", "screen", "group", "alias"]
        ),
        "messageId": text("Unique; a message that comes twice counts once.", "b7c1…"),
        "userId": text("The person, if known.", "u1", maxLength=100),
        "anonymousId": text("The device or browser before anybody logged in.", "a1"),
        "previousId": text(
            "alias: the id that is to be joined to userId: a device's, or with `trusted` in the "
            "batch a known person's.",
            "a0",
        ),
        "event": text("track: the name of the event.", "Purchase"),
        "name": text("page, screen: its name.", "Home"),
        "properties": {"type": "object", "description": "track, page, screen: what is told of it."},
        "traits": {"type": "object", "description": "identify: attributes of the person."},
        "timestamp": instant("When it happened; absent: when it was stored."),
        "context": {"type": "object", "description": "Device, locale, time zone, and so on."},
    },
)

BATCH: Final = _object(
    "Up to 1,000 messages of one sender, in their order.",
    ["batch"],
    {
        "batch": {"type": "array", "maxItems": 1000, "items": MESSAGE},
        "sentAt": instant("The sender's clock as it sent them: corrects every timestamp."),
        "trusted": {
            "type": "boolean",
            "description": "Whether an alias in it may join two known people, as with an admin "
            "key. Let only services publish that may decide this.",
        },
    },
)

ARRAY: Final[Schema] = {
    "type": "array",
    "description": "Messages and batches of several senders, in their order: 1 MiB at most.",
    "maxItems": 1000,
    "items": {"anyOf": [BATCH, MESSAGE]},
}

DECISION: Final = _object(
    '"This person should get this campaign."',
    ["decisionId", "campaign", "userId"],
    {
        "decisionId": text("Unique; a decision that comes twice sends once.", "order-4711-paid"),
        "campaign": text("The campaign's id.", "cmp_…"),
        "userId": text("The person.", "u1", maxLength=100),
        "channel": text("Only on this channel; absent: the campaign's order.", "sms"),
        "data": {"type": "object", "description": "For the templates, as `data`."},
        "notBefore": instant("Not sent before."),
        "expires": instant("Not sent after."),
        "test": {
            "type": "boolean",
            "description": "A test send: the campaign's state, audience, limit and active hours do "
            "not apply; consent, address, suppressions and expiry do. It counts in the figures.",
        },
    },
)

REPORT: Final = _object(
    "One change of one delivery, or one reaction to it.",
    ["delivery", "status", "at"],
    {
        "delivery": text("The delivery's id.", "dlv_…"),
        "status": text(
            "The new state, or the reaction.",
            "accepted",
            enum=[*(state.value for state in DeliveryState), *(kind.value for kind in Reaction)],
        ),
        "reason": text("Why, where there is a reason.", "opted_out"),
        "at": instant("When it changed."),
        "campaign": text("The campaign's id.", "cmp_…"),
        "version": {"type": "integer", "description": "The version of the campaign."},
        "step": text("The step of the campaign or journey.", "start"),
        "channel": text("The channel.", "email"),
        "provider": text("The provider, once one was chosen.", "email_smtp"),
        "profile": text("The person's profile.", "prf_…"),
    },
)

REJECT: Final = _object(
    "One thing that was not stored, and why.",
    ["at", "messageId", "field", "code", "reason"],
    {
        "at": instant("When it was refused."),
        "messageId": text("The message's id, or one given to it.", "b7c1…"),
        "field": text("Where; empty: the whole message.", "userId"),
        "code": text("Why, in a word that stays.", "too_long"),
        "reason": text("Why, and the remedy.", "a userId has at most 100 characters"),
    },
)

FEEDBACK: Final = _object(
    "What a recipient or a provider says of a message that was sent.",
    ["kind", "at", "id"],
    {
        "kind": text(
            "A reaction, `status` with the status beside it, or `consent` with the choices.",
            "clicked",
            enum=["status", "consent", *(kind.value for kind in Reaction)],
        ),
        "at": {"type": "integer", "description": "When, in ms since 1970."},
        "id": text("Unique to what happened; what comes twice counts once.", "evt_…"),
        "delivery": text("The delivery's id; or provider and providerId instead.", "dlv_…"),
        "provider": text("The provider.", "sms_kavenegar"),
        "providerId": text("The provider's own id of the message.", "8792343"),
        "status": text("What became of it.", "delivered", enum=list(_RECEIPTS)),
        "reason": text("Why.", "mailbox full"),
        "channel": text("The channel, of an opt-out that names no message.", "sms"),
        "address": text("The address, of an opt-out that names no message.", "+98912…"),
        "addressDead": {"type": "boolean", "description": "Never send to the address again."},
        "link": {"description": "The link that was clicked, or its number."},
        "choices": {
            "type": "object",
            "description": "Which channels the recipient of the delivery wants: true or false.",
            "additionalProperties": {"type": "boolean"},
        },
    },
)

WAKE_UP: Final = {"description": "Nothing that a listener may rely on; look into the ledger."}
