"""Commits one row after the other, and tells when each was committed: `<name> <seconds>`.

python -m tests.drills.committer DATABASE SECONDS
"""

import asyncio
import sys
import time
from pathlib import Path

from angarium.core.store.open import open_store, sqlite_url
from angarium.core.store.suppressions import Suppression, suppress


async def commit(path: Path, seconds: float) -> None:
    store = await open_store(sqlite_url(path))
    await store.migrate()
    end = time.time() + seconds
    number = 0
    while time.time() < end:
        name = f"{number}@example.org"
        async with store.transaction() as tx:
            await suppress(tx, "default", Suppression("email", name, "operator", number))
        print(name, time.time(), flush=True)
        number += 1
    await store.close()


if __name__ == "__main__":
    asyncio.run(commit(Path(sys.argv[1]), float(sys.argv[2])))
