"""All cases, in order."""

from benchmarks import (
    isolation,
    p1_ingest_batches,
    p2_ingest_singles,
    p3_core,
    p4_core_large,
    p5_trigger,
    p6_channels,
    p6_delivery,
    p7_web_push,
    p11_start,
    sick_neighbour,
)
from benchmarks.model import Case

CASES: tuple[Case, ...] = (
    p1_ingest_batches.CASE,
    p2_ingest_singles.CASE,
    p3_core.CASE,
    p4_core_large.CASE,
    p5_trigger.CASE,
    p6_delivery.CASE,
    p6_channels.CASE,
    p7_web_push.CASE,
    p11_start.CASE,
    sick_neighbour.CASE,
    isolation.CASE,
)
