"""A death between what a mail says and the mark on it: the mail is heard once, on both stores."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from angarium.core.bus.subjects import FEEDBACK
from angarium.core.store.suppressions import list_suppressions
from angarium.core.workers.consent import opt_out
from angarium.core.workers.feedback import FeedbackReader
from angarium.plugins import Accepted, Message
from tests.channels.returned import abuse, bounce
from tests.counterparts.imap import Mail, imap_server
from tests.delivery.examples import new_delivery
from tests.parts.nats import NatsServer
from tests.parts.waiting import until
from tests.store.ledgers import figures
from tests.workers.offices import Director, Office


@pytest.fixture
async def mail(tmp_path: Path) -> AsyncIterator[Mail]:
    async with imap_server(tmp_path) as served:
        yield served


async def listen(url: str, mail: Mail, how: str) -> int:
    arguments = (url, str(mail.port), str(mail.folder), how)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.workers.listening_death", *arguments
    )
    return await process.wait()


@pytest.mark.parametrize(("raw", "word"), [(bounce(), "bounced"), (abuse(), "complained")])
async def test_a_mail_that_was_told_and_not_marked_counts_once(
    shop: Office, nats_server: NatsServer, mail: Mail, raw: bytes, word: str
) -> None:
    await shop.plan(new_delivery())

    async def take(message: Message) -> Accepted:
        return Accepted(message.key)

    async with shop.delivering(Director(take)):
        await shop.became(accepted=1)
    [name] = mail.deliver(raw)

    assert await listen(nats_server.url, mail, "dies") == -9
    assert mail.flags(name) == ""
    assert await listen(nats_server.url, mail, "lives") == 0
    assert mail.flags(name) == "S"

    assert (await shop.bus.stream_state(FEEDBACK)).messages == 2
    reader = FeedbackReader(shop.store, shop.bus, shop.publisher, opt_out, lambda: shop.now)
    reading = asyncio.create_task(reader.run())

    async def applied() -> bool:
        return reader._position == 2

    await until(applied)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)

    counted = {name: n for (_, name), n in (await figures(shop.store)).items()}
    assert counted == {"accepted": 1, word: 1}
    async with shop.store.reading() as tx:
        suppressed = await list_suppressions(tx, "default", None, ("", ""), 10)
    assert [row.reason for row in suppressed] == [word]
