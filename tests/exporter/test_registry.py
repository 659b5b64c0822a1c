"""The registry: what a metric is, the page that lists them, the heads of both formats."""

import re
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text_format

from exporter.registry import METRICS, UNITS, Metric, histogram, series
from exporter.registry.listing import listing

REPO = Path(__file__).resolve().parents[2]
metrics = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())


def test_the_page_of_the_metrics_is_that_of_the_registry() -> None:
    written = (REPO / "docs" / "metrics.md").read_text("utf-8")
    assert written == listing(), "run: python -m exporter.registry > docs/metrics.md"


def test_the_page_has_a_row_for_every_metric() -> None:
    rows = re.findall(r"^\| `([a-z_]+)`", listing(), re.MULTILINE)
    assert set(rows) == set(METRICS)


@metrics
def test_a_unit_is_what_the_name_ends_in(metric: Metric) -> None:
    ends = [unit for unit in UNITS if metric.name.removesuffix("_total").endswith(f"_{unit}")]
    assert metric.unit == (ends[0] if ends else "")


@metrics
def test_both_formats_know_its_head(metric: Metric) -> None:
    labels = [f"v{number}" for number in range(len(metric.all_labels))]
    lines = histogram(metric, [(labels, [0.1, 70.0])]) if metric.buckets else f"{series(metric, *labels)}1\n"
    (old,) = text_format(metric.head() + lines)
    (new,) = openmetrics(f"{metric.head(openmetrics=True)}{lines}# EOF\n")  # type: ignore[no-untyped-call]
    assert (old.type, new.type) == (metric.type, metric.kind)
    assert (old.documentation, new.documentation, new.unit) == (metric.help, metric.help, metric.unit)
    told = [[dict(sample.labels) for sample in family.samples] for family in (old, new)]
    assert told[0] == told[1]
    assert set(told[0][0]) - {"le"} == set(metric.all_labels)


def test_a_histogram_counts_what_is_at_most_its_bounds() -> None:
    metric = Metric("x_seconds", "histogram", ("by",), "X.", "X。", buckets=(1.0, 2.5))
    assert histogram(metric, [(("a",), [0.5, 1.0, 2.0, 9.0]), (("b",), [])]) == (
        'x_seconds_bucket{by="a",le="1"} 2\n'
        'x_seconds_bucket{by="a",le="2.5"} 3\n'
        'x_seconds_bucket{by="a",le="+Inf"} 4\n'
        'x_seconds_sum{by="a"} 12.5\n'
        'x_seconds_count{by="a"} 4\n'
        'x_seconds_bucket{by="b",le="1"} 0\n'
        'x_seconds_bucket{by="b",le="2.5"} 0\n'
        'x_seconds_bucket{by="b",le="+Inf"} 0\n'
        'x_seconds_sum{by="b"} 0\n'
        'x_seconds_count{by="b"} 0\n'
    )


def test_a_metric_that_speaks_for_many_counties_names_its_own() -> None:
    metric = METRICS["cuntong_coverage_villages"]
    assert metric.all_labels == ("province", "county", "requirement", "state")
    assert series(metric, "51", "511825", "kiosk", "lost").startswith('cuntong_coverage_villages{province="51",county=')
