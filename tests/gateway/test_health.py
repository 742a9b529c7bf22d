"""Alive, ready, and measured."""

import pytest

from angarium.core.bus.bus import Bus
from angarium.core.bus.embedded import EmbeddedServer
from angarium.core.store.open import open_store
from tests.gateway.conftest import OpenDoor
from tests.gateway.doors import Door


async def ready(door: Door) -> tuple[int, list[str]]:
    response = await door.client.get("/health/ready")
    return response.status_code, response.json().get("not_ready", [])


async def test_a_door_with_all_its_parts_is_ready(door: Door) -> None:
    live = await door.client.get("/health/live")

    assert (live.status_code, live.json()) == (200, {"status": "live"})
    assert await ready(door) == (200, [])


async def test_without_a_broker_it_is_alive_but_not_ready(
    open_door: OpenDoor, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = EmbeddedServer(tmp_path_factory.mktemp("broker"))
    bus = await Bus.connect(await server.start(), name="test")
    await bus.ensure_streams()
    door = await open_door(bus=bus)

    await server.stop()
    await door.post("/v1/track", {"event": "A", "userId": "u1"})

    assert await ready(door) == (503, ["bus"])
    assert (await door.client.get("/health/live")).status_code == 200
    await bus.close()


async def test_without_a_store_it_is_not_ready(open_door: OpenDoor) -> None:
    door = await open_door()

    await door.parts.store.close()

    assert await ready(door) == (503, ["store"])


async def test_with_another_schema_it_is_not_ready(open_door: OpenDoor, sqlite_url: str) -> None:
    door = await open_door()
    other = await open_store(sqlite_url)
    async with other.transaction() as tx:
        await tx.run("add_schema_version", version=9_999, name="from_the_future")
    await other.close()

    assert await ready(door) == (503, ["schema"])


async def test_the_figures_tell_what_was_taken_and_what_was_not(open_door: OpenDoor) -> None:
    door = await open_door()
    good = {"type": "track", "event": "A", "userId": "somebody@example.org"}
    await door.post("/v1/batch", {"batch": [good, good, {"type": "track"}]})
    await door.post("/v1/track", {})
    await door.client.get("/nowhere/at/all")

    response = await door.client.get("/metrics")

    lines = set(response.text.splitlines())
    assert response.headers["content-type"].startswith("text/plain")
    assert {
        "angarium_ingest_messages_total 2.0",
        'angarium_ingest_refused_total{code="no_event_name"} 0.0',
        'angarium_http_requests_total{method="POST",route="/v1/batch",status="200"} 1.0',
        'angarium_http_requests_total{method="POST",route="/v1/track",status="422"} 1.0',
        'angarium_http_requests_total{method="GET",route="none",status="404"} 1.0',
        "angarium_ingest_seconds_count 2.0",
    } - lines == {'angarium_ingest_refused_total{code="no_event_name"} 0.0'}
    assert 'angarium_ingest_refused_total{code="no_id"} 2.0' in lines
    assert "somebody" not in response.text


async def test_two_doors_count_for_themselves(open_door: OpenDoor, door: Door) -> None:
    other = await open_door()
    await other.post("/v1/track", {"event": "A", "userId": "u1"})

    assert other.parts.metrics.registry is not door.parts.metrics.registry
    assert "angarium_ingest_messages_total 1.0" in (await other.client.get("/metrics")).text
