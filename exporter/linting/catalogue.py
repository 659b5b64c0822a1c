"""Every series that an expression may name: ours from the registry, records as they are defined, those of others."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from exporter.registry import METRICS

TARGET: Final = frozenset({"job", "instance"})
PLACE: Final = frozenset({"province", "county"})
JOBS_OF_COUNTIES: Final = frozenset({"cuntong-collector", "cuntong-process"})
"""Whose targets carry `PLACE`: service discovery says it (deploy/prometheus/prometheus.yml)."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of a vector: those that each element has, and those that some may have.

    Args:
        any: nothing is known of the others; ``ALERTS`` carries whatever its alert carries.
    """

    sure: frozenset[str] = frozenset()
    possible: frozenset[str] = frozenset()
    any: bool = False

    @classmethod
    def exactly(cls, labels: Iterable[str]) -> "Labels":
        """No others, and each of them always."""
        own = frozenset(labels)
        return cls(own, own)

    def may_have(self, label: str) -> bool:
        return self.any or label in self.possible

    def keep(self, labels: Iterable[str]) -> "Labels":
        """What is left of them in an aggregation by these, or in a match on these."""
        asked = frozenset(labels)
        return Labels.exactly(asked) if self.any else Labels(self.sure & asked, self.possible & asked)

    def drop(self, labels: Iterable[str]) -> "Labels":
        gone = frozenset(labels)
        return Labels(self.sure - gone, self.possible - gone, self.any)

    def add(self, labels: Iterable[str], sure: bool = True) -> "Labels":
        more = frozenset(labels)
        return Labels(self.sure | more if sure else self.sure, self.possible | more, self.any)

    def either(self, other: "Labels") -> "Labels":
        """Of a vector whose elements come from the one or the other."""
        return Labels(self.sure & other.sure, self.possible | other.possible, self.any or other.any)


@dataclass(frozen=True, slots=True)
class Series:
    """What is known of one name.

    Args:
        ratio: its values lie between 0 and 1.
        exceptions: a record that has series only where something is wrong: an alert on it need not compare again.
    """

    labels: Labels
    counter: bool = False
    ratio: bool = False
    exceptions: bool = False


def _foreign(*labels: str, counter: bool = False) -> Series:
    return Series(Labels.exactly({*labels, *TARGET}), counter)


FOREIGN: Final[Mapping[str, Series]] = {
    "up": Series(Labels(TARGET, TARGET | PLACE | {"collector"})),
    "scrape_samples_post_metric_relabeling": Series(Labels(TARGET, TARGET | PLACE | {"collector"})),
    "scrape_duration_seconds": Series(Labels(TARGET, TARGET | PLACE | {"collector"})),
    "ALERTS": Series(Labels(frozenset({"alertname", "alertstate"}), frozenset({"alertname", "alertstate"}), any=True)),
    "ALERTS_FOR_STATE": Series(Labels(frozenset({"alertname"}), frozenset({"alertname"}), any=True)),
    "process_resident_memory_bytes": Series(Labels(TARGET, TARGET | PLACE | {"collector"})),
    "process_cpu_seconds_total": Series(Labels(TARGET, TARGET | PLACE | {"collector"}), counter=True),
    "prometheus_sd_http_failures_total": _foreign(counter=True),
    "prometheus_rule_evaluation_failures_total": _foreign("rule_group", counter=True),
    "prometheus_rule_group_last_duration_seconds": _foreign("rule_group"),
    "prometheus_rule_group_interval_seconds": _foreign("rule_group"),
    "prometheus_notifications_dropped_total": _foreign(counter=True),
    "prometheus_notifications_alertmanagers_discovered": _foreign(),
    "prometheus_tsdb_head_series": _foreign(),
    "alertmanager_notifications_total": _foreign("integration", counter=True),
    "alertmanager_notifications_failed_total": _foreign("integration", counter=True),
    "alertmanager_alerts": _foreign("state"),
}
"""Metrics of Prometheus 2.42 to 3 and Alertmanager that rules and dashboards may use."""


@dataclass
class Catalogue:
    """What may be named. Records are added as they are read, so one that is used must be defined somewhere."""

    series: dict[str, Series] = field(default_factory=dict)

    @classmethod
    def of_the_project(cls) -> "Catalogue":
        """The registry and what others expose."""
        known = dict(FOREIGN)
        for metric in METRICS.values():
            target = TARGET if metric.by_county else TARGET | PLACE | {"collector"}
            if metric.name.startswith(("cuntong_coverage_", "cuntong_provision_", "cuntong_api_")):
                target = TARGET  # the API speaks for many counties, or for none
            labels = Labels.exactly({*metric.all_labels, *target})
            ratio, counter = metric.unit == "ratio", metric.kind == "counter"
            if metric.kind == "histogram":
                known[f"{metric.name}_bucket"] = Series(labels.add({"le"}), counter=True)
                known[f"{metric.name}_sum"] = known[f"{metric.name}_count"] = Series(labels, counter=True)
            else:
                known[metric.name] = Series(labels, counter, ratio, metric.exceptions)
        return cls(known)

    def find(self, name: str) -> Series | None:
        return self.series.get(name)
