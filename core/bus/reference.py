"""Writes the generated parts of the documentation of NATS."""

from pathlib import Path

import msgspec

from angarium.core.bus.asyncapi import asyncapi_document
from angarium.core.bus.catalogue import ENTRIES, PARAMETERS

BEGIN = "<!-- subjects: made by `make docs` from core/bus/catalogue.py; do not edit -->"
END = "<!-- end of subjects -->"

OURS = Path(__file__).resolve().parents[2] / "docs" / "nats-subjects.md"

_WHO = {
    "in": "you publish",
    "out": "you subscribe",
    "inside": "between our own processes",
}


def write_reference(root: Path) -> None:
    """Write docs/asyncapi.json and the table in docs/nats-subjects.md below `root`.

    Idempotent. Where `root` has no such page yet, ours is taken: most of it is written by hand.
    Raises ValueError if the page has lost the markers between which the table goes.
    """
    document = msgspec.json.format(msgspec.json.encode(asyncapi_document()), indent=2)
    (root / "docs" / "asyncapi.json").write_bytes(document + b"\n")
    page = root / "docs" / "nats-subjects.md"
    source = page if page.exists() else OURS
    page.write_text(with_table(source.read_text("utf-8")), "utf-8")


def with_table(page: str) -> str:
    """The page with the table of subjects as it is now between its markers."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"docs/nats-subjects.md needs the lines {BEGIN!r} and {END!r}")
    return f"{head}{BEGIN}\n\n{subjects_table()}\n{END}{tail}"


def subjects_table() -> str:
    """The subjects and their parameters as Markdown."""
    rows = ["| subject | stream | who | what |", "|---|---|---|---|"]
    for entry in ENTRIES:
        address = entry.address.replace("{", "<").replace("}", ">")
        stream = entry.stream or "none"
        rows.append(f"| `{address}` | {stream} | {_WHO[entry.direction]} | {entry.about} |")
    rows.append("")
    rows += [f"- `<{name}>`: {about}" for name, about in PARAMETERS.items()]
    return "\n".join(rows) + "\n"
