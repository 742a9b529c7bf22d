"""Uploads of promo codes: the codes in a body, or the places of what cannot be one."""

import csv
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from angarium.gateway.bodies import BOM, unreadable
from angarium.gateway.inflate import inflate
from angarium.gateway.problems import Problem, Refusal

UPLOAD_BYTES: Final = 8 * 1024 * 1024
"""Of one upload, packed or not."""
CODES_MOST: Final = 100_000
"""In one upload; the next request brings more."""
CODE_LETTERS: Final = 64
FAULTS_SHOWN: Final = 20
HEADINGS: Final = frozenset({"code", "codes"})
"""A first line of these is a heading, not a code."""

_decode = msgspec.json.Decoder(list[str]).decode


def read_codes(body: bytes, content_type: str, encoding: bytes) -> Sequence[str]:
    """The codes of an upload: a JSON array, or one in each line (text/csv, text/plain).

    Refuses with 400 what cannot be read, 413 what is too much, 422 with the place of each code that
    cannot be one.
    """
    text = _text(inflate(body, encoding, UPLOAD_BYTES))
    lines = content_type.lower().startswith("text/") or not text.lstrip().startswith(("[", "{"))
    placed = list(_lines(text) if lines else _members(text))
    if len(placed) > CODES_MOST:
        detail = f"an upload may have {CODES_MOST} codes; this has {len(placed)}"
        raise Refusal(Problem.BODY_TOO_LARGE, detail)
    if not placed:
        raise Refusal(Problem.INVALID, errors=[("", "send at least one code")])
    faults = [(place, fault) for place, code in placed if (fault := _fault(code))]
    if faults:
        more = f"{len(faults)} codes cannot be used; none was added"
        raise Refusal(Problem.INVALID, more, errors=faults[:FAULTS_SHOWN])
    return [code for _, code in placed]


def _text(body: bytes) -> str:
    try:
        return body.removeprefix(BOM).decode()
    except UnicodeDecodeError:
        raise unreadable("it is not encoded in UTF-8") from None


def _members(text: str) -> Iterator[tuple[str, str]]:
    try:
        codes = _decode(text)
    except RecursionError:
        raise unreadable("it is nested too deeply") from None
    except msgspec.ValidationError:
        raise Refusal(Problem.INVALID, errors=[("", "must be an array of texts")]) from None
    except (msgspec.DecodeError, UnicodeError):
        raise unreadable("it is neither a JSON array nor one code in each line") from None
    return ((f"/{index}", code) for index, code in enumerate(codes))


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """A line's place is its number; blank lines, blanks around codes and quotes do not count."""
    rows = csv.reader(text.splitlines(), skipinitialspace=True)
    try:
        for row in rows:
            code = ",".join(row).strip()
            heading = rows.line_num == 1 and code.lower() in HEADINGS
            if code and not heading:
                yield f"line {rows.line_num}", code
    except csv.Error:
        raise unreadable(f"line {rows.line_num} is not CSV with one code") from None


def _fault(code: str) -> str:
    """Why it cannot be a code; "" if it can."""
    if not code:
        return "must not be empty"
    if len(code) > CODE_LETTERS:
        return f"has {len(code)} characters; {CODE_LETTERS} are allowed"
    if "," in code or ";" in code:
        return "holds a comma or a semicolon; write one code in each line"
    if not code.isprintable() or code != code.strip():
        return "holds blanks around it, or letters that cannot be seen"
    return ""
