"""Text messages: how many parts a text makes, and the words by which people opt out.

Both are the same for every provider, and the core shows the first before a campaign goes out:
parts are what is paid for. GSM-7 is the alphabet of 3GPP TS 23.038 §6.2.1, joined parts are those
of TS 23.040 §9.2.3.24.1 (an 8-bit reference).
"""

import unicodedata
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

GSM_LETTERS: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet, each letter at its code; 0x1B is no letter, but leads to the extension."""
GSM_EXTENSION: Final[Mapping[str, int]] = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
"""Letters that are written as 0x1B and this code: they cost two, and are never split."""

Alphabet = Literal["gsm7", "ucs2"]

_LIMITS: Final[Mapping[Alphabet, tuple[int, int]]] = {"gsm7": (160, 153), "ucs2": (70, 67)}
_GSM: Final = frozenset(GSM_LETTERS) - {"\x1b"} | GSM_EXTENSION.keys()


class SmsParts(msgspec.Struct, frozen=True):
    """A text as it is sent: joined, `texts` are the whole of it; one message is charged for each.

    ucs2 counts UTF-16 units (70 alone, 67 joined), gsm7 septets (160 alone, 153 joined).
    """

    alphabet: Alphabet
    texts: tuple[str, ...]


def split_sms(text: str) -> SmsParts:
    """The parts of a text. Persian is ucs2, and one emoji makes any text ucs2."""
    alphabet: Alphabet = "gsm7" if _GSM.issuperset(text) else "ucs2"
    costs = [_cost(letter, alphabet) for letter in text]
    alone, joined = _LIMITS[alphabet]
    if sum(costs) <= alone:
        return SmsParts(alphabet, (text,))
    parts: list[str] = []
    begin = used = 0
    for at, cost in enumerate(costs):
        if used + cost > joined:
            parts.append(text[begin:at])
            begin, used = at, 0
        used += cost
    return SmsParts(alphabet, (*parts, text[begin:]))


def _cost(letter: str, alphabet: Alphabet) -> int:
    wide = letter in GSM_EXTENSION if alphabet == "gsm7" else letter > "\uffff"
    return 2 if wide else 1


def is_opt_out(text: str) -> bool:
    """Whether an answer, as a whole, is a wish to get no more messages.

    Letter case, Arabic and Persian forms of letters and digits, spaces and punctuation are the
    same to it: `Stop.`, `لغو ۱۱`, `«ﻟﻐﻮ»`.
    """
    return _plain(text[:100]) in _OPT_OUT


def _plain(text: str) -> str:
    letters = (_FORMS.get(letter, letter) for letter in unicodedata.normalize("NFKD", text))
    return "".join(_digit(letter) for letter in letters if letter.isalnum()).casefold()


def _digit(letter: str) -> str:
    value = unicodedata.decimal(letter, None)
    return letter if value is None else str(value)


# Arabic letters as Persian keyboards write them; the tatweel only stretches a word.
_FORMS: Final[Mapping[str, str]] = {"ي": "ی", "ى": "ی", "ك": "ک", "ة": "ه", "ـ": ""}

OPT_OUT_WORDS: Final = (
    # What carriers and vendors take in English (CTIA's guidelines).
    "STOP",
    "STOP ALL",
    "UNSUBSCRIBE",
    "CANCEL",
    "END",
    "QUIT",
    "REVOKE",
    "OPT OUT",
    # Advertising texts in Iran end in "لغو۱۱": answer 11 to hear no more.
    "لغو",
    "لغو ۱۱",
    "۱۱",
    "خیر",
    "لغو عضویت",
    "لغو اشتراک",
    "انصراف",
    "إلغاء",
    "إيقاف",
)
"""The one list of these words; an answer that holds more than one of them is none."""

_OPT_OUT: Final = frozenset(_plain(word) for word in OPT_OUT_WORDS)
