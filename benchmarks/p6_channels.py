"""P6C: planned deliveries by each channel beside email, to a sink that takes everything."""

from functools import partial

from benchmarks.delivering import deliver
from benchmarks.model import Bar, Bench, Case, Row, interleave
from benchmarks.vendors import VENDORS, Vendor, sinking

SIZE = 4_000
QUICK_SIZE = 500


async def measure(bench: Bench) -> tuple[list[Row], list[Bar]]:
    return [await _by(bench, vendor) for vendor in VENDORS], []


async def _by(bench: Bench, vendor: Vendor) -> Row:
    count = QUICK_SIZE if bench.quick else SIZE
    folder = bench.folder / vendor.provider
    async with sinking(vendor.sink, folder) as port:
        sides = [
            partial(deliver, folder, count, vendor.job(folder, port)),
            partial(vendor.least, folder, count, vendor.ready(folder, port)),
        ]
        return await interleave(bench, f"{count:,} by {vendor.provider}", sides)


CASE = Case(
    "P6C",
    "Delivery by each channel: planned, gates, Liquid, provider, result",
    "aiohttp, h2 or smpp34 with ready bytes to the same sink, on as many connections",
    "deliveries/s",
    measure,
)
