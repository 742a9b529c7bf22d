"""The delivery worker, from planned rows to recorded answers, on both stores."""

from angarium.core.delivery.status import DeliveryState
from tests.delivery.examples import NOW, new_delivery
from tests.store.ledgers import row, states
from tests.workers.offices import Director, Office

S = DeliveryState


async def test_a_planned_delivery_is_rendered_sent_and_recorded(office: Office) -> None:
    await office.campaign()
    await office.person()
    await office.plan(new_delivery())
    mail = Director()
    async with office.delivering(mail):
        await mail.received(1)
    (message,) = mail.messages
    assert (message.key, message.address) == ("dlv_1", "prf_1@example.org")
    assert message.content.subject == "Hello Sara"
    now = await row(office.store)
    assert (now.state, now.provider, now.provider_id) == (
        S.ACCEPTED,
        "email_director",
        "recorded-dlv_1",
    )
    assert (now.attempt, now.accepted_at) == (1, NOW)
    assert await states(office.store) == {"accepted": 1}
    assert (mail.open_count, mail.close_count) == (1, 1)
