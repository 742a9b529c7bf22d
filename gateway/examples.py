"""Examples for the schema, as the answers of a small shop."""

from typing import Any, Final

Json = dict[str, Any]

AT: Final = "2026-11-21T12:00:00.000Z"
DELIVERY_ID: Final = "dlv_mzxw6ytboi4dsnzvgq2tmnzy"
CAMPAIGN_ID: Final = "cmp_gezdgnbvgy3tqojqgezdgnbv"

PERSON: Final[Json] = {
    "id": "prf_orsxg5bamnqxg5bamnqxg5ba",
    "userId": "u1",
    "known": True,
    "attributes": {"email": "sara@example.org", "city": "Tehran"},
    "createdAt": "2026-11-20T08:30:00.000Z",
    "lastSeenAt": AT,
}
PROFILE: Final[Json] = {
    **PERSON,
    "anonymousIds": ["a1", "a2"],
    "consents": {"email": {"state": "opted_in", "reason": "default", "at": AT}},
    "devices": [
        {"id": "d1", "type": "android", "seenAt": AT, "channel": "push", "state": "live"}
        | {"deadAt": None, "deadReason": None}
    ],
    "events": {"Purchase": {"first": AT, "last": AT, "count": 1}},
}
ENTRY: Final[Json] = {
    "at": AT,
    "kind": "event",
    "name": "Purchase",
    "properties": {"amount": 5},
    "device": "d1",
    "messageId": "m1",
}
EXPLAIN: Final[Json] = {
    "decisions": [
        {
            "at": AT,
            "source": {"campaign": CAMPAIGN_ID, "version": 1, "step": "send"},
            "outcome": "skipped",
            "reason": "opted_out",
            "gates": [
                {
                    "gate": "opt_in",
                    "verdict": "skip",
                    "reason": "opted_out",
                    "saw": {"consent": "opted_out"},
                }
            ],
            "delivery": DELIVERY_ID,
            "state": "skipped",
            "channel": "email",
        }
    ]
}
EVENT_NAME: Final[Json] = {
    "name": "Purchase",
    "count": 3,
    "firstAt": AT,
    "lastAt": AT,
    "properties": {"amount": "number", "category": "string"},
}
EVENT_STATS: Final[Json] = {
    "window": "12h",
    "total": 3,
    "people": 2,
    "buckets": [{"from": "2026-11-21T11:30:00.000Z", "count": 1}, {"from": AT, "count": 2}],
}
FIGURES: Final[Json] = {
    "totals": {
        "planned": 100,
        "waiting": 0,
        "accepted": 80,
        "failed": 2,
        "skipped": 15,
        "cancelled": 3,
        "in_doubt": 0,
    },
    "receipts": {"delivered": 78, "undelivered": 0, "bounced": 1, "expired": 0},
    "reactions": {"opened": 30, "clicked": 9},
    "reactions_total": {"opened": 41, "clicked": 12},
    "unknown": 0,
    "groups": [],
}
CAMPAIGN_FIGURES: Final[Json] = {
    **FIGURES,
    "enrolled": 120,
    "waiting": 20,
    "cancelled_by_stop": 12,
}
DELIVERY: Final[Json] = {
    "id": DELIVERY_ID,
    "source": "campaign",
    "campaign": CAMPAIGN_ID,
    "version": 1,
    "step": "send",
    "profile": PERSON["id"],
    "userId": "u1",
    "channel": "email",
    "class": "marketing",
    "promise": "at_most_once",
    "test": False,
    "state": "delivered",
    "reason": "",
    "provider": "email_smtp",
    "providerId": "<1@mail.example.org>",
    "dueAt": AT,
    "expiresAt": "2026-11-22T12:00:00.000Z",
    "attempt": 1,
    "resends": 0,
    "plannedAt": AT,
    "updatedAt": AT,
    "handedAt": AT,
    "acceptedAt": AT,
    "triggeredAt": AT,
    "device": None,
    "requestId": None,
    "reactions": {"opened": {"first": AT, "count": 2}},
}
FULL_DELIVERY: Final[Json] = {
    **DELIVERY,
    "run": None,
    "generation": 1,
    "gates": [{"gate": "opt_in", "verdict": "send", "reason": "", "saw": {}}],
    "event": {"name": "AddToCart", "properties": {"product": "A"}, "timestamp": AT},
    "data": None,
    "code": None,
    "links": ["https://shop.example.org/cart"],
    "history": [{"status": "planned", "at": AT}, {"status": "delivered", "at": AT}],
}
CAMPAIGN: Final[Json] = {
    "id": CAMPAIGN_ID,
    "version": 1,
    "state": "draft",
    "createdAt": AT,
    "updatedAt": AT,
    "activatedAt": None,
    "name": "Welcome",
    "class": "marketing",
    "content": {"sms": {"text": "Welcome, {{ profile.first_name | default: 'friend' }}!"}},
}
DECISION: Final[Json] = {
    "decisionId": "order-17-shipped",
    "campaign": CAMPAIGN_ID,
    "userId": "u1",
    "data": {"order": 17},
    "expires": "2026-11-22T12:00:00Z",
}
REJECT: Final[Json] = {
    "at": AT,
    "messageId": "m1",
    "field": "email",
    "code": "bad_email",
    "reason": "write it like a@example.org",
    "value": "sara(at)example",
}
SUPPRESSION: Final[Json] = {
    "channel": "email",
    "address": "a@example.org",
    "reason": "operator",
    "at": AT,
}
CODES: Final = ["SPRING-7F3K", "SPRING-9QX2", "SPRING-B41M"]
CODE_LIST: Final[Json] = {
    "id": "cdl_gezdgnbvgy3tqojqgezdgnbv",
    "name": "Spring",
    "total": 3,
    "free": 3,
    "given": 0,
    "createdAt": AT,
}
SMS_PARTS: Final[Json] = {
    "userId": "u1",
    "text": "سلام سارا! سبد خرید شما هنوز اینجاست.",
    "alphabet": "ucs2",
    "parts": 1,
    "cost": 1200,
    "currency": "IRR",
}
TESTER: Final[Json] = {"userId": "u1", "since": AT}


def page(row: Json) -> Json:
    """A list of one row."""
    return {"data": [row], "next_cursor": None}
