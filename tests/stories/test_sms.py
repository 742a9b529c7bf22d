"""Text messages on a whole instance: a service centre (npm smpp) and Kavenegar opposite."""

import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from tests.counterparts.kavenegar import Kavenegar, kavenegar
from tests.counterparts.smsc import PASSWORD, SYSTEM_ID, Smsc, smsc
from tests.parts.instance import Instance, ago, running_instance
from tests.parts.waiting import until
from tests.stories.test_published_uses import identify, track
from tests.stories.visits import settle

SECRET = "callback-secret"
LONG = "سلام {{ profile.first_name }}! سبد خرید شما هنوز اینجاست 🛒 «می‌خواهید ادامه دهید؟» " * 2


class World(NamedTuple):
    """The instance, and whoever is opposite: the centre first, Kavenegar while that is away."""

    instance: Instance
    centre: Smsc
    kavenegar: Kavenegar


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("sms")
    async with smsc() as centre, kavenegar("key-1") as vendor:
        sections: dict[str, dict[str, Any]] = {
            "sms_smpp": {"host": "127.0.0.1", "port": centre.port, "from": "3000", "order": 1}
            | {"system_id": SYSTEM_ID, "password": PASSWORD},
            "sms_kavenegar": {"api_key": "key-1", "url": vendor.url, "order": 2}
            | {"callback_secret": SECRET},
        }
        lines = ["[sms]", "part_price = 120"]
        for name, settings in sections.items():
            lines += [f"[channels.{name}]"]
            lines += [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
        path = folder / "angarium.toml"
        path.write_text("\n".join(lines))
        async with running_instance(folder, {"ANGARIUM_CONFIG": str(path)}) as instance:
            yield World(instance, centre, vendor)


@pytest.fixture(autouse=True)
async def as_new(world: World) -> None:
    await world.centre.tell("receipts", state="DELIVRD")


class Reader:
    """Somebody with a phone of their own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.user = f"user-{uuid4().hex}"
        self.number = f"912{uuid4().int % 10**7:07}"

    async def join(self) -> None:
        await self._tell(sms_opt_in=True)

    async def take_another_number(self) -> None:
        self.number = f"912{uuid4().int % 10**7:07}"
        await self._tell()

    async def _tell(self, **more: Any) -> None:
        traits = {"mobile": f"0{self.number}", "first_name": "سارا", **more}
        await self.world.instance.send(identify(self.user, f"{self.user}@example.org", **traits))
        await settle(self.world.instance, self.user)

    async def sent(self, text: str, **totals: int) -> str:
        """A campaign that this person sets off; its id."""
        instance, event = self.world.instance, f"Event {uuid4().hex}"
        send_at = {"trigger": {"event": event}}
        id = await instance.campaign(event, send_at, content={"sms": {"text": text}})
        await instance.send(track(self.user, event, ago()))
        await instance.until_stats(id, **totals)
        return id

    async def suppressed(self) -> str:
        """Why their number gets nothing; "" where it may."""
        listed = await self.world.instance.ask("/v1/suppressions", channel="sms", limit=100)
        reasons = {row["address"]: row["reason"] for row in listed["data"]}
        return str(reasons.get(f"+98{self.number}", ""))

    async def until_opted_out(self) -> None:
        async def opted_out() -> bool:
            return await self.suppressed() == "unsubscribed"

        await until(opted_out)

    async def delivery(self, campaign: str) -> dict[str, Any]:
        [row] = (await self.world.instance.ask("/v1/deliveries", campaign=campaign))["data"]
        found: dict[str, Any] = row
        return found


@pytest.fixture
async def reader(world: World) -> Reader:
    reader = Reader(world)
    await reader.join()
    return reader


async def call_back(world: World, **fields: Any) -> int:
    path = f"/callbacks/sms_kavenegar?secret={SECRET}"
    return (await world.instance.http.post(path, data=fields)).status_code


async def test_a_persian_text_is_counted_sent_and_delivered(world: World, reader: Reader) -> None:
    """N7: its parts and their cost are told before, and are what the centre is given."""
    asked = {"text": LONG, "to": [reader.user]}
    [told] = (await world.instance.tell("/v1/sms/parts", asked))["data"]

    id = await reader.sent(LONG, accepted=1)

    address = f"+98{reader.number}"
    assert await world.centre.text_to(address) == told["text"]
    parts = [one for one in await world.centre.submits() if one["destination"] == address[1:]]
    assert (told["parts"], told["cost"], len(parts)) == (2, 240, 2)
    assert "سارا" in told["text"]

    async def delivered() -> bool:
        return (await reader.delivery(id))["state"] == "delivered"

    await until(delivered)


@pytest.mark.parametrize("word", ["لغو", "لغو١١", "Stop."])
async def test_who_answers_by_text_that_they_want_no_more_gets_no_more(
    world: World, reader: Reader, word: str
) -> None:
    pdu = {
        "source_addr": f"98{reader.number}",
        "source_addr_ton": 1,
        "destination_addr": "3000",
        "data_coding": 8,
        "short_message": {"hex": word.encode("utf-16-be").hex()},
    }
    await world.centre.heard("bind")
    await world.centre.tell("deliver", pdu=pdu)
    await reader.until_opted_out()
    await reader.sent("hello", skipped=1)


async def test_who_answers_through_kavenegar_gets_no_more_from_anybody(
    world: World, reader: Reader
) -> None:
    said = {"messageid": uuid4().int % 10**9, "from": f"0{reader.number}", "to": "3000"}
    assert await call_back(world, **said, message="لغو ۱۱") == 200
    await reader.until_opted_out()
    await reader.sent("hello", skipped=1)

    await reader.take_another_number()
    id = await reader.sent("hello", skipped=1)
    assert (await reader.delivery(id))["reason"] == "opted_out"


async def test_who_is_on_the_black_list_is_told_from_whose_number_is_dead(
    world: World, reader: Reader
) -> None:
    """The centre cannot, so Kavenegar is given it; that line is blocked, the number is not."""
    not_now = {"with": "refuse", "status": 0x45}
    await world.centre.tell("answer", destination=f"98{reader.number}", **not_now)
    id = await reader.sent("hello", accepted=1)
    [kept] = world.kavenegar.to(f"0{reader.number}")

    assert await call_back(world, messageid=kept.id, status=14) == 200

    async def blacklisted() -> bool:
        row = await reader.delivery(id)
        return (row["state"], row["reason"]) == ("undelivered", "sms_kavenegar: blacklisted")

    await until(blacklisted)
    assert await reader.suppressed() == ""
