"""How much the lines carried in a month, as Prometheus remembers it: for reports, never for availability."""

from datetime import timedelta
from typing import Final

from api.periods import midnight, month_span
from api.reports.carrier import Rates
from cuntong.errors import StartError
from cuntong.wall.asking import Prometheus, PrometheusError
from exporter import registry as r
from exporter.links import lines_of
from inventory.model import Inventory

_P95: Final = "quantile_over_time(0.95, rate({metric}[10m])[{days}d:10m])"
_BITS_PER_MEGABYTE: Final = 8e-6


def of_month(inventory: Inventory, url: str, month: str, now: float) -> dict[tuple[int, int], Rates]:
    """By site and line the 95th percentile of ten-minute rates in the month (up to ``now``), where both were measured.

    Raises:
        StartError: Prometheus does not answer.
        ValueError: no such month.
    """
    first, end = month_span(month)
    at = min(midnight(end), now)
    days = max(1, -(-int(at - midnight(first)) // int(timedelta(days=1).total_seconds())))
    asked = Prometheus(url)
    rates: list[dict[tuple[str, str], float]] = []
    for metric in (r.LINK_RECEIVE, r.LINK_TRANSMIT):
        try:
            told = asked.now(_P95.format(metric=metric.name, days=days), at)
        except PrometheusError as error:
            raise StartError(f"{url}: {error}") from None
        rates.append({(labels.get("site", ""), labels.get("link", "")): value for labels, value in told})
    received, sent = rates
    found = {}
    for site, id in enumerate(inventory.sites.ids):
        for line, one in enumerate(lines_of(inventory, site)):
            key = (id, inventory.devices[one.router].id + one.suffix)
            if key in received and key in sent:
                found[site, line] = Rates(received[key] * _BITS_PER_MEGABYTE, sent[key] * _BITS_PER_MEGABYTE)
    return found
