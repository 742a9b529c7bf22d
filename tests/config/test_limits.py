from angarium.config import limits
from angarium.config.settings import Limits


def test_the_fixed_limits_are_those_that_clients_were_told() -> None:
    assert limits.BATCH_MESSAGES == 1_000
    assert limits.USER_ID_LENGTH == 100
    assert limits.ATTRIBUTE_NAME_LENGTH == 50
    assert limits.ATTRIBUTES_PER_TYPE == 25
    assert limits.STRING_LENGTH == 1_000
    assert limits.MESSAGE_BYTES == 32 * 1024


def test_a_full_batch_fits_into_one_message_of_the_broker() -> None:
    assert 2 * limits.BATCH_BYTES_MOST <= 8 * 1024 * 1024
    assert Limits().batch_bytes <= limits.BATCH_BYTES_MOST
