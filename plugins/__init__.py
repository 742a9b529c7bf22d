"""What a channel plugin is. Plugin authors import from here, and from nowhere else of ours.

`angarium.plugins.settings` adds `Secret`, and `angarium.plugins.testing` the conformance kit.
"""

from angarium.plugins.callback import CallbackRequest, StatusUpdate
from angarium.plugins.channel import Channel
from angarium.plugins.failures import InDoubt, PermanentFailure, TemporaryFailure
from angarium.plugins.hookspecs import hookimpl
from angarium.plugins.message import Accepted, EmailContent, Message, PushContent, SmsContent
from angarium.plugins.provider import Provider

__all__ = [
    "Accepted",
    "CallbackRequest",
    "Channel",
    "EmailContent",
    "InDoubt",
    "Message",
    "PermanentFailure",
    "Provider",
    "PushContent",
    "SmsContent",
    "StatusUpdate",
    "TemporaryFailure",
    "hookimpl",
]
