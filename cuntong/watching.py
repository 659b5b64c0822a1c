"""Looks at a running county from outside, as its users do: through HTTP, at what is served and nothing else."""

import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, Final

from inventory.model import Inventory

_PATIENCE_S: Final = 5.0
_SAMPLE: Final = re.compile(r"^(?P<name>[a-z_]+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a county shows of itself at one moment."""

    devices: int
    devices_up: int
    first_sweep_s: float | None
    coverage: dict[str, Any]
    open_outages: int

    @property
    def coverage_watched(self) -> bool:
        """Whether the API has heard of the sweep."""
        return bool(
            self.coverage["works_now"]["unknown"] < self.coverage["denominator"] or not self.coverage["denominator"]
        )

    def sentence(self) -> str:
        works, contradictions = self.coverage["works_now"], len(self.coverage["contradictions"])
        return (
            f"{self.devices_up}/{self.devices} devices up, villages covered {self.coverage['numerator']}"
            f"/{self.coverage['denominator']}, online now {works['numerator']}/{works['denominator']}, "
            f"{self.open_outages} open outage{'' if self.open_outages == 1 else 's'}, "
            f"{contradictions} contradiction{'' if contradictions == 1 else 's'}"
        )


class County:
    """A county's public face.

    Args:
        page, metrics: base addresses of API and collector, without a slash at the end.
    """

    def __init__(self, inventory: Inventory, page: str, metrics: str) -> None:
        self._inventory = inventory
        self.top = inventory.top
        self.devices = len(inventory.devices)
        self._page, self._metrics = page, metrics

    def figures(self) -> Figures | None:
        """What it shows now; None while a part does not answer yet."""
        try:
            own = samples(self._text(f"{self._metrics}/metrics"))
            devices = samples(self.metrics_text())
            coverage = self.get(f"/v1/coverage/{self._inventory.top}")
            outages = self.get("/v1/outages?open=true&limit=1000")["data"]
        except (OSError, ValueError):
            return None
        first = [value for name, _, value in own if name == "cuntong_collector_first_sweep_seconds"]
        up = [value for name, _, value in devices if name == "cuntong_device_up"]
        return Figures(len(self._inventory.devices), int(sum(up)), first[0] if first else None, coverage, len(outages))

    def metrics_text(self) -> str:
        return self._text(f"{self._metrics}/metrics/{self._inventory.top[:6]}")

    def get(self, path: str) -> Any:
        """A JSON answer of the API.

        Raises:
            OSError: it does not answer, or refuses.
        """
        return json.loads(self._text(f"{self._page}{path}"))

    def _text(self, url: str) -> str:
        with urllib.request.urlopen(url, timeout=_PATIENCE_S) as answer:  # noqa: S310  our own addresses
            body: bytes = answer.read()
        return body.decode()


def samples(text: str) -> list[tuple[str, str, float]]:
    """Name, labels as written, and value of each sample in Prometheus' text format."""
    return [(m["name"], m["labels"] or "", float(m["value"])) for m in _SAMPLE.finditer(text)]
