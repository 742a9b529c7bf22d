"""GSM-7 as SMPP carries it: one letter in each octet, unpacked (3GPP TS 23.038 §6.2.1)."""

from typing import Final

from angarium.plugins.sms import GSM_EXTENSION, GSM_LETTERS

_ESCAPE: Final = 0x1B
_CODES: Final = {letter: bytes([code]) for code, letter in enumerate(GSM_LETTERS)} | {
    letter: bytes([_ESCAPE, code]) for letter, code in GSM_EXTENSION.items()
}
_EXTENSION: Final = {code: letter for letter, code in GSM_EXTENSION.items()}


def encode_gsm7(text: str) -> bytes:
    """Raises KeyError for a letter that is not in the alphabet: ask `split_sms` first."""
    return b"".join(map(_CODES.__getitem__, text))


def decode_gsm7(data: bytes) -> str:
    """Never fails: an unknown extension is the letter itself (§6.2.1.1), a high bit is ignored."""
    letters: list[str] = []
    escaped = False
    for code in data:
        if escaped:
            letters.append(_EXTENSION.get(code, GSM_LETTERS[code & 0x7F]))
        elif code & 0x7F != _ESCAPE:
            letters.append(GSM_LETTERS[code & 0x7F])
        escaped = not escaped and code & 0x7F == _ESCAPE
    return "".join(letters)
