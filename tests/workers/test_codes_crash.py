"""A delivery process killed when it has given codes and sent nothing, on both stores."""

from pathlib import Path

from angarium.core.store.codes import add_codes, create_list, find_list
from angarium.core.store.outcomes import Filters, list_deliveries
from angarium.core.workers.sweeper import Sweeper
from tests.delivery.examples import NOW, new_delivery
from tests.parts.nats import NatsServer
from tests.store.ledgers import states
from tests.workers.offices import Office
from tests.workers.test_codes import ONLY_MAIL, told
from tests.workers.test_deliver_crash import run, sends

IDS = [f"dlv_{n}" for n in range(6)]


async def given(office: Office) -> int:
    async with office.store.reading() as tx:
        found = await find_list(tx, "default", "Spring")
    assert found is not None
    return found.given


async def test_a_death_after_giving_codes_gives_no_others(
    office: Office, store_url: str, nats_server: NatsServer, tmp_path: Path
) -> None:
    await office.campaign(content=ONLY_MAIL, codes="Spring")
    await office.person()
    async with office.store.transaction() as tx:
        await create_list(tx, "default", "cdl_1", "Spring", NOW)
        await add_codes(tx, "default", "cdl_1", [f"S-{n}" for n in range(20)])
    await office.plan(*(new_delivery(id) for id in IDS))
    log = tmp_path / "provider.log"

    assert await run(store_url, nats_server.url, log, "deliver.coded") == -9
    taken = await given(office)
    assert 0 < taken <= len(IDS)
    assert not sends(log)
    office.now = NOW + 1_000  # the dead worker's lease has run out
    await Sweeper(office.store, office.publisher, lambda: office.now).sweep()
    assert await run(store_url, nats_server.url, log, "", str(len(IDS))) == 0

    assert await states(office.store) == {"accepted": len(IDS)}
    assert await given(office) == len(IDS)
    async with office.store.reading() as tx:
        rows = await list_deliveries(tx, "default", Filters(), (2**60, ""), 100)
    codes = {(await told(office, one.id)).context["code"] for one in rows}
    assert codes == {f"S-{n}" for n in range(len(IDS))}
