"""What a campaign says on channels that plugins add, checked as it will be when it is sent."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from angarium.core.campaigns.content import FIELDS, CheckTemplate
from angarium.core.segments.reader import child
from angarium.plugins.channel import Channel

Fault = tuple[str, str]
"""(JSON pointer, what is wrong)"""
Part: TypeAlias = "str | int | float | bool | list[Part] | dict[str, Part] | None"
"""A member of a content, as in the campaign's JSON."""

_PLACE: Final = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<where>[^`]*)`)?", re.DOTALL)
_STEP: Final = re.compile(r"[.\[]([^.\[\]]+)")


def faults_in(
    messages: Mapping[str, Mapping[str, Any]],
    channels: Mapping[str, Channel],
    check: CheckTemplate,
) -> Iterator[Fault]:
    """The faults in `content` of a campaign that has been read.

    messages: by channel, of which ours have been checked, and of the others the texts at the top.
    """
    for name, message in messages.items():
        if name in FIELDS:
            continue
        place = child("/content", name)
        yield from _shape(message, channels[name], place)
        for member, value in message.items():
            if not isinstance(value, str):
                yield from _templates(value, child(place, member), check)


def _shape(message: Mapping[str, Any], channel: Channel, place: str) -> Iterator[Fault]:
    try:
        msgspec.convert(message, channel.content)
    except msgspec.ValidationError as error:
        found = _PLACE.fullmatch(str(error))
        what, where = (found["what"], found["where"] or "") if found else (str(error), "")
        for step in _STEP.findall(where):
            place = child(place, step)
        yield place, what.replace("`", "")
    except (Exception, SystemExit) as error:
        yield place, f"the plugin of this channel cannot read it: {type(error).__name__}"


def _templates(value: Part, place: str, check: CheckTemplate) -> Iterator[Fault]:
    """The texts within lists and objects are templates too."""
    if isinstance(value, str):
        try:
            check(value, html=False)
        except ValueError as error:
            yield place, str(error)
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _templates(member, child(place, name), check)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _templates(member, child(place, index), check)
