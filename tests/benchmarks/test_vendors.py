"""The providers of the channels' benchmarks send to the sinks, and so do their floors."""

from contextlib import AbstractAsyncContextManager
from importlib import import_module
from pathlib import Path

import msgspec
import pytest

from angarium.channels._web_push_crypto import make_private_key
from angarium.config.load import load_settings
from angarium.gateway.routes import build_routes
from angarium.plugins import Accepted, Message
from angarium.plugins.manager import load_plugins
from benchmarks.delivering import Job
from benchmarks.vendors import SAMPLE, VENDORS, Vendor, settings
from tests.benchmarks.sinks import listening

every_vendor = pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.provider)


def sink_of(vendor: Vendor, folder: Path) -> AbstractAsyncContextManager[int]:
    return listening(import_module(f"benchmarks.{vendor.sink}").open_sink, folder)


def address_of(job: Job) -> str:
    reach = job.reach(1)
    if reach.device is not None and reach.device.address is not None:
        return reach.device.address.text
    return reach.attributes.get("webhook_id", "+989120000001")


@every_vendor
async def test_what_the_provider_sends_is_taken_by_its_sink(tmp_path: Path, vendor: Vendor) -> None:
    plugins = load_plugins()
    async with sink_of(vendor, tmp_path) as port:
        job = vendor.job(tmp_path, port)
        environ = dict(job.environ)
        if job.channel == "web_push":  # otherwise the instance's own
            environ |= settings(vendor.provider, private_key=make_private_key())
        content = msgspec.convert(job.content[job.channel], plugins.channels[job.channel].content)
        message = Message(
            key=SAMPLE.key, address=address_of(job), content=content, at=SAMPLE.at, delivery="dlv_1"
        )
        [(_, provider)] = build_routes(plugins, load_settings(None, environ).channels)
        await provider.open()
        try:
            for _ in range(3):
                assert isinstance(await provider.send(message), Accepted)
        finally:
            await provider.close()


@every_vendor
async def test_the_floor_sends_all_of_its_ready_messages(tmp_path: Path, vendor: Vendor) -> None:
    async with sink_of(vendor, tmp_path) as port:
        job = {**vendor.ready(tmp_path, port), "count": 100}
        found = await import_module(f"benchmarks.{vendor.floor}").run(job)
    assert found["seconds"] > 0


async def test_a_floor_whose_messages_are_refused_measures_nothing(tmp_path: Path) -> None:
    [vendor] = [one for one in VENDORS if one.provider == "webhook_http"]
    async with sink_of(vendor, tmp_path) as port:
        job = {**vendor.ready(tmp_path, port), "url": f"http://127.0.0.1:{port}/?", "count": 1}
        with pytest.raises(Exception, match="404"):
            await import_module(f"benchmarks.{vendor.floor}").run(job)
