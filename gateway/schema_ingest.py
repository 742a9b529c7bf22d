"""The ingest paths in OpenAPI's words: they are served below Litestar, which cannot see them."""

from collections.abc import Mapping
from typing import Any, Final

Json = dict[str, Any]

STATUSES: Final[Mapping[int, str]] = {
    400: "The body cannot be read.",
    401: "No key, or one that is not in force.",
    408: "The body did not arrive within 30 seconds.",
    413: "The body, packed or unpacked, or the batch is too large.",
    415: "The Content-Encoding is not gzip, deflate or identity.",
    422: "The message is not valid; `code` says why. Of a batch: it is empty.",
    429: "Too much at once: wait as long as Retry-After says.",
    503: "It cannot be made durable now: repeat it after Retry-After.",
}

WHO: Final[Json] = {
    "userId": "user-1",
    "messageId": "9b4c",
    "timestamp": "2026-11-22T10:00:00.000Z",
}
EXAMPLES: Final[Mapping[str, Json]] = {
    "track": {**WHO, "event": "Purchase", "properties": {"amount": 250_000, "category": "shoes"}},
    "identify": {**WHO, "traits": {"email": "sara@example.org", "city": "Tehran"}},
    "page": {**WHO, "name": "Shoes", "properties": {"url": "https://shop.example.org/shoes"}},
    "screen": {**WHO, "name": "Shoes"},
    "group": {**WHO, "groupId": "club-7", "traits": {"name": "Runners"}},
    "alias": {**WHO, "previousId": "anonymous-1"},
}
SUMMARIES: Final[Mapping[str, str]] = {
    "track": "Record what somebody did",
    "identify": "State who somebody is",
    "page": "Record a visit to a page",
    "screen": "Record a visit to a screen",
    "group": "State that somebody belongs to a group",
    "alias": "State that an anonymous person is a known one",
}
BATCH_EXAMPLE: Final[Json] = {
    "batch": [{"type": "track", **EXAMPLES["track"]}, {"type": "identify", **EXAMPLES["identify"]}],
    "sentAt": "2026-11-22T10:00:01.000Z",
}

_ID: Final[Json] = {"type": ["string", "number", "null"], "maxLength": 128}
_FREE: Final[Json] = {"type": "object", "additionalProperties": True}
_TIME: Final[Json] = {"type": "string", "format": "date-time"}

SCHEMAS: Final[Json] = {
    "IngestMessage": {
        "type": "object",
        "description": "A message in the Segment shape. It needs a userId or an anonymousId.",
        "properties": {
            "type": {"enum": list(EXAMPLES), "description": "In a batch; else the path says it."},
            "messageId": {"type": "string", "maxLength": 128, "description": "Stored only once."},
            "userId": _ID,
            "anonymousId": _ID,
            "timestamp": _TIME,
            "sentAt": _TIME,
            "event": {"type": "string", "maxLength": 200},
            "properties": _FREE,
            "traits": _FREE,
            "context": _FREE,
        },
    },
    "IngestBatch": {
        "type": "object",
        "required": ["batch"],
        "properties": {
            "batch": {
                "type": "array",
                "minItems": 1,
                "items": {"$ref": "#/components/schemas/IngestMessage"},
            },
            "sentAt": _TIME,
        },
    },
    "IngestSuccess": {
        "type": "object",
        "required": ["success"],
        "properties": {
            "success": {"const": True},
            "rejected": {
                "type": "array",
                "description": "Members of a batch that were not taken; all others are stored.",
                "items": {
                    "type": "object",
                    "properties": {
                        "index": {"type": "integer"},
                        "code": {"type": "string"},
                        "reason": {"type": "string"},
                        "field": {"type": "string"},
                    },
                },
            },
        },
    },
}


def ingest_paths() -> Json:
    """One path for each type of message, and the one for batches; short forms are not listed."""
    singles = {
        f"/v1/{kind}": _path(kind, SUMMARIES[kind], "IngestMessage", example)
        for kind, example in EXAMPLES.items()
    }
    return {**singles, "/v1/batch": _path("batch", "Send many", "IngestBatch", BATCH_EXAMPLE)}


def _path(name: str, summary: str, schema: str, example: Json) -> Json:
    ok = {"schema": {"$ref": "#/components/schemas/IngestSuccess"}, "example": {"success": True}}
    body = {
        "schema": {"$ref": f"#/components/schemas/{schema}"},
        "examples": {name: {"value": example}},
    }
    operation: Json = {
        "tags": ["ingest"],
        "operationId": f"Ingest{name.title()}",
        "summary": summary,
        "description": "Answered when it is durable. The Content-Type does not matter; "
        "Content-Encoding may be gzip or deflate. The key stands as Basic user name, in "
        f"X-Write-Key, as Bearer, or as writeKey in the body. `/v1/{name[0]}` is the same.",
        "security": [{"write": []}],
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": {
            "200": {"description": "It is stored.", "content": {"application/json": ok}},
            **{str(status): {"description": text} for status, text in STATUSES.items()},
        },
    }
    return {"post": operation}
