from benchmarks.isolation_ways import run


async def test_it_sends_what_it_is_given() -> None:
    found = await run({"count": 10, "at_once": 2})

    assert found.keys() == {"seconds", "start_ms", "memory_mib"}
    assert all(value > 0 for value in found.values())
