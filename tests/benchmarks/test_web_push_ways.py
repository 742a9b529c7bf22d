from pathlib import Path

import pytest

from benchmarks.sink_http import open_sink
from benchmarks.web_push_ways import WAYS, run
from tests.benchmarks.sinks import listening


@pytest.mark.parametrize("way", WAYS)
async def test_every_way_sends_what_it_is_given(tmp_path: Path, way: str) -> None:
    async with listening(open_sink, tmp_path) as port:
        job = {"way": way, "origin": f"http://127.0.0.1:{port}", "count": 10}
        assert (await run(job))["seconds"] > 0
