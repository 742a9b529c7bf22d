"""All cases, in order."""

from benchmarks import (
    p1_ingest_batches,
    p2_ingest_singles,
    p3_core,
    p4_core_large,
    p5_trigger,
    p6_delivery,
    p11_start,
)
from benchmarks.model import Case

CASES: tuple[Case, ...] = (
    p1_ingest_batches.CASE,
    p2_ingest_singles.CASE,
    p3_core.CASE,
    p4_core_large.CASE,
    p5_trigger.CASE,
    p6_delivery.CASE,
    p11_start.CASE,
)
