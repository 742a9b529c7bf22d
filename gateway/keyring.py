"""Which key opens what, kept in memory: one look at the store every few seconds, not one a request.

All keys in force are held, by hash, so that an unknown, a revoked and a malformed key take the
same way to the same answer. While the store is away, what was known last goes on holding: events
can still be accepted.
"""

import asyncio
from typing import Final, TypeAlias

import msgspec
import structlog
from litestar.di import NamedDependency

from angarium.core.store.errors import StoreError, StoreUnavailable
from angarium.core.store.keys import LiveKey, hash_key, is_genuine, load_live_keys
from angarium.core.store.protocol import Store
from angarium.core.workers.clock import Now

log = structlog.get_logger()

FRESH_MS: Final = 5_000
"""A key revoked elsewhere opens nothing after this; one revoked here, nothing at once."""
UNKNOWN_MS: Final = 250
"""A key made elsewhere a moment ago is looked for at most four times a second."""
PATIENCE_SECONDS: Final = 2.0
"""How long a request waits for the store before it goes by what was known."""


class Holder(msgspec.Struct, frozen=True):
    """Who a request comes from: their key's id, its workspace, its kind and what it may do."""

    key: str
    workspace: str
    kind: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Whether the key has `scope`, such as "campaigns:write"; `campaigns:*` and `*` hold it."""
        return not self.scopes.isdisjoint((scope, "*", f"{scope.partition(':')[0]}:*"))


Caller: TypeAlias = NamedDependency[Holder]
"""How handlers behind a guard ask for it: `caller: Caller`."""


class Keyring:
    """The keys in force. `find` is the only question that doors ask."""

    def __init__(self, store: Store, now: Now) -> None:
        self._store = store
        self._now = now
        self._keys: dict[str, LiveKey] = {}
        self._callers: dict[str, Holder] = {}
        self._read_at: int | None = None
        self._loaded = False
        self._away = False
        self._reading: asyncio.Task[None] | None = None

    async def find(self, text: str) -> Holder | None:
        """Who holds the key `text`; None when it is not in force. Raises StoreUnavailable at first.

        Looked up by SHA-256: the time taken can tell something of the hash only, never of the key.
        """
        now = self._now()
        hash_ = hash_key(text)
        if not self._loaded or self._older_than(FRESH_MS, now):
            await self._read()
        key = self._keys.get(hash_)
        if key is None and is_genuine(text) and self._older_than(UNKNOWN_MS, now):
            await self._read()
            key = self._keys.get(hash_)
        if not self._loaded:
            raise StoreUnavailable("the keys could not be read yet")
        if key is None or (key.expires_at is not None and key.expires_at <= now):
            return None
        return self._callers[hash_]

    def forget(self) -> None:
        """Look at the store again before the next answer: a key was made or revoked here."""
        self._read_at = None

    async def close(self) -> None:
        """Stop looking."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})

    def _older_than(self, age: int, now: int) -> bool:
        return self._read_at is None or not self._read_at <= now < self._read_at + age

    async def _read(self) -> None:
        if self._reading is None:
            self._reading = asyncio.create_task(self._load())
        if self._away and self._loaded:
            return
        _, late = await asyncio.wait({self._reading}, timeout=PATIENCE_SECONDS)
        self._away = self._away or bool(late)

    async def _load(self) -> None:
        began_at = self._now()
        try:
            async with self._store.reading() as tx:
                self._keys = await load_live_keys(tx, began_at)
        except StoreError as error:
            log.warning("keys_not_read", error=type(error).__name__)
            self._away = True
        else:
            self._callers = {
                hash_: Holder(key.id, key.workspace, key.kind, key.scopes)
                for hash_, key in self._keys.items()
            }
            self._loaded, self._away = True, False
        finally:
            self._read_at = began_at
            self._reading = None
