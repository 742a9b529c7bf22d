"""A notification as Apple's phones take it: the headers and the `aps` dictionary.

Sent by us to APNs, or by FCM for us.
"""

from hashlib import blake2b
from typing import Any, Final

from angarium.channels._push_content import (
    carries_data_only,
    check_names,
    check_shown,
    check_size,
    custom_data,
    encode,
    expires_at,
    live_data,
)
from angarium.plugins import Message, PushContent

MAX_COLLAPSE_BYTES: Final = 64

_NAME = "push_apns"


def compose(message: Message) -> bytes:
    """The body of a request to APNs. Raises PermanentFailure for what APNs would not take."""
    content: PushContent = message.content
    check_shown(_NAME, content)
    check_names(_NAME, content.data, reserved=("aps",))
    data = {**custom_data(message), **live_data(content)}
    if content.image and not carries_data_only(content):
        data["image"] = content.image  # for the app's extension to fetch
    body = encode(_NAME, {"aps": aps(content), **data})
    check_size(_NAME, len(body))
    return body


def aps(content: PushContent) -> dict[str, Any]:
    """The part that iOS itself reads."""
    if carries_data_only(content):
        return {"content-available": 1}
    alert = {"title": content.title, "body": content.body}
    category = {"category": category_of(content)} if content.buttons else {}
    return {
        "alert": {name: text for name, text in alert.items() if text},
        "sound": "default",
        # Lets the app's extension fetch the image, make the buttons and report that it was shown.
        "mutable-content": 1,
        **category,
    }


def category_of(content: PushContent) -> str:
    """The buttons' ids: under this name an app registers the actions that iOS shows for them."""
    return ".".join(button.id for button in content.buttons)


def headers(message: Message) -> dict[str, str]:
    """Push type, priority, expiration and collapse id, as both services take them."""
    content: PushContent = message.content
    background = carries_data_only(content)
    chosen = {
        "apns-push-type": "background" if background else "alert",
        # Apple refuses background notifications of any higher priority.
        "apns-priority": "5" if background else "10",
    }
    expires = expires_at(message)
    if expires is not None:
        chosen["apns-expiration"] = str(expires // 1000 if expires > message.at else 0)
    if content.collapse:
        chosen["apns-collapse-id"] = _collapse_id(content.collapse)
    elif not background:
        # A message that came twice is then seen once.
        chosen["apns-collapse-id"] = _collapse_id(message.key)
    return chosen


def _collapse_id(text: str) -> str:
    """The text itself where a header can hold it; else a digest, the same for the same text."""
    printable = text.isascii() and text.isprintable() and text == text.strip()
    if printable and len(text) <= MAX_COLLAPSE_BYTES:
        return text
    return blake2b(text.encode("utf-8", "replace"), digest_size=20).hexdigest()
