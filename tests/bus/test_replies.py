import pytest

from angarium.core.bus.replies import read_reply

SHORT = "$JS.ACK.EVENTS.consumer.1.42.7.1795342831958123456.9"
LONG = "$JS.ACK.hub.A1b2C3.EVENTS.consumer.1.42.7.1795342831958123456.9"


@pytest.mark.parametrize("reply", [SHORT, LONG, LONG + ".random"])
def test_each_form_of_reply_tells_the_same(reply: str) -> None:
    assert read_reply(reply) == (42, 7, 1795342831958)
