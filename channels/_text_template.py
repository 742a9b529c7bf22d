"""Fill a gateway's request, as the operator wrote it, with a message: `{to}`, `{text}`, `{key}`,
`{from}`.

Each value is escaped for the place where it stands, and what was filled in is not read again, so no
text of a message can change the request.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal
from urllib.parse import quote

import msgspec

Form = Literal["json", "form"]

NAMES: Final = ("to", "text", "key", "from")
_HOLE: Final = re.compile(r"\{([a-z_]+)\}")
# Every character that could end the place it stands in; filled in at the start, to try.
_TRIAL: Final = "\"\\'&={}[]\n, 1"


def fill(template: str, values: Mapping[str, str], escape: Callable[[str], str]) -> str:
    """The template with each `{name}` replaced by its value, escaped."""
    return _HOLE.sub(lambda hole: escape(values[hole[1]]), template)


def escape_url(text: str) -> str:
    """For a URL and for a form: all but letters, digits and `_.-~` is percent-encoded."""
    return quote(text, safe="", errors="replace")


def escape_json(text: str) -> str:
    """For the inside of a JSON string, between its quotation marks."""
    readable = text.encode("utf-8", "replace").decode("utf-8")
    return msgspec.json.encode(readable).decode("utf-8")[1:-1]


def escape_header(text: str) -> str:
    """For a header: visible ASCII only."""
    return re.sub(r"[^!-~]", "", text)


def escape_for(form: Form) -> Callable[[str], str]:
    """The escape of a body's form."""
    return escape_json if form == "json" else escape_url


def check_template(template: str) -> None:
    """Raise ValueError for a hole that nothing fills."""
    for hole in _HOLE.finditer(template):
        if hole[1] not in NAMES:
            raise ValueError(f"there is no {hole[0]}; there are {{{'}, {'.join(NAMES)}}}")


def check_body(template: str, form: Form) -> None:
    """Raise ValueError for a body that a message's text could break, or that holds no message."""
    check_template(template)
    for name in ("to", "text"):
        if f"{{{name}}}" not in template:
            raise ValueError(f"must hold {{{name}}}")
    if form == "json":
        filled = fill(template, dict.fromkeys(NAMES, _TRIAL), escape_json)
        try:
            msgspec.json.decode(filled)
        except msgspec.DecodeError as error:
            raise ValueError('must be JSON, each {…} inside a "string"') from error
