"""docs/metrics.md, made from the registry."""

from collections.abc import Iterable, Iterator
from typing import Final

from exporter.registry import API_METRICS, COLLECTOR_METRICS, COUNTY_METRICS, PROCESS_METRICS
from exporter.registry.metric import Metric

_HEAD: Final = """\
# Metrics

Every metric of the project, made from `exporter/registry/` by `python -m exporter.registry > docs/metrics.md`. Nothing
else is exported. Series of a collector have `province`, `county` and `collector` from service discovery; those marked
with * carry `province` and `county` themselves, because the API speaks for many counties.

凡标 * 者自带 `province` 与 `county` 标签，其余由服务发现给出。
"""


def listing() -> str:
    """The page."""
    return "".join(_parts())


def _parts() -> Iterator[str]:
    yield _HEAD
    yield from _table("Of a county", "`/metrics/{county}` of its collector", COUNTY_METRICS)
    yield from _table("Of a collector", "`/metrics` of the collector", COLLECTOR_METRICS)
    yield from _table("Of the API", "`/metrics` of the API", API_METRICS)
    yield from _table("Of both programs", "beside those above, as the kernel tells", PROCESS_METRICS)


def _table(title: str, where: str, metrics: Iterable[Metric]) -> Iterator[str]:
    yield f"\n## {title}\n\nServed at {where}.\n\n" if where.startswith("`") else f"\n## {title}\n\nServed {where}.\n\n"
    yield "| Metric | Type | Unit | Labels | Meaning | 含义 |\n|---|---|---|---|---|---|\n"
    for metric in metrics:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        bounds = f" Buckets: {', '.join(f'{bound:g}' for bound in metric.buckets)}." if metric.buckets else ""
        star = "*" if metric.by_county else ""
        yield (
            f"| `{metric.name}`{star} | {metric.kind} | {metric.unit} | {labels} | {metric.help}{bounds} | "
            f"{metric.help_zh} |\n"
        )
