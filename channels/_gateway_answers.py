"""Read a gateway's answers and callbacks by what the operator says of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, cast
from urllib.parse import parse_qsl

import msgspec

from angarium.channels._http import Answer, retry_after
from angarium.plugins import CallbackRequest, InDoubt, PermanentFailure, TemporaryFailure

MISCONFIGURED_SECONDS: Final = 300.0
BUSY_SECONDS: Final = 30.0

Outcome = Literal["accepted", "temporary", "pause", "permanent", "address_dead", "in_doubt"]

DEFAULTS: Final[Mapping[str, Outcome]] = {
    "2xx": "accepted",
    "401": "pause",
    "403": "pause",
    "404": "pause",
    "405": "pause",
    "408": "in_doubt",
    "429": "pause",
    "4xx": "permanent",
    "5xx": "in_doubt",
}
"""What an HTTP status means unless the settings say otherwise: the exact one, then its class."""


def outcome_of(
    answer: Answer, statuses: Mapping[str, Outcome], words: Mapping[str, Outcome], word: str
) -> Outcome:
    """What became of the message. A yes with a word that nobody knows is in doubt."""
    if word and word in words:
        return words[word]
    known: Mapping[str, Outcome] = {**DEFAULTS, **statuses}
    exact, kind = str(answer.status), f"{answer.status // 100}xx"
    by_status: Outcome = known.get(exact) or known.get(kind) or "in_doubt"
    return "in_doubt" if words and by_status == "accepted" else by_status


def failure_of(outcome: Outcome, answer: Answer, word: str) -> Exception:
    """The failure that an outcome other than accepted is raised as."""
    said = (
        f"{answer.status} {word}" if word.isascii() and word.isprintable() else f"{answer.status}"
    )
    reason = f"sms_http: {_MEANINGS[outcome]} ({said[:40].strip()})"
    match outcome:
        case "temporary":
            return TemporaryFailure(reason, retry_after(answer))
        case "pause":
            wait = BUSY_SECONDS if answer.status == 429 else MISCONFIGURED_SECONDS
            return TemporaryFailure(reason, retry_after(answer) or wait, pause=True)
        case "permanent" | "address_dead":
            return PermanentFailure(reason, address_dead=outcome == "address_dead")
        case _:
            return InDoubt(reason)


_MEANINGS: Final[Mapping[Outcome, str]] = {
    "temporary": "not now",
    "pause": "the gateway takes nothing from us now",
    "permanent": "refused",
    "address_dead": "there is no such number",
    "in_doubt": "an answer that says neither yes nor no",
}


def decode(body: bytes) -> Any:
    """The JSON in a body; None where there is none."""
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None


def find(value: Any, pointer: str) -> str:
    """What stands at a JSON pointer (RFC 6901), as text; "" where nothing does."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        value = _step(value, name)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""


def _step(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return cast(dict[str, Any], value).get(name)
    if isinstance(value, list) and name.isascii() and name.isdigit():
        items = cast(Sequence[Any], value)
        return items[int(name[:9])] if int(name[:9]) < len(items) else None
    return None


class Told(msgspec.Struct, frozen=True):
    """One thing that a callback tells: JSON, or the fields of a form and of the address."""

    json: Any
    fields: Mapping[str, str]

    def get(self, where: str) -> str:
        """By pointer ("/data/id") in the JSON, else by name; "" where nothing stands."""
        if not where:
            return ""
        if where.startswith("/"):
            return find(self.json, where)
        return self.fields.get(where) or find(self.json, f"/{where}")


def read_callback(request: CallbackRequest) -> Sequence[Told]:
    """All that it tells: one thing, or each member of a JSON array."""
    value = decode(request.body)
    if isinstance(value, list):
        return [Told(item, request.query) for item in cast(Sequence[Any], value)]
    if isinstance(value, dict):
        return [Told(value, request.query)]
    try:
        form = dict(parse_qsl(request.body.decode("utf-8")))
    except UnicodeDecodeError as error:
        raise ValueError("sms_http: a callback that is neither JSON nor a form") from error
    fields = {**form, **request.query}
    return [Told(fields, fields)]
