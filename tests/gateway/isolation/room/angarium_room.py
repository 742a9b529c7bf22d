"""All that a plugin may add: a channel, its provider, a filter, a gate, a report listener."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from angarium.plugins import (
    Accepted,
    CallbackRequest,
    Channel,
    Message,
    Provider,
    StatusUpdate,
    hookimpl,
)
from angarium.plugins.gates import Candidate, Gate, Send, Skip
from angarium.plugins.reports import Listener, Report
from angarium.plugins.settings import Secret


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    value: str = ""


class RoomContent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`content.room` of a campaign."""

    body: str
    rows: tuple[Row, ...] = ()
    urgent: bool = False


ROOM = Channel(
    name="room",
    consent_attribute="roomConsent",
    consent_default="unset",
    address_attribute="room_number",
    address_kind="room_number",
    content=RoomContent,
    parse_address=lambda text: f"!{int(text)}",
)


class RoomBoardSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[channels.room_board]`."""

    log: str
    hook: Secret


class RoomBoard(Provider):
    """Writes what it is given into a file."""

    name: ClassVar[str] = "room_board"
    channel: ClassVar[str] = "room"
    Settings: ClassVar[type] = RoomBoardSettings

    def __init__(self, settings: RoomBoardSettings) -> None:
        self._settings = settings

    async def send(self, message: Message) -> Accepted:
        content: RoomContent = message.content
        line = {
            "to": message.address,
            "body": content.body,
            "rows": content.rows,
            "leave": message.unsubscribe_url,
        }
        _write(self._settings.log, line)
        return Accepted(provider_id=f"board{message.address}")

    def parse_callback(self, request: CallbackRequest) -> Sequence[StatusUpdate]:
        if request.query.get("hook") != self._settings.hook.reveal():
            raise PermissionError("not the board")
        if request.method == "GET":
            return [StatusUpdate(status="delivered", provider_id=request.query["id"])]
        return [StatusUpdate(status="opened", provider_id=request.body.decode())]


def _write(file: str, line: object) -> None:
    with Path(file).open("ab") as lines:
        lines.write(msgspec.json.encode(line) + b"\n")


def not_muted(candidate: Candidate) -> Send | Skip:
    """Who muted their room gets nothing there."""
    muted = candidate.channel == "room" and candidate.attributes.get("muted")
    return Skip("muted") if muted else Send()


async def note(report: Report) -> None:
    """Keep every report of the channel."""
    if report.channel == "room":
        _write(os.environ["ROOM_REPORTS"], [report.status, report.first])


@hookimpl
def register_channels() -> list[Channel]:
    return [ROOM]


@hookimpl
def register_providers() -> list[type[Provider]]:
    return [RoomBoard]


@hookimpl
def register_template_filters() -> Mapping[str, Callable[..., Any]]:
    return {"mention": lambda name: f"@{name}"}


@hookimpl
def register_gates() -> Mapping[str, Gate]:
    return {"not_muted": not_muted}


@hookimpl
def register_report_listeners() -> Mapping[str, Listener]:
    return {"room_reports": note}
