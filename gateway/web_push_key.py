"""The key that browsers subscribe for: made once, given to what sends."""

from collections.abc import Mapping
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
    # Imported only by the instance that makes a key: it brings all of cryptography.
    from angarium.channels._web_push_crypto import make_private_key

    return await keep_web_push_key(tx, make_private_key())


async def with_instance_key(sections: Sections, store: Store) -> dict[str, Mapping[str, Any]]:
    """The sections of providers; that of web push has the instance's key unless it names one."""
    without = [name for name in sections_of(sections, PROVIDER) if not sections[name].get(SETTING)]
    given = {SETTING: await instance_key(store)} if without else {}
    return {**sections, **{name: {**sections[name], **given} for name in without}}
