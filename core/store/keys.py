"""Keys: what opens the doors. The text of a key is shown once; only its SHA-256 is stored.

`ang_wk_…` writes events and may stand in a web page; `ang_ak_…` administers and may not. Behind the
prefix stand 256 random bits and a checksum of 32, so that a mistyped key is known without a look.
Keys that an operator chose (ANGARIUM_ADMIN_KEY, ANGARIUM_WRITE_KEY) may be any text.
"""

import zlib
from collections.abc import Iterable, Sequence
from hashlib import sha256
from secrets import randbits
from typing import Final, Literal

import msgspec

from angarium.core.delivery.keys import make_id
from angarium.core.store.protocol import Row, Transaction

Kind = Literal["admin", "write"]
PREFIXES: Final[dict[Kind, str]] = {"admin": "ang_ak_", "write": "ang_wk_"}
DEFAULT_SCOPES: Final[dict[Kind, tuple[str, ...]]] = {"admin": ("*",), "write": ("ingest",)}
SCOPES: Final = frozenset(
    [
        *("campaigns:read", "campaigns:write", "decisions:write", "deliveries:read"),
        *("deliveries:write", "events:read", "keys:read", "keys:write", "plugins:read"),
        *("profiles:read", "profiles:write", "rejects:read"),
        *("suppressions:read", "suppressions:write"),
    ]
)
"""What an admin key may be kept to; a noun with `:*` is all of its scopes, `*` is everything."""

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_LETTERS: Final = 43  # 62^43 > 2^256
_CHECK_LETTERS: Final = 6  # 62^6 > 2^32


class LiveKey(msgspec.Struct, frozen=True):
    """A key in force, as a door needs it; `expires_at` in ms, None: never."""

    id: str
    workspace: str
    kind: str
    scopes: frozenset[str]
    expires_at: int | None


class KeyRecord(msgspec.Struct, frozen=True):
    """A key as it is listed: `hint` is its prefix and its last four letters. Instants in ms."""

    id: str
    kind: str
    name: str
    scopes: list[str]
    hint: str
    created_at: int
    expires_at: int | None
    revoked_at: int | None


def scope_mistake(kind: Kind, scopes: Iterable[str]) -> str:
    """Why a key of this kind cannot have one of these scopes; "" if it can have all."""
    if kind == "write":
        return "" if set(scopes) <= {*DEFAULT_SCOPES["write"]} else "a write key has ingest only"
    nouns = {f"{scope.partition(':')[0]}:*" for scope in SCOPES}
    strange = [scope for scope in scopes if scope not in {"*", "ingest", *nouns, *SCOPES}]
    return f"{strange[0]} opens nothing; there are: {', '.join(sorted(SCOPES))}" if strange else ""


def make_key(kind: Kind) -> str:
    """The text of a new key."""
    secret = PREFIXES[kind] + _digits(randbits(256), _SECRET_LETTERS)
    return secret + _checksum(secret)


def is_genuine(text: str) -> bool:
    """Whether `make_key` may have made `text`: its prefix is ours and its checksum is right."""
    secret, check = text[:-_CHECK_LETTERS], text[-_CHECK_LETTERS:]
    return secret.startswith(tuple(PREFIXES.values())) and _checksum(secret) == check


def hash_key(text: str) -> str:
    """What is stored and compared. A plain SHA-256 is enough for 256 random bits."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _checksum(secret: str) -> str:
    return _digits(zlib.crc32(secret.encode("utf-8", "surrogatepass")), _CHECK_LETTERS)


def _digits(number: int, letters: int) -> str:
    text = ""
    for _ in range(letters):
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text


async def save_key(
    tx: Transaction,
    workspace: str,
    kind: Kind,
    text: str,
    *,
    name: str,
    now: int,
    scopes: Sequence[str] | None = None,
    expires_at: int | None = None,
) -> str:
    """Store the key `text` and return its id. A key that is there already stays as it was."""
    hash_ = hash_key(text)
    id_ = make_id("key_", workspace, hash_)
    await tx.run(
        "save_key",
        id=id_,
        workspace=workspace,
        kind=kind,
        name=name,
        scopes=msgspec.json.encode(sorted(scopes or DEFAULT_SCOPES[kind])).decode(),
        hash=hash_,
        hint=f"{PREFIXES[kind] if is_genuine(text) else ''}…{text[-4:]}",
        created_at=now,
        expires_at=expires_at,
    )
    return id_


async def load_live_keys(tx: Transaction, now: int) -> dict[str, LiveKey]:
    """Every key in force, by its hash."""
    rows = await tx.fetch("list_live_keys", now=now)
    return {
        hash_: LiveKey(id_, workspace, kind, frozenset(_decode_scopes(scopes)), expires_at)
        for id_, workspace, kind, scopes, hash_, expires_at in rows
    }


async def list_keys(
    tx: Transaction, workspace: str, *, before: tuple[int, str], most: int
) -> list[KeyRecord]:
    """At most `most` keys, newest first: those behind the one at `before` (created_at, id)."""
    before_at, before_id = before
    rows = await tx.fetch(
        "list_keys", workspace=workspace, before_at=before_at, before_id=before_id, most=most
    )
    return [_record(row) for row in rows]


async def find_key(tx: Transaction, workspace: str, id_: str) -> KeyRecord | None:
    """The key `id_`, in force or not."""
    rows = await tx.fetch("find_key", workspace=workspace, id=id_)
    return _record(rows[0]) if rows else None


async def revoke_key(tx: Transaction, workspace: str, id_: str, now: int) -> None:
    """Take the key out of force. A key that is revoked or unknown stays as it is."""
    await tx.run("revoke_key", workspace=workspace, id=id_, now=now)


def _record(row: Row) -> KeyRecord:
    id_, kind, name, scopes, hint, created_at, expires_at, revoked_at = row
    return KeyRecord(
        id_, kind, name, _decode_scopes(scopes), hint, created_at, expires_at, revoked_at
    )


def _decode_scopes(text: str) -> list[str]:
    return msgspec.json.decode(text, type=list[str])


async def load_link_secret(tx: Transaction) -> bytes:
    """The secret of this instance that signs public links: 32 bytes."""
    [(value,)] = await tx.fetch("find_link_secret")
    return bytes.fromhex(value)
