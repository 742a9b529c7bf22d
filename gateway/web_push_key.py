"""The key that browsers subscribe for: made once, given to what sends."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from angarium.core.store.protocol import Store, Transaction
from angarium.core.store.retry import transact
from angarium.core.store.web_push import find_web_push_key, keep_web_push_key
from angarium.gateway.routes import sections_of

Sections = Mapping[str, Mapping[str, Any]]

PROVIDER: Final = "web_push_vapid"
SETTING: Final = "private_key"


async def instance_key(store: Store) -> str:
    """The private key of this instance, made when it is first asked for. Raises StoreError."""
    async with store.reading() as tx:
        key = await find_web_push_key(tx)
    return key or await transact(store, _keep)


async def _keep(tx: Transaction) -> str:
    return await keep_web_push_key(tx, _make())


async def with_instance_key(sections: Sections, store: Store) -> dict[str, Mapping[str, Any]]:
    """The sections of providers; that of web push has the instance's key unless it names one."""
    without = _without_key(sections)
    return _with_key(sections, without, await instance_key(store)) if without else dict(sections)


def with_some_key(sections: Sections) -> dict[str, Mapping[str, Any]]:
    """The same with a key that is kept nowhere: for whoever only looks."""
    without = _without_key(sections)
    return _with_key(sections, without, _make()) if without else dict(sections)


def _without_key(sections: Sections) -> list[str]:
    return [name for name in sections_of(sections, PROVIDER) if not sections[name].get(SETTING)]


def _with_key(sections: Sections, without: Sequence[str], key: str) -> dict[str, Mapping[str, Any]]:
    return {**sections, **{name: {**sections[name], SETTING: key} for name in without}}


def _make() -> str:
    # Imported only by the instance that makes a key: it brings all of cryptography.
    from angarium.channels._web_push_crypto import make_private_key

    return make_private_key()
