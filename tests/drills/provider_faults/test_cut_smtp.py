"""D11: a mail server is lost, silent, or refuses, at each step: what the ledger then says.

Up to the final dot the mail was surely not sent, and is tried again. After it only an answer tells:
marketing is held in doubt, what is promised at least once is sent again and counted.
"""

from collections.abc import Mapping
from typing import Any, Literal

from angarium.channels._email_settings import EmailSmtpSettings
from angarium.channels.email_smtp import EmailSmtp
from angarium.core.delivery.record import AT_LEAST_ONCE, AT_MOST_ONCE, Delivery
from angarium.core.delivery.routes import Route
from angarium.core.delivery.status import DeliveryState
from tests.counterparts.smtp_scripted import DROP, RESET, SILENCE, scripted_smtp
from tests.delivery.examples import new_delivery
from tests.parts.waiting import until
from tests.store.ledgers import row
from tests.workers.offices import Office

S = DeliveryState
BEFORE = ("connect", "EHLO", "MAIL", "RCPT", "DATA")
LOST = (DROP, RESET, SILENCE, b"what is this")
STARTTLS = b"250-scripted\r\n250 STARTTLS"
LIMITS: dict[str, Any] = {"connect_seconds": 0.3, "command_seconds": 0.3, "final_seconds": 0.3}

Tls = Literal["none", "starttls", "tls"]
Case = tuple[Mapping[str, bytes], Tls, DeliveryState]
"""What the server does, the setting `tls`, and the state that follows."""

CASES: list[Case] = [
    *(({step: lost, "HELO": lost}, "none", S.HELD) for step in BEFORE for lost in LOST),
    *(({"EHLO": STARTTLS, "STAR": lost}, "starttls", S.HELD) for lost in (*LOST, b"454 no")),
    ({"EHLO": STARTTLS, "STAR": b"220 go on"}, "starttls", S.HELD),
    *(({"connect": lost}, "tls", S.HELD) for lost in (DROP, RESET, SILENCE, b"220 in clear")),
    *(({"dot": lost}, "none", S.IN_DOUBT) for lost in (*LOST, b"354 go on")),
    *(({"QUIT": lost}, "none", S.ACCEPTED) for lost in LOST),
    *(({step: b"451 4.3.0 later"}, "none", S.HELD) for step in ("MAIL", "RCPT", "DATA", "dot")),
    *(({step: b"421 4.3.2 bye"}, "none", S.HELD) for step in ("connect", *BEFORE, "dot")),
    ({"RCPT": b"550 5.1.1 no such user"}, "none", S.FAILED),
    ({"RCPT": b"550 5.7.1 you are listed"}, "none", S.HELD),
    ({"DATA": b"554 5.6.0 no"}, "none", S.FAILED),
    ({"dot": b"552 5.3.4 too large"}, "none", S.FAILED),
    ({"dot": b"554 5.7.1 spam"}, "none", S.HELD),
    ({}, "none", S.ACCEPTED),
]


async def test_each_step_has_its_class(shop: Office) -> None:
    """Each case has a server and a section of its own, so that none pauses another."""
    wrong: list[tuple[Case, Delivery]] = []
    for number, case in enumerate(CASES):
        await shop.person(f"prf_{number}")
        rows = [
            new_delivery(f"{promise}_{number}", promise=promise, profile_id=f"prf_{number}")
            for promise in (AT_MOST_ONCE, AT_LEAST_ONCE)
        ]
        await shop.plan(*rows)
        for ended in await _ended(shop, f"email_{number}", [new.id for new in rows], case):
            if (ended.state, ended.resends) != _expected(case, ended.promise):
                wrong.append((case, ended))
    assert wrong == []


async def _ended(shop: Office, name: str, ids: list[str], case: Case) -> list[Delivery]:
    script, tls, _ = case

    async def answered() -> bool:
        now = [(await row(shop.store, id)).state for id in ids]
        return not {S.PLANNED, S.CLAIMED, S.HANDED} & set(now)

    async with scripted_smtp(script, connections=1000) as server:
        settings = EmailSmtpSettings(
            host="127.0.0.1",
            port=server.port,
            sender="Shop <shop@example.org>",
            tls=tls,
            **LIMITS,
        )
        async with shop.delivering((Route(name=name), EmailSmtp(settings))):
            await until(answered)
    return [await row(shop.store, id) for id in ids]


def _expected(case: Case, promise: str) -> tuple[DeliveryState, int]:
    _, _, state = case
    if state is S.IN_DOUBT and promise == AT_LEAST_ONCE:
        return S.HELD, 1
    return state, 0
