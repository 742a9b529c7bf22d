"""Notifications for the tests of mobile push."""

from typing import Any

from angarium.plugins import Message, PushContent

AT = 1_790_000_000_000
MINUTE = 60_000


def push_message(number: int = 1, **changes: Any) -> Message:
    """A message for the delivery `dlv_<number>`; `content` holds PushContent's fields."""
    content = changes.pop("content", {"title": "سلام", "body": "متن"})
    fields: dict[str, Any] = {
        "key": f"dlv_{number}",
        "delivery": f"dlv_{number}",
        "address": "0123456789abcdef",
        "content": PushContent(**content),
        "at": AT,
        **changes,
    }
    return Message(**fields)
