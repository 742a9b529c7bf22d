import asyncio
import tests.workers.test_deliver as T
from tests.workers.test_deliver import row, states
from tests.workers.conftest import *
async def test_dbg(office):
    async def watch():
        await asyncio.sleep(6)
        print(await states(office.store))
        for id in ("dlv_1","dlv_2","dlv_3"):
            try: print(await row(office.store,id))
            except Exception as e: print(id, repr(e))
        for t in asyncio.all_tasks(): t.print_stack()
    w = asyncio.create_task(watch())
    await T.test_the_limit_counts_a_sliding_window(office)
