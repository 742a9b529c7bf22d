"""Take apart mail that anybody may have written: bounded in depth, parts and time.

The standard library's parser goes as deep as the mail does. Here a report is looked for in the
first few levels, and whatever is broken is left as it is.
"""

import binascii
import quopri
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

MOST_BYTES: Final = 1024 * 1024
MOST_PARTS: Final = 16
DEPTH: Final = 4

_FIELD: Final = re.compile(r"([!-9;-~]{1,80}):(.*)", re.DOTALL)
_FOLDED: Final = re.compile(r"\n(?=[ \t])")
_PARAMETER: Final = re.compile(
    r";\s*([a-z-]{1,40})\s*=\s*(?:\"([^\"]{0,200})\"|([^\s;\"]{1,200}))", re.I
)
_MOST_HEADER: Final = 4000

Headers = Mapping[str, list[str]]


class Part(msgspec.Struct, frozen=True):
    """One part: headers by name in lower case, each unfolded; the body with bare line ends."""

    headers: Headers
    body: bytes
    type: str
    parameters: Mapping[str, str]

    def header(self, name: str) -> str:
        """The first of this name; "" if there is none."""
        return next(iter(self.headers.get(name, ())), "")

    def text(self) -> str:
        """The body, decoded as far as it can be."""
        encoding = self.header("content-transfer-encoding").strip().lower()
        body = self.body
        if encoding == "quoted-printable":
            body = quopri.decodestring(body)
        elif encoding == "base64":
            body = _from_base64(body)
        return body.decode("utf-8", "replace").replace("\r\n", "\n")


def read_mail(raw: bytes) -> Part:
    """Raises ValueError for what is no mail at all."""
    if len(raw) > MOST_BYTES:
        raise ValueError(f"a mail of more than {MOST_BYTES} bytes")
    part = _read(raw.replace(b"\r\n", b"\n").lstrip(b"\n"))
    if not part.headers:
        raise ValueError("no mail: it has no header")
    return part


def walk(part: Part, depth: int = DEPTH) -> Iterator[Part]:
    """The part, and those inside it; not the mails that are attached to it."""
    yield part
    if depth > 0:
        for child in children(part):
            yield from walk(child, depth - 1)


def children(part: Part) -> list[Part]:
    """The parts of a multipart; of any other, none."""
    boundary = part.parameters.get("boundary", "")
    if not part.type.startswith("multipart/") or not boundary:
        return []
    delimiter = b"\n--" + boundary.encode("utf-8", "surrogateescape")
    pieces = (b"\n" + part.body).split(delimiter, MOST_PARTS + 1)[1:]
    parts: list[Part] = []
    for piece in pieces[:MOST_PARTS]:
        if piece.startswith(b"--"):
            break
        parts.append(_read(piece.partition(b"\n")[2]))
    return parts


def read_fields(text: str) -> dict[str, list[str]]:
    """A block of `Name: value` lines, continued ones joined; what is none is passed over."""
    fields: dict[str, list[str]] = {}
    for line in _FOLDED.sub(" ", text).split("\n"):
        match = _FIELD.fullmatch(line[:_MOST_HEADER])
        if match is not None:
            fields.setdefault(match[1].lower(), []).append(match[2].strip())
    return fields


def _read(raw: bytes) -> Part:
    # A part may begin with an empty line: then it has no headers.
    head, _, body = (b"", b"", raw[1:]) if raw[:1] == b"\n" else raw.partition(b"\n\n")
    headers = read_fields(head.decode("utf-8", "surrogateescape"))
    told = headers.get("content-type", ["text/plain"])[0]
    kind = told.partition(";")[0].strip().lower()
    parameters: dict[str, str] = {}
    for match in _PARAMETER.finditer(told):
        parameters.setdefault(match[1].lower(), match[2] or match[3] or "")
    return Part(headers, body, kind, parameters)


def _from_base64(data: bytes) -> bytes:
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    try:
        return b64decode(letters + b"=" * (-len(letters) % 4))
    except binascii.Error:
        return b""
