"""What each answer of FCM means for a message, its address and the provider."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from angarium.channels._fcm_answers import read_failure, read_name
from angarium.channels._http import Answer
from angarium.plugins import InDoubt, PermanentFailure, TemporaryFailure
from tests.counterparts.fcm import BAD_TOKEN, Reply, error

DEAD = {"address_dead": True}
ALIVE = {"address_dead": False}
OUR_FAULT = {"retry_after": 300, "pause": True}


def answer(reply: Reply) -> Answer:
    status, body, headers = reply
    lower = {name.lower(): text for name, text in headers.items()}
    return Answer(status, lower, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("reply", "failure", "attributes"),
    [
        (error(404, "NOT_FOUND", "gone", code="UNREGISTERED"), PermanentFailure, DEAD),
        (error(403, "X", "SenderId mismatch", code="SENDER_ID_MISMATCH"), PermanentFailure, DEAD),
        (
            error(400, "INVALID_ARGUMENT", BAD_TOKEN, code="INVALID_ARGUMENT"),
            PermanentFailure,
            DEAD,
        ),
        (error(400, "INVALID_ARGUMENT", "bad", field="message.token"), PermanentFailure, DEAD),
        (error(400, "INVALID_ARGUMENT", "bad", field="message.data"), PermanentFailure, ALIVE),
        (
            error(400, "INVALID_ARGUMENT", "Message too big", code="INVALID_ARGUMENT"),
            PermanentFailure,
            ALIVE,
        ),
        ((400, {}, {}), PermanentFailure, ALIVE),
        ((413, {}, {}), PermanentFailure, ALIVE),
        (
            error(429, "X", "slow", code="QUOTA_EXCEEDED", Retry_After="7"),
            TemporaryFailure,
            {"retry_after": 7, "pause": False},
        ),
        (
            error(429, "RESOURCE_EXHAUSTED", "slow"),
            TemporaryFailure,
            {"retry_after": 60, "pause": True},
        ),
        (error(500, "INTERNAL", "oops", code="INTERNAL"), TemporaryFailure, {"retry_after": 10}),
        (
            error(503, "X", "busy", code="UNAVAILABLE", Retry_After="120"),
            TemporaryFailure,
            {"retry_after": 120, "pause": True},
        ),
        (
            error(503, "X", "busy", code="UNAVAILABLE"),
            TemporaryFailure,
            {"retry_after": 10, "pause": False},
        ),
        (error(401, "UNAUTHENTICATED", "who?"), TemporaryFailure, {"pause": False}),
        (
            error(401, "UNAUTHENTICATED", "APNs", code="THIRD_PARTY_AUTH_ERROR"),
            TemporaryFailure,
            {"retry_after": 300, "pause": False},
        ),
        (error(403, "PERMISSION_DENIED", "no"), TemporaryFailure, OUR_FAULT),
        (error(404, "NOT_FOUND", "no project"), TemporaryFailure, OUR_FAULT),
        ((404, {}, {}), TemporaryFailure, OUR_FAULT),
        ((302, {}, {"Location": "/elsewhere"}), TemporaryFailure, OUR_FAULT),
        ((418, {}, {}), TemporaryFailure, OUR_FAULT),
        ((502, {}, {}), InDoubt, {}),
        ((504, {}, {}), InDoubt, {}),
        ((204, {}, {}), InDoubt, {}),
    ],
)
def test_each_answer_means_something(
    reply: Reply, failure: type[Exception], attributes: Mapping[str, Any]
) -> None:
    found = read_failure(answer(reply))

    assert isinstance(found, failure)
    assert found.reason.startswith("push_fcm: ")
    assert {name: getattr(found, name) for name in attributes} == attributes


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b'{"error": 1}', b"<html>" * 9999])
def test_an_answer_that_is_no_json_is_read_by_its_status(body: bytes) -> None:
    assert isinstance(read_failure(Answer(503, {}, body)), TemporaryFailure)
    assert not getattr(read_failure(Answer(400, {}, body)), "address_dead", True)


def test_a_reason_repeats_nothing_of_what_fcm_says() -> None:
    found = read_failure(answer(error(400, "A" * 500 + "token", "the token abc")))

    assert "token" not in found.reason
    assert len(found.reason) < 120


def test_an_acceptance_without_a_name_is_in_doubt() -> None:
    assert read_name(Answer(200, {}, b'{"name": "projects/a/messages/1"}')).endswith("/1")
    with pytest.raises(InDoubt, match="cannot be read"):
        read_name(Answer(200, {}, b"{}"))
