"""What a collector says of itself, through prometheus-client."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector as Source

from collectors.engine import Collector
from collectors.reach import Endpoint
from collectors.traps import TrapCounters
from exporter import registry as r


class CollectorMetrics(Source):
    """Reads the collector's own counters at each scrape.

    Args:
        classes: of the devices, by ordinal.
        datagrams: the transport's counters by kind.
        traps: what became of traps; None where they are not heard, and then there are no series of them.
        platforms: whether each accepted the newest connection.
        patience: seconds of patience with each device that has answered, ascending.
    """

    def __init__(
        self,
        collector: Collector,
        classes: list[str],
        datagrams: Callable[[], Mapping[str, int]],
        traps: Callable[[], TrapCounters] | None = None,
        patience: Callable[[], Sequence[float]] = tuple,
        platforms: Mapping[Endpoint, bool] = MappingProxyType({}),
    ) -> None:
        self._collector, self._classes, self._datagrams, self._traps = collector, classes, datagrams, traps
        self._patience, self._platforms = patience, platforms

    def collect(self) -> Iterable[Family]:
        collector = self._collector
        sweep = collector.sweep
        for metric, value in (
            (r.COLLECTOR_CYCLE, sweep.completed_at),
            (r.COLLECTOR_DURATION, sweep.duration_s),
            (r.COLLECTOR_FIRST_SWEEP, sweep.first_s),
            (r.COLLECTOR_QUEUE, float(collector.schedule.waiting)),
            (r.COLLECTOR_PENDING, float(collector.journal.pending)),
        ):
            if value is not None:
                yield GaugeMetricFamily(metric.name, metric.help, value=value)
        targets = GaugeMetricFamily(
            r.COLLECTOR_TARGETS.name, r.COLLECTOR_TARGETS.help, labels=r.COLLECTOR_TARGETS.labels
        )
        states = Counter(
            (kind, str(health.state)) for kind, health in zip(self._classes, collector.watch.health, strict=True)
        )
        for labels, count in sorted(states.items()):
            targets.add_metric(labels, count)
        yield targets
        yield _counts(r.COLLECTOR_POLLS, sweep.polls)
        yield _counts(r.COLLECTOR_DATAGRAMS, self._datagrams())
        yield _shares(r.COLLECTOR_PATIENCE, self._patience())
        reachable = GaugeMetricFamily(
            r.COLLECTOR_PLATFORM.name, r.COLLECTOR_PLATFORM.help, labels=r.COLLECTOR_PLATFORM.labels
        )
        for endpoint, accepted in self._platforms.items():
            reachable.add_metric((endpoint.platform, endpoint.host, str(endpoint.port)), accepted)
        yield reachable
        heard = self._traps() if self._traps is not None else None
        yield _counts(r.COLLECTOR_TRAPS, heard.results if heard is not None else {})
        yield _counts(r.COLLECTOR_TRAP_KINDS, heard.kinds if heard is not None else {})


def _counts(metric: r.Metric, counts: Mapping[str, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(metric.name.removesuffix("_total"), metric.help, labels=metric.labels)
    for label, count in counts.items():
        family.add_metric((label,), count)
    return family


def _shares(metric: r.Metric, ascending: Sequence[float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    for share in (0.5, 0.9, 0.99) if ascending else ():
        family.add_metric((f"{share:g}",), ascending[int(share * (len(ascending) - 1))])
    return family


def own_registry(source: CollectorMetrics) -> CollectorRegistry:
    """The collector's metrics, and what the kernel says of its process."""
    registry = CollectorRegistry()
    registry.register(source)
    ProcessCollector(registry=registry)
    return registry
