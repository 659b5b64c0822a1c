"""Every metric of the project, declared once: name, kind, labels, meaning. Nothing else can be exported.

Names, labels and rules follow Prometheus' conventions: base units, ratios 0 to 1, the Unix time of an event and never
an age, ids in labels and names only on ``_info``. ``province`` and ``county`` are labels of the scrape target and are
never repeated inside, but by the API, which speaks for many counties.

``county`` holds what a collector serves for each county, ``programs`` what collectors and API say of themselves,
``country`` what the API reads from the ledger. ``python -m exporter.registry`` prints docs/metrics.md.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from exporter.registry.country import *  # noqa: F403  the lists of these modules are one list
from exporter.registry.country import LEDGER_METRICS
from exporter.registry.county import *  # noqa: F403
from exporter.registry.county import COUNTY_METRICS
from exporter.registry.metric import UNITS as UNITS
from exporter.registry.metric import Kind as Kind
from exporter.registry.metric import Metric as Metric
from exporter.registry.metric import escape as escape
from exporter.registry.metric import histogram as histogram
from exporter.registry.metric import histogram_lines as histogram_lines
from exporter.registry.metric import series as series
from exporter.registry.programs import *  # noqa: F403
from exporter.registry.programs import API_REQUESTS, BUILD_INFO, COLLECTOR_METRICS, PROCESS_METRICS

API_METRICS: Final[Sequence[Metric]] = (*LEDGER_METRICS, API_REQUESTS, BUILD_INFO)
"""What the API serves at ``/metrics``, beside what the kernel says of its process."""

METRICS: Final[Mapping[str, Metric]] = {
    metric.name: metric for metric in (*COUNTY_METRICS, *COLLECTOR_METRICS, *API_METRICS, *PROCESS_METRICS)
}
"""All of them by name."""
