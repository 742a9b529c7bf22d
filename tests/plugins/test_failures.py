"""Failures are instructions, however their author writes them."""

import math
from typing import Any

import pytest

from angarium.plugins import InDoubt, PermanentFailure, TemporaryFailure

CAUGHT: Any = KeyError("x")
"""What plugins give for a reason."""
HEADER: Any = "17"


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (TemporaryFailure(), "The provider did not take the message now, and may take it later."),
        (TemporaryFailure(5), "The provider did not take the message now, and may take it later."),
        (TemporaryFailure("busy"), "busy"),
        (TemporaryFailure("busy", 5), "busy"),
        (PermanentFailure(), "The provider will never take this message."),
        (PermanentFailure("gone", True), "gone"),
        (
            InDoubt(),
            "The provider may have taken the message: it was handed over, and no answer came.",
        ),
        (InDoubt("no answer"), "no answer"),
        (TemporaryFailure(CAUGHT), "'x'"),
        (PermanentFailure(CAUGHT), "'x'"),
        (InDoubt(CAUGHT), "'x'"),
    ],
)
def test_the_reason_is_the_docstring_unless_one_is_given(failure: Exception, reason: str) -> None:
    assert str(failure) == reason
    assert getattr(failure, "reason") == reason  # noqa: B009 — three classes, one attribute


@pytest.mark.parametrize(
    ("failure", "seconds"),
    [
        (TemporaryFailure(), None),
        (TemporaryFailure(5), 5),
        (TemporaryFailure(retry_after=5), 5),
        (TemporaryFailure("busy", 5), 5),
        (TemporaryFailure("busy", retry_after=0.5), 0.5),
        (TemporaryFailure("busy", -3), 0),
        (TemporaryFailure("busy", math.nan), None),
        (TemporaryFailure("busy", math.inf), None),
        (TemporaryFailure("busy", HEADER), None),
    ],
)
def test_retry_after_is_a_length_of_time_or_no_advice(
    failure: TemporaryFailure, seconds: float | None
) -> None:
    assert failure.retry_after == seconds


@pytest.mark.parametrize(
    ("told", "since"), [(None, None), (5, 5), (5.5, None), ("5", None), (-1, None), (1 << 80, None)]
)
def test_dead_since_is_an_instant_or_as_of_now(told: Any, since: int | None) -> None:
    """It reaches the ledger, together with the answers to other messages."""
    assert PermanentFailure("gone", True, dead_since=told).dead_since == since


def test_only_what_is_said_to_be_dead_is_dead() -> None:
    assert PermanentFailure("x").address_dead is False
    assert PermanentFailure("x", address_dead=True).address_dead is True
    assert TemporaryFailure("x").pause is False
