"""What Twilio's answers mean for the message, the provider, and the address."""

import pytest

from angarium.channels._http import Answer
from angarium.channels._twilio_answers import read_answer
from angarium.plugins import InDoubt, PermanentFailure, TemporaryFailure

NUMBER = "+989121234567"


@pytest.mark.parametrize(
    ("status", "code", "raised", "dead", "pause"),
    [
        (400, 21211, PermanentFailure, True, False),
        (400, 21214, PermanentFailure, True, False),
        (400, 21614, PermanentFailure, True, False),
        (400, 21610, PermanentFailure, True, False),
        (400, 21408, PermanentFailure, False, False),
        (400, 21612, PermanentFailure, False, False),
        (400, 21617, PermanentFailure, False, False),
        (400, 21606, TemporaryFailure, False, True),
        (400, 21611, TemporaryFailure, False, True),
        (400, 0, TemporaryFailure, False, True),
        (401, 20003, TemporaryFailure, False, True),
        (403, 20005, TemporaryFailure, False, True),
        (404, 20404, TemporaryFailure, False, True),
        (429, 20429, TemporaryFailure, False, True),
        (429, 0, TemporaryFailure, False, True),
        (500, 20500, InDoubt, False, False),
        (503, 0, InDoubt, False, False),
        (302, 0, InDoubt, False, False),
    ],
)
def test_each_answer_has_one_meaning(
    status: int, code: int, raised: type[Exception], dead: bool, pause: bool
) -> None:
    body = b'{"code":%d,"message":"+989121234567 is not valid","status":400}' % code

    with pytest.raises(raised) as caught:
        read_answer(Answer(status, {}, body if code else b"<html>"))

    assert getattr(caught.value, "address_dead", False) is dead
    assert getattr(caught.value, "pause", False) is pause
    assert str(status) in str(caught.value)
    assert NUMBER not in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"sid":""}', b'{"sid":7}', b"[" * 9999])
def test_a_yes_that_cannot_be_read_is_in_doubt(body: bytes) -> None:
    with pytest.raises(InDoubt):
        read_answer(Answer(201, {}, body))
