"""Callbacks are read in the plugin's process, which is not opened for that."""

from collections.abc import AsyncIterator

import pytest

from angarium.gateway.isolation.callbacks import close_readers, read_callback
from angarium.gateway.isolation.keeper import Resting
from angarium.plugins import CallbackRequest, Provider, StatusUpdate
from angarium.plugins.testing import RecordingProvider
from tests.gateway.isolation.conftest import Load


def posted(body: bytes, signature: str = "good") -> CallbackRequest:
    headers = {"x-signature": signature}
    return CallbackRequest(method="POST", url="https://x", headers=headers, body=body, at=7)


@pytest.fixture
async def reader(load: Load) -> AsyncIterator[Provider]:
    provider = load(hang_seconds=2.0).create_provider("sms_rogue", {})
    yield provider
    await close_readers({"sms_rogue": provider})


async def test_what_the_vendor_says_crosses(reader: Provider) -> None:
    assert await read_callback(reader, posted(b"p1")) == [
        StatusUpdate(status="delivered", provider_id="p1", at=5)
    ]


async def test_a_forged_one_is_refused(reader: Provider) -> None:
    with pytest.raises(PermissionError):
        await read_callback(reader, posted(b"p1", "bad"))


async def test_one_that_cannot_be_read_is_refused(reader: Provider) -> None:
    with pytest.raises(ValueError, match="codec can't decode"):
        await read_callback(reader, posted(b"\xff"))


@pytest.mark.parametrize("body", [b"raise", b"block"])
async def test_a_plugin_that_fails_asks_the_vendor_to_come_again(
    reader: Provider, body: bytes
) -> None:
    with pytest.raises(Resting):
        await read_callback(reader, posted(body))


async def test_ours_are_read_here() -> None:
    request = CallbackRequest(method="POST", url="https://x", body=b"[]")

    assert await read_callback(RecordingProvider(), request) == []
