"""Whatever a provider raises or answers, the ledger hears of it."""

from collections.abc import Callable
from typing import Any

import pytest

from angarium.core.delivery.retries import RetryPolicy
from angarium.core.delivery.routes import Route
from angarium.core.delivery.status import DeliveryState
from angarium.core.workers.recorder import Noted
from angarium.core.workers.sender import Sender
from angarium.plugins import Accepted, EmailContent, Message, PermanentFailure, TemporaryFailure
from tests.delivery.examples import NOW, delivery
from tests.workers.offices import Director

MESSAGE = Message(
    key="dlv_1", address="sara@example.org", content=EmailContent(subject="x", html="x")
)


class Unreadable:
    def __str__(self) -> str:
        raise KeyError("x")


def raised(error: Exception, **wrong: Any) -> Callable[[Message], Any]:
    """A failure whose fields a plugin has changed afterwards."""
    for name, value in wrong.items():
        setattr(error, name, value)

    async def answer(_: Message) -> Accepted:
        raise error

    return answer


async def unreadable(_: Message) -> Any:
    return Accepted(Unreadable())  # type: ignore[arg-type]  # what a plugin without types may do


@pytest.mark.parametrize(
    "answer",
    [
        raised(TemporaryFailure("busy"), retry_after="soon"),
        raised(TemporaryFailure("busy"), reason=KeyError("busy")),
        raised(PermanentFailure("gone", address_dead=True), dead_since="yesterday"),
        unreadable,
    ],
)
async def test_an_outcome_that_cannot_be_read_is_a_doubt(answer: Any) -> None:
    notes: list[Noted] = []
    sender = Sender(
        Route(name="email_x"),
        Director(answer),
        notes.append,
        lambda: NOW,
        concurrency=1,
        seconds=5,
        policy=RetryPolicy(),
    )
    sender.send(delivery(DeliveryState.HANDED, worker="w"), MESSAGE)
    await sender.drain(5)
    [noted] = notes
    assert noted.answer.wanted.state is DeliveryState.IN_DOUBT
