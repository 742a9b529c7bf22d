"""What each answer of APNs means for a message, its address and the provider."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from angarium.channels._apns_answers import read_failure, read_reason
from angarium.channels._http import Answer
from angarium.plugins import InDoubt, PermanentFailure, TemporaryFailure

DEAD = {"address_dead": True}
ALIVE = {"address_dead": False}
OUR_FAULT = {"retry_after": 300, "pause": True}
LATER = {"retry_after": 10, "pause": False}


@pytest.mark.parametrize(
    ("status", "reason", "failure", "attributes"),
    [
        (400, "BadDeviceToken", PermanentFailure, DEAD),
        (400, "DeviceTokenNotForTopic", PermanentFailure, DEAD),
        (410, "Unregistered", PermanentFailure, DEAD),
        (410, "ExpiredToken", PermanentFailure, DEAD),
        (410, "", PermanentFailure, DEAD),
        (400, "BadCollapseId", PermanentFailure, ALIVE),
        (400, "BadExpirationDate", PermanentFailure, ALIVE),
        (400, "BadMessageId", PermanentFailure, ALIVE),
        (400, "BadPriority", PermanentFailure, ALIVE),
        (400, "DuplicateHeaders", PermanentFailure, ALIVE),
        (400, "InvalidPushType", PermanentFailure, ALIVE),
        (400, "MissingDeviceToken", PermanentFailure, ALIVE),
        (400, "PayloadEmpty", PermanentFailure, ALIVE),
        (400, "", PermanentFailure, ALIVE),
        (405, "MethodNotAllowed", PermanentFailure, ALIVE),
        (413, "PayloadTooLarge", PermanentFailure, ALIVE),
        (400, "BadTopic", TemporaryFailure, OUR_FAULT),
        (400, "MissingTopic", TemporaryFailure, OUR_FAULT),
        (400, "TopicDisallowed", TemporaryFailure, OUR_FAULT),
        (403, "BadCertificate", TemporaryFailure, OUR_FAULT),
        (403, "BadCertificateEnvironment", TemporaryFailure, OUR_FAULT),
        (403, "Forbidden", TemporaryFailure, OUR_FAULT),
        (403, "InvalidProviderToken", TemporaryFailure, OUR_FAULT),
        (403, "MissingProviderToken", TemporaryFailure, OUR_FAULT),
        (403, "SomethingNew", TemporaryFailure, OUR_FAULT),
        (404, "BadPath", TemporaryFailure, OUR_FAULT),
        (429, "TooManyProviderTokenUpdates", TemporaryFailure, OUR_FAULT),
        (429, "TooManyRequests", TemporaryFailure, {"retry_after": 60, "pause": False}),
        (400, "IdleTimeout", TemporaryFailure, LATER),
        (500, "InternalServerError", TemporaryFailure, LATER),
        (503, "ServiceUnavailable", TemporaryFailure, LATER),
        (503, "Shutdown", TemporaryFailure, LATER),
        (502, "", InDoubt, {}),
        (302, "", InDoubt, {}),
    ],
)
def test_each_answer_means_something(
    status: int, reason: str, failure: type[Exception], attributes: Mapping[str, Any]
) -> None:
    body = json.dumps({"reason": reason}).encode() if reason else b""
    found = read_failure(Answer(status, {}, body))

    assert isinstance(found, failure)
    assert found.reason.startswith("push_apns: ")
    assert reason in found.reason
    assert {name: getattr(found, name) for name in attributes} == attributes


@pytest.mark.parametrize(("status", "pause"), [(429, False), (500, False), (503, True)])
def test_the_server_may_say_how_long_to_wait(status: int, pause: bool) -> None:
    """429 is about one phone, 500 about one message, 503 about all."""
    found = read_failure(Answer(status, {"retry-after": "17"}, b""))

    assert isinstance(found, TemporaryFailure)
    assert (found.retry_after, found.pause) == (17, pause)


@pytest.mark.parametrize("reason", ["BadEnvironmentKeyInToken", "BadEnvironmentKeyIdInToken"])
def test_a_key_of_the_other_environment_is_named_however_apple_writes_it(reason: str) -> None:
    found = read_failure(Answer(403, {}, json.dumps({"reason": reason}).encode()))

    assert "check url" in found.reason


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"[]", b'{"reason": 5}', b'{"reason": "two words"}', '{"reason": "س"}'.encode()],
)
def test_what_is_no_word_of_apples_is_not_repeated(body: bytes) -> None:
    assert read_reason(Answer(400, {}, body)) == ""


def test_the_time_of_an_unregistered_token_is_no_hindrance() -> None:
    body = b'{"reason": "Unregistered", "timestamp": 1790000000000}'

    assert read_reason(Answer(410, {}, body)) == "Unregistered"


@pytest.mark.parametrize(
    ("body", "since"),
    [
        (b'{"reason":"Unregistered","timestamp":1795000000123}', 1_795_000_000_123),
        (b'{"reason":"Unregistered"}', None),
        (b'{"reason":"Unregistered","timestamp":"soon"}', None),
        (b"", None),
    ],
)
def test_who_told_the_token_again_since_then_keeps_it(body: bytes, since: int | None) -> None:
    failure = read_failure(Answer(410, {}, body))

    assert isinstance(failure, PermanentFailure)
    assert failure.dead_since == since
