"""Two mail relays, of which one does not do its work: real servers, the real provider."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from angarium.channels.email_smtp import EmailSmtp, EmailSmtpSettings
from angarium.core.delivery.routes import Route
from angarium.core.delivery.status import DeliveryState
from angarium.core.workers.sender import STUCK
from angarium.plugins import Provider
from tests.counterparts.smtp_catcher import SmtpCatcher, smtp_catcher
from tests.counterparts.smtp_scripted import SILENCE, ScriptedSmtp, scripted_smtp
from tests.delivery.examples import new_delivery
from tests.store.ledgers import row
from tests.workers.offices import Office

COUNT = 12
S = DeliveryState


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One store is enough: it does not matter here which."""
    return sqlite_url


def relay(name: str, order: int, port: int, connections: int = 4) -> tuple[Route, Provider]:
    """`[channels.<name>]` with `provider = "email_smtp"`."""
    given = EmailSmtpSettings(
        host="127.0.0.1", port=port, sender="shop@example.org", connections=connections
    )
    return Route(name=name, order=order), EmailSmtp(given)


@asynccontextmanager
async def two(
    script: dict[str, bytes], connections: int = 99
) -> AsyncGenerator[tuple[ScriptedSmtp, SmtpCatcher]]:
    async with scripted_smtp(script, connections=connections) as bad, smtp_catcher() as good:
        yield bad, good


@pytest.mark.parametrize(
    "script",
    [
        {"connect": b"421 4.3.2 closing"},
        {"MAIL": b"451 4.3.0 try later"},
        {"RCPT": b"452 4.2.2 no room"},
        {"DATA": b"451 4.3.0 try later"},
        {"dot": b"451 4.3.0 not now"},
    ],
)
async def test_one_that_refuses_for_now_costs_no_message(
    shop: Office, script: dict[str, bytes]
) -> None:
    """D11: every one arrives once, by way of the other."""
    await shop.plan(*(new_delivery(f"dlv_{n:02}") for n in range(COUNT)))
    async with two(script) as (bad, good):
        lines = relay("email_first", 1, bad.port), relay("email_second", 2, good.port)
        async with shop.delivering(*lines):
            await shop.became(accepted=COUNT)
        ids = {mail.parsed["Message-ID"] for mail in good.caught}
        assert (len(good.caught), len(ids)) == (COUNT, COUNT)
    assert {(await row(shop.store, f"dlv_{n:02}")).provider for n in range(COUNT)} == {
        "email_second"
    }


async def test_one_that_is_not_there_costs_no_message(shop: Office) -> None:
    async with smtp_catcher() as gone:
        port = gone.port
    await shop.plan(*(new_delivery(f"dlv_{n:02}") for n in range(COUNT)))
    async with smtp_catcher() as good:
        lines = relay("email_first", 1, port), relay("email_second", 2, good.port)
        async with shop.delivering(*lines):
            await shop.became(accepted=COUNT)
        assert len(good.caught) == COUNT


@pytest.mark.parametrize("phase", ["connect", "MAIL", "RCPT", "DATA"])
async def test_one_that_falls_silent_before_it_has_a_message_costs_none(
    shop: Office, phase: str
) -> None:
    """D11, D12: what was cut off before the final dot was not sent, so the other has it."""
    await shop.plan(*(new_delivery(f"dlv_{n:02}") for n in range(COUNT)))
    async with two({phase: SILENCE}) as (bad, good):
        slow = relay("email_first", 1, bad.port, connections=2)
        async with shop.delivering(
            slow, relay("email_second", 2, good.port), concurrency=4, send_seconds=2.0
        ):
            await bad.silent.wait()
            shop.now += STUCK
            await shop.became(accepted=COUNT)
        assert len(good.caught) == COUNT
        assert bad.bodies == []


async def test_what_one_may_have_after_the_final_dot_goes_to_no_other(shop: Office) -> None:
    """RFC 1047: it fell silent after the dot of the first message, so that one is in doubt."""
    await shop.plan(*(new_delivery(f"dlv_{n:02}") for n in range(COUNT)))
    async with two({"dot": SILENCE}) as (bad, good):
        slow = relay("email_first", 1, bad.port, connections=1)
        async with shop.delivering(
            slow, relay("email_second", 2, good.port), concurrency=1, send_seconds=2.0
        ):
            await bad.silent.wait()
            shop.now += STUCK
            await shop.became(accepted=COUNT - 1, in_doubt=1)
        assert len(good.caught) == COUNT - 1
        assert len(bad.bodies) == 1


async def test_a_mail_refused_as_all_might_be_keeps_no_other_waiting(shop: Office) -> None:
    """D10: 5.7.1 is said of a blocked sender, and of one fussy recipient."""
    for number in range(COUNT):
        await shop.person(f"prf_{number:02}")
    rows = [new_delivery(f"dlv_{n:02}", profile_id=f"prf_{n:02}") for n in range(COUNT)]
    async with smtp_catcher() as server:
        server.refusals["prf_05@example.org"] = "550 5.7.1 not from you"
        async with shop.delivering(relay("email_one", 1, server.port), concurrency=1):
            await shop.plan(rows[0])
            await shop.became(accepted=1)
            await shop.plan(*rows[1:])
            await shop.became(accepted=COUNT - 1, held=1)
    assert "refuses this message" in (await row(shop.store, "dlv_05")).reason
