"""What Prometheus reads. One registry for each app, so that nothing is shared between two."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

MEDIA_TYPE: Final = CONTENT_TYPE_LATEST
_SECONDS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The figures of the doors. Labels hold routes and codes, never ids or anything of a person."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self.requests = Counter(
            "angarium_http_requests",
            "Requests answered.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self.accepted = Counter(
            "angarium_ingest_messages",
            "Messages that are safe on the stream.",
            registry=self.registry,
        )
        self.refused = Counter(
            "angarium_ingest_refused",
            "Messages that were not taken, by reason.",
            ["code"],
            registry=self.registry,
        )
        self.bytes = Counter(
            "angarium_ingest_bytes", "Bytes of bodies, inflated.", registry=self.registry
        )
        self.seconds = Histogram(
            "angarium_ingest_seconds",
            "From the request's first byte to its answer, in seconds.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.waiting_bytes = Gauge(
            "angarium_ingest_waiting_bytes",
            "Bytes of bodies now inside the door.",
            registry=self.registry,
        )

    def count(self, route: str, method: str, status: int) -> None:
        """One more request answered. `route` is a pattern of ours, never a client's path."""
        name = (route, method, status)
        counter = self._counters.get(name)
        if counter is None:
            counter = self._counters[name] = self.requests.labels(route, method, status)
        counter.inc()

    def render(self) -> bytes:
        """The page, in Prometheus' text format."""
        return generate_latest(self.registry)
