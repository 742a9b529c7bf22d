"""G2: the process dies at every named point, on the first run and on the redelivery after it."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from angarium.core.delivery.links import Links
from angarium.core.store.keys import load_link_secret
from angarium.core.store.open import open_store
from angarium.core.store.protocol import Store
from tests.drills.crash_loop import free_port
from tests.drills.judge import WORKSPACE, count_handed, judge, until_quiet
from tests.drills.load import MARKETING, Load
from tests.drills.plant import Plant, mail_catcher
from tests.parts.instance import ADMIN_KEY

pytestmark = pytest.mark.timeout(600)

CORE = Path(__file__).parents[2] / "core"

PART_OF = {"deliver": "deliver"}
"""The first word of a point's name tells its process; all others are the core's."""
EVENTS = 64
"""At each point; an eighth of them fires each campaign."""
IN_VAIN = {
    "name": "In vain",
    "send_at": {"trigger": {"event": "Nothing"}},
    "expires_after": "PT20S",
    "content": {
        "order": ["email", "sms"],
        "fallback": {"after": "PT1S"},
        "email": {"subject": "Hello", "text": "Are you there?"},
        "sms": {"text": "Are you there?"},
    },
}
"""Nobody delivers the text messages here: they end as expired."""
WITH_CODE = {
    "name": "With a code",
    "send_at": {"trigger": {"event": "Nothing"}},
    "codes": "Spring",
    "content": {"order": ["email"], "email": {"subject": "For you", "text": "{{ code }}"}},
}
DEATH_SECONDS = 60
REDELIVERY_SECONDS = 6


def points() -> list[str]:
    """The names of all crash points in the code."""
    found: set[str] = set()
    for file in CORE.rglob("*.py"):
        found |= set(re.findall(r'crash_point\("([a-z_.]+)"\)', file.read_text()))
    return sorted(found)


class Scene:
    """A plant that lives through all points, and a load that grows from point to point."""

    def __init__(self, plant: Plant, store: Store, load: Load, folder: Path) -> None:
        self.plant = plant
        self.store = store
        self.load = load
        self.folder = folder
        self.in_flight = 0
        self.decisions = 0

    async def settle(self) -> None:
        await until_quiet(self.store, self.load, self.decisions)

    async def kill(self, part: str) -> None:
        """Kill a part, and count what it had in flight."""
        await self.plant.kill(part)
        if part == "deliver":
            self.in_flight += await count_handed(self.store)

    async def prompt(self, point: str) -> None:
        """Do what leads to the point."""
        if point.startswith("sweep."):
            await self.kill("deliver")
            await self.plant.start("deliver", crash_at="deliver.handed")
        self.load.events += EVENTS
        await self.load.send()
        if point.startswith("decisions."):
            await self.decide()
        if point.startswith("feedback."):
            await self.open_mail()
        if point.startswith("sweep."):
            await self.orphan()
        if point.startswith("fallbacks."):
            await self.keep_silent(point)
        if point == "deliver.coded":
            await self.give_code(point)

    async def decide(self) -> None:
        """A service decides something."""
        self.decisions += 1
        await self._decide(f"decision-{self.decisions}", self.load.campaigns[MARKETING])

    async def keep_silent(self, point: str) -> None:
        """Somebody gets a mail and does not react, so that the next channel's turn comes."""
        async with self._admin() as http:
            made = (await http.post("/v1/campaigns", json=IN_VAIN)).json()
            await http.post(f"/v1/campaigns/{made['id']}/activate")
        await self._decide(point, made["id"])

    async def give_code(self, name: str) -> None:
        """Somebody gets a mail with a promo code."""
        async with self._admin() as http:
            made = (await http.post("/v1/code-lists", json={"name": "Spring"})).json()
            codes = [f"S-{number}" for number in range(9)]
            await http.post(f"/v1/code-lists/{made['id']}/codes", json=codes)
            made = (await http.post("/v1/campaigns", json=WITH_CODE)).json()
            await http.post(f"/v1/campaigns/{made['id']}/activate")
        await self._decide(name, made["id"])

    async def _decide(self, name: str, campaign: str) -> None:
        body = {"decisionId": name, "campaign": campaign, "userId": "person-1"}
        async with self._admin() as http:
            assert (await http.post("/v1/decisions", json=body)).status_code == 200

    def _admin(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        return httpx.AsyncClient(base_url=self.plant.url, headers=headers)

    async def open_mail(self) -> None:
        """Somebody opens one of the mails."""
        async with self.store.reading() as tx:
            secret = await load_link_secret(tx)
            rows = await tx.fetch("drill_deliveries", workspace=WORKSPACE)
        accepted = [id for id, _, _, state, _ in rows if state == "accepted"]
        url = Links(secret, self.plant.url).open_pixel(accepted[0])
        async with httpx.AsyncClient() as http:
            assert (await http.get(url)).status_code == 200

    async def orphan(self) -> None:
        """A delivery worker dies with something in its hands."""
        assert await self.plant.until_dead("deliver", DEATH_SECONDS)
        await self.kill("deliver")
        await self.plant.start("deliver")


@pytest.fixture(scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("points")
    (folder / "data").mkdir()
    url = f"sqlite:///{folder}/data/angarium.db"
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(mail_catcher(folder))
        plant = Plant(folder, url, port, free_port())
        stack.push_async_callback(plant.stop)
        await plant.start_all()
        store = await open_store(url)
        stack.push_async_callback(store.close)
        load = Load(plant.url, people=20, events=EVENTS)
        await load.define()
        await load.introduce()
        await load.send()
        await until_quiet(store, load)
        yield Scene(plant, store, load, folder)


@pytest.mark.parametrize("point", points())
async def test_dying_at_a_point_loses_and_repeats_nothing(scene: Scene, point: str) -> None:
    part = PART_OF.get(point.partition(".")[0], "core")
    await scene.plant.kill(part)
    await scene.plant.start(part, crash_at=point)
    await scene.prompt(point)
    first = await scene.plant.until_dead(part, DEATH_SECONDS)
    assert first, f"nothing came to {point}"
    await scene.kill(part)

    # On the redelivery it dies again, if the point is on that way too.
    await scene.plant.start(part, crash_at=point)
    await scene.plant.until_dead(part, REDELIVERY_SECONDS)
    await scene.kill(part)
    await scene.plant.start(part)
    await scene.settle()

    verdict = await judge(scene.store, scene.folder, scene.load, scene.in_flight, scene.decisions)
    assert verdict.faults == []
