"""Figures of this process for its operator, as Prometheus reads them; never a name, an id or a value."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """What the process counts; a registry of its own, so that two applications in one process do not mix."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        self._requests = Counter(
            "leadgraph_requests", "HTTP requests answered.", ["method", "status"], registry=registry
        )
        self._operations = Histogram(
            "leadgraph_operation_seconds",
            "Queries and mutations executed; outcome: fine, or errors where a field failed.",
            ["kind", "outcome"],
            buckets=SECONDS,
            registry=registry,
        )
        self._cost = Counter("leadgraph_operation_cost", "Cost of operations executed.", registry=registry)
        self._refused = Counter(
            "leadgraph_operations_refused",
            "Operations not executed, by error code.",
            ["code"],
            registry=registry,
        )
        self._events = Counter("leadgraph_events", "Events sent to subscribers.", registry=registry)
        self._streams = Gauge("leadgraph_open_streams", "Open sockets and event streams.", registry=registry)
        self._jobs = Gauge(
            "leadgraph_jobs", "Unfinished jobs of the database.", ["kind", "state"], registry=registry
        )

    def request_answered(self, method: str, status: int) -> None:
        # A method is whatever a client writes: only those of the door become a label.
        known = method if method in ("GET", "POST", "PUT", "HEAD", "OPTIONS") else "other"
        self._requests.labels(known, str(status)).inc()

    def operation_ended(self, kind: str, *, failed: bool, seconds: float, cost: int) -> None:
        self._operations.labels(kind, "errors" if failed else "fine").observe(seconds)
        self._cost.inc(cost)

    def operation_refused(self, code: str) -> None:
        self._refused.labels(code).inc()

    def event_sent(self) -> None:
        self._events.inc()

    def page(self, *, open_streams: int, jobs: dict[tuple[str, str], int]) -> bytes:
        """All of it in Prometheus' text format; `jobs` are counted by kind and state."""
        self._streams.set(open_streams)
        self._jobs.clear()
        for (kind, state), number in jobs.items():
            self._jobs.labels(kind, state).set(number)
        return generate_latest(self._registry)
