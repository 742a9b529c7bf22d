"""What a deliver_sm says: a receipt (SMPP 3.4 §5.2.28, Appendix B), or what a person wrote."""

import re
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import msgspec
import smpp34

from angarium.channels._gsm7 import decode_gsm7
from angarium.plugins.callback import Status

IdStyle = Literal["same", "decimal", "hex"]
"""How a receipt writes the id of an answer: the same, or in decimal what was in hex, or in hex.

Where they differ, so do zeros in front and the case of letters: both are brought to one spelling.
"""

_RECEIPT: Final = 0x04
_INTERMEDIATE: Final = 0x20
_KIND: Final = 0x3C
_UDHI: Final = 0x40
_RECEIPTED_MESSAGE_ID: Final = 0x001E
_MESSAGE_STATE: Final = 0x0427
_MESSAGE_PAYLOAD: Final = 0x0424

_TEXT: Final = re.compile(r"\bid:\s*(\S+).*?\bstat:\s*([A-Za-z]+)(?:.*?\berr:\s*(\w+))?", re.DOTALL)
_WORDS: Final[Mapping[str, Status]] = {
    "DELIVRD": "delivered",
    "EXPIRED": "expired",
    "DELETED": "undelivered",
    "UNDELIV": "undelivered",
    "ACCEPTD": "accepted",
    "REJECTD": "undelivered",
}
_STATES: Final[Mapping[int, str]] = {
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    8: "REJECTD",
}


_BASES: Final[Mapping[IdStyle, tuple[int, int]]] = {"decimal": (16, 10), "hex": (10, 16)}
"""Of ids in answers, and in receipts."""
RECEIPT_BYTES: Final = 500
"""Of a receipt's text; what it begins with is read, the message itself may follow."""

Deliver: TypeAlias = smpp34.DeliverSmEvent | smpp34.DeliverSm


class Receipt(msgspec.Struct, frozen=True):
    """What became of the message of this id; `word` as receipts say it, `error` as the network."""

    id: str
    status: Status
    word: str
    error: str = ""


class Written(msgspec.Struct, frozen=True):
    """What a person wrote to us; `sender` as the centre writes it, of the type `ton` (§5.2.5)."""

    sender: str
    ton: int
    text: str


def read_event(event: Deliver, style: IdStyle = "same") -> Receipt | Written | None:
    """None: a receipt that says nothing that we count, or that cannot be read."""
    if event.esm_class & _KIND in (_RECEIPT, _INTERMEDIATE):
        return _read_receipt(event, style)
    return Written(event.source_addr, event.source_addr_ton, _text(event))


def _read_receipt(event: Deliver, style: IdStyle) -> Receipt | None:
    found = _TEXT.search(_body(event)[:RECEIPT_BYTES].decode("latin-1"))
    id, word, error = (found[1], found[2].upper(), found[3] or "") if found else ("", "", "")
    tags = {tlv.tag: tlv for tlv in event.tlvs}
    id = _answered(id, style, tags.get(_RECEIPTED_MESSAGE_ID))
    if (state := tags.get(_MESSAGE_STATE)) is not None:
        word = _STATES.get(int.from_bytes(state.value, "big"), word)
    if not id or word not in _WORDS:
        return None
    return Receipt(id, _WORDS[word], word, error.lstrip("0"))


def _answered(in_text: str, style: IdStyle, parameter: smpp34.Tlv | None) -> str:
    """The parameter has it as the answer wrote it (§5.3.2.12), unless the text says the same."""
    named = parameter.value.rstrip(b"\0").decode("latin-1") if parameter else ""
    if style not in _BASES:
        return named or in_text
    if named and named != in_text:
        return spell_answered(named, style)
    return _spelled(in_text, _BASES[style][1], style)


def spell_answered(id: str, style: IdStyle) -> str:
    """The id of an answer to a message, as the id of its receipt is read."""
    return _spelled(id, _BASES[style][0], style) if style in _BASES else id


def _spelled(id: str, base: int, style: IdStyle) -> str:
    """In the base of answers; what is no such number is left as it is."""
    try:
        number = int(id, base)
        return f"{number:x}" if style == "decimal" else str(number)
    except ValueError:
        return id


def _text(event: Deliver) -> str:
    body = _body(event)
    if event.esm_class & _UDHI and body:
        body = body[body[0] + 1 :]
    if event.data_coding == 8:
        return body.decode("utf-16-be", "replace")
    if event.data_coding == 0:
        return decode_gsm7(body)
    return body.decode("latin-1")


def _body(event: Deliver) -> bytes:
    if event.short_message:
        return bytes(event.short_message)
    payload = [tlv.value for tlv in event.tlvs if tlv.tag == _MESSAGE_PAYLOAD]
    return b"".join(payload)
