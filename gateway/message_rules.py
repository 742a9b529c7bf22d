"""The operator's rules of all messages, from the settings."""

from angarium.config.settings import Messages
from angarium.core.delivery.rules import MessageRules, parse_cap, parse_quiet_hours
from angarium.core.events.times import HOUR, MINUTE


def message_rules(settings: Messages) -> MessageRules:
    """What `[messages]` asks; the settings have been checked."""
    caps = {
        "": settings.caps,
        "marketing": settings.marketing_caps,
        "transactional": settings.transactional_caps,
    }
    return MessageRules(
        open_hours=parse_quiet_hours(settings.quiet_hours),
        caps=tuple(parse_cap(text, class_) for class_, texts in caps.items() for text in texts),
        classes=frozenset(settings.classes),
        patience=settings.hold_hours * HOUR,
        app_open=settings.app_open_minutes * MINUTE,
    )
