"""The key of this instance for web push: a new one would lose everybody who has subscribed."""

from angarium.core.store.protocol import Transaction


async def find_web_push_key(tx: Transaction) -> str:
    """The private key as text; "" as long as none has been kept."""
    rows = await tx.fetch("find_web_push_key")
    return str(rows[0][0]) if rows else ""


async def keep_web_push_key(tx: Transaction, key: str) -> str:
    """Keep `key` unless there is one; give the one that is kept."""
    await tx.run("add_web_push_key", value=key)
    return await find_web_push_key(tx)
