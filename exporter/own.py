"""What a collector says of itself."""

import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from types import MappingProxyType

from prometheus_client.process_collector import ProcessCollector

from collectors.engine import Collector
from collectors.reach import Endpoint
from collectors.traps import TrapCounters
from exporter import registry as r
from exporter.formats import Families
from exporter.registry import Metric, series


class CollectorMetrics:
    """Reads the collector's own counters at each scrape.

    Args:
        classes: of the devices, by ordinal.
        datagrams: the transport's counters by kind.
        traps: what became of traps; None where they are not heard, and then there are no series of them.
        patience: seconds of patience with each device that has answered, ascending.
        platforms: whether each accepted the newest connection.
        statuses: the HTTP status with which each answered.
        refusals: of the polls that were answered, how many were refusals.
    """

    def __init__(
        self,
        collector: Collector,
        classes: list[str],
        datagrams: Callable[[], Mapping[str, int]],
        traps: Callable[[], TrapCounters] | None = None,
        patience: Callable[[], Sequence[float]] = tuple,
        platforms: Mapping[Endpoint, bool] = MappingProxyType({}),
        statuses: Mapping[Endpoint, int] = MappingProxyType({}),
        refusals: Callable[[], int] = int,
    ) -> None:
        self._collector, self._classes, self._datagrams, self._traps = collector, classes, datagrams, traps
        self._patience, self._platforms, self._statuses = patience, platforms, statuses
        self._refusals = refusals
        self._process = ProcessCollector(registry=None)

    def families(self) -> Families:
        """Everything that is known now, in the registry's order."""
        found = list(self._ours())
        return [*((metric, lines) for metric, lines in found if lines), *process_families(self._process)]

    def _ours(self) -> Iterator[tuple[Metric, str]]:
        collector = self._collector
        sweep = collector.sweep
        for metric, value in (
            (r.COLLECTOR_CYCLE, sweep.completed_at),
            (r.COLLECTOR_DURATION, sweep.duration_s),
            (r.COLLECTOR_INTERVAL, collector.schedule.interval_s),
            (r.COLLECTOR_FIRST_SWEEP, sweep.first_s),
            (r.COLLECTOR_WATCHING, collector.watching),
        ):
            yield metric, "" if value is None else line(metric, (), value)
        states = Counter(
            (kind, str(health.state)) for kind, health in zip(self._classes, collector.watch.health, strict=True)
        )
        yield lines(r.COLLECTOR_TARGETS, sorted(states.items()))
        refused = self._refusals()
        polls = {**sweep.polls, "answered": sweep.polls["answered"] - refused, "refused": refused}
        yield lines(r.COLLECTOR_POLLS, _single(polls))
        yield lines(r.COLLECTOR_DATAGRAMS, _single(self._datagrams()))
        yield lines(r.COLLECTOR_PATIENCE, _shares(self._patience()))
        yield lines(
            r.COLLECTOR_PLATFORM,
            (((one.platform, one.host, str(one.port)), accepted) for one, accepted in self._platforms.items()),
        )
        yield lines(
            r.COLLECTOR_PLATFORM_STATUS,
            (((one.platform, one.host, str(one.port)), status) for one, status in self._statuses.items()),
        )
        heard = self._traps() if self._traps is not None else None
        yield lines(r.COLLECTOR_TRAPS, _single(heard.results if heard is not None else {}))
        yield lines(r.COLLECTOR_TRAP_KINDS, _single(heard.kinds if heard is not None else {}))
        yield lines(r.COLLECTOR_QUEUE, [((), collector.schedule.waiting)])
        yield lines(r.COLLECTOR_PENDING, [((), collector.journal.pending)])
        yield build()


def line(metric: Metric, labels: Sequence[str], value: float) -> str:
    """One sample with its line's end."""
    number = f"{value:d}" if isinstance(value, int) else f"{value:.15g}"
    return f"{series(metric, *labels)}{number}\n"


def lines(metric: Metric, samples: Iterable[tuple[Sequence[str], float]]) -> tuple[Metric, str]:
    """A family of samples, each with the values of its labels."""
    return metric, "".join(line(metric, labels, value) for labels, value in samples)


def build() -> tuple[Metric, str]:
    """What is running."""
    return lines(r.BUILD_INFO, [((version("cuntong"), platform.python_version()), 1)])


def process_families(source: ProcessCollector) -> Families:
    """What the kernel says of this process, by the names that every Prometheus client gives it."""
    known = {metric.family: metric for metric in r.PROCESS_METRICS}
    found = []
    for family in source.collect():
        if family.name in known:
            metric = known[family.name]
            found.append(lines(metric, ((tuple(one.labels.values()), one.value) for one in family.samples)))
    return found


def _single(counts: Mapping[str, int]) -> Iterator[tuple[tuple[str], int]]:
    return (((label,), count) for label, count in counts.items())


def _shares(ascending: Sequence[float]) -> Iterator[tuple[tuple[str], float]]:
    for share in (0.5, 0.9, 0.99) if ascending else ():
        yield (f"{share:g}",), ascending[int(share * (len(ascending) - 1))]
