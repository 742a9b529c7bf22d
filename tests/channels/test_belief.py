"""Whose fault a refusal is: no wrong setting of ours may cost people their addresses."""

import json
from collections.abc import Callable

import pytest

from angarium.channels._apns_answers import read_misplaced
from angarium.channels._belief import MOST_REFUSALS, Belief
from angarium.channels._fcm_answers import read_mismatch
from angarium.channels._http import Answer
from angarium.channels.push_apns import PushApns
from angarium.channels.push_fcm import PushFcm
from angarium.channels.web_push_vapid import WebPushVapid
from angarium.plugins import PermanentFailure, TemporaryFailure
from tests.channels import test_web_push_vapid as browsers
from tests.channels.opened import opened
from tests.channels.push_messages import AT, push_message
from tests.counterparts.apns import KEY_ID, TEAM_ID, TOPIC, apns_server
from tests.counterparts.fcm import error, fcm_server
from tests.counterparts.web_push import push_service

GOOD, STALE = "0123456789abcdef" * 4, "0400" * 16


def test_nobody_believes_us_before_the_first_message() -> None:
    belief = Belief()

    assert not belief.holds
    assert not any([belief.doubt() for _ in range(100)])


def test_a_few_stale_addresses_are_to_blame_themselves() -> None:
    belief = Belief()
    for _ in range(3):
        belief.confirm()
        assert all([belief.doubt() for _ in range(MOST_REFUSALS)])


def test_many_in_a_row_are_not_stale_all_at_once() -> None:
    belief = Belief()
    belief.confirm()

    blamed = [belief.doubt() for _ in range(MOST_REFUSALS + 5)]

    assert blamed == [True] * MOST_REFUSALS + [False] * 5
    assert not belief.holds


def apns_answer(status: int, reason: str) -> Answer:
    return Answer(status, {}, json.dumps({"reason": reason}).encode())


def fcm_answer(status: int, code: str) -> Answer:
    return Answer(status, {}, json.dumps(error(status, "X", "…", code=code)[1]).encode())


@pytest.mark.parametrize(
    ("read", "answer", "setting"),
    [
        (read_misplaced, apns_answer(400, "BadDeviceToken"), "url"),
        (read_misplaced, apns_answer(400, "DeviceTokenNotForTopic"), "topic"),
        (read_misplaced, apns_answer(410, "Unregistered"), ""),
        (read_misplaced, apns_answer(410, "ExpiredToken"), ""),
        (read_misplaced, apns_answer(413, "PayloadTooLarge"), ""),
        (read_misplaced, Answer(400, {}, b"\xff"), ""),
        (read_mismatch, fcm_answer(403, "SENDER_ID_MISMATCH"), "project"),
        (read_mismatch, fcm_answer(404, "UNREGISTERED"), ""),
        (read_mismatch, fcm_answer(403, "PERMISSION_DENIED"), ""),
        (read_mismatch, Answer(403, {}, b"<html>"), ""),
    ],
)
def test_what_may_be_our_own_mistake_names_the_setting(
    read: Callable[[Answer], TemporaryFailure | None], answer: Answer, setting: str
) -> None:
    found = read(answer)

    assert (found is not None) is bool(setting)
    if found is not None:
        assert f"check {setting}" in found.reason
        assert (found.pause, found.retry_after) == (True, 60)


async def test_a_token_of_another_project_dies_only_where_ours_is_known_to_be_right() -> None:
    mismatch = error(403, "PERMISSION_DENIED", "SenderId mismatch", code="SENDER_ID_MISMATCH")
    async with fcm_server() as fcm:
        fcm.answers = {STALE: mismatch}
        async with opened(PushFcm, {"service_account": fcm.account(), "url": fcm.url}) as push:
            with pytest.raises(TemporaryFailure, match="check project"):
                await push.send(push_message(1, address=STALE))
            await push.send(push_message(2, address=GOOD))
            with pytest.raises(PermanentFailure) as caught:
                await push.send(push_message(3, address=STALE))

    assert caught.value.address_dead


@pytest.mark.parametrize("reason", ["BadDeviceToken", "DeviceTokenNotForTopic"])
async def test_a_token_of_another_environment_dies_only_where_ours_is_known_to_be_right(
    tmp_path_factory: pytest.TempPathFactory, reason: str
) -> None:
    with apns_server(tmp_path_factory.mktemp("apns")) as apns:
        apns.reset(AT // 1000)
        apns.rule(STALE[:8], "answer", answer=[400, reason])
        names = {"key_id": KEY_ID, "team_id": TEAM_ID, "topic": TOPIC}
        place = {"key": apns.private_key, "url": apns.url, "ca_file": apns.ca_file}
        async with opened(PushApns, {**names, **place}) as push:
            with pytest.raises(TemporaryFailure, match="check") as first:
                await push.send(push_message(1, address=STALE))
            await push.send(push_message(2, address=GOOD))
            with pytest.raises(PermanentFailure) as caught:
                await push.send(push_message(3, address=STALE))

    assert first.value.pause
    assert caught.value.address_dead


async def test_a_push_service_that_alone_refuses_us_holds_up_no_other() -> None:
    async with push_service() as here, push_service() as there:
        here.at = there.at = browsers.AT
        there.answers["told"] = (403, {})
        section = browsers.section(here, push_services=f"{here.url}, {there.url}")
        async with opened(WebPushVapid, section) as web_push:
            refused = browsers.message(there.subscribe("told").subscription)
            with pytest.raises(TemporaryFailure) as before:
                await web_push.send(refused)
            await web_push.send(browsers.message(here.subscribe().subscription))
            with pytest.raises(TemporaryFailure) as after:
                await web_push.send(refused)

    assert (before.value.pause, after.value.pause) == (True, False)


async def test_a_key_that_is_wrong_for_all_fails_nobodys_message() -> None:
    async with push_service() as service:
        service.at = browsers.AT
        async with opened(WebPushVapid, browsers.section(service)) as web_push:
            await web_push.send(browsers.message(service.subscribe().subscription))
            strange = service.subscribe(key="B" * 87).subscription
            failures: list[Exception] = []
            for number in range(MOST_REFUSALS + 3):
                with pytest.raises((PermanentFailure, TemporaryFailure)) as caught:
                    await web_push.send(browsers.message(strange, number))
                failures.append(caught.value)

    assert [type(one) for one in failures[:-3]] == [PermanentFailure] * MOST_REFUSALS
    assert "subscribed for another key" in str(failures[0])
    assert [type(one) for one in failures[-3:]] == [TemporaryFailure] * 3
    assert not any(getattr(one, "address_dead", False) for one in failures)
