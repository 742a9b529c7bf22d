"""Email addresses: one strict rule, so that what is sent equals what was asked.

SMTP libraries send `RCPT TO:<a@b.c>` when asked for `a@b.c>\\r\\nRSET`; nothing that could be
read in two ways passes here. Accepted is the dot-atom form of RFC 5321 §4.1.2 with a host name of
at least two labels. Refused: quoted local parts, comments, lists, spaces, control characters,
address literals, a trailing dot, and local parts outside ASCII (they need SMTPUTF8 all the way).
"""

import re

import idna

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"({_LOCAL})@({_LABEL}(?:\.{_LABEL})+)", re.ASCII)


def parse_email(text: str) -> str:
    """Give the address as it is stored and sent: the domain in lower case, in A-labels.

    Raises ValueError that says what is wrong, without the address.
    """
    if len(text) > 254:
        raise ValueError("an email address has at most 254 characters (RFC 5321 §4.5.3.1)")
    ascii_text = text if text.isascii() else _to_ascii(text)
    match = _ADDRESS.fullmatch(ascii_text)
    if match is None:
        raise ValueError("not an email address of the form name@example.org")
    local, domain = match[1], match[2].lower()
    if len(local) > 64:
        raise ValueError("the part before the @ has at most 64 characters")
    if len(local) + 1 + len(domain) > 254:
        raise ValueError("an email address has at most 254 characters (RFC 5321 §4.5.3.1)")
    if domain.rpartition(".")[2].isdigit():
        raise ValueError("an IP address is no mail domain")
    return f"{local}@{domain}"


def _to_ascii(text: str) -> str:
    local, _, domain = text.rpartition("@")
    if not local.isascii():
        raise ValueError("the part before the @ may hold ASCII letters only")
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"
    except idna.IDNAError as error:
        raise ValueError("the domain is not a valid international domain name") from error
