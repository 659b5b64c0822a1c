"""What a metric is, and how its lines are written in Prometheus' two text formats."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["gauge", "counter", "histogram", "info"]

UNITS: Final = ("seconds", "bytes", "ratio", "celsius")
"""Base units. A name that ends in none of them counts things, tells yes from no, or is an identity."""


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """One metric of the project.

    Attributes:
        labels: beside those of the scrape target.
        help: in English, as the exposition carries it; ``help_zh`` the same for Chinese readers.
        by_county: carries ``province`` and ``county`` itself, because its program speaks for many counties. Everything
            else has them from the scrape target.
        buckets: upper bounds of a histogram, ascending, without infinity.
        exceptions: has series only where something is wrong: a rule on it need not compare.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    help_zh: str
    by_county: bool = False
    buckets: tuple[float, ...] = ()
    exceptions: bool = False

    @property
    def family(self) -> str:
        """The name without the ending that its kind gives to the samples."""
        return self.name.removesuffix("_total")

    @property
    def type(self) -> Literal["gauge", "counter", "histogram"]:
        """As the text format 0.0.4 knows it, which has no identities."""
        return "gauge" if self.kind == "info" else self.kind

    @property
    def unit(self) -> str:
        """One of `UNITS`, or nothing; the name ends in it."""
        return next((unit for unit in UNITS if self.family.endswith(f"_{unit}")), "")

    @property
    def all_labels(self) -> tuple[str, ...]:
        """As they stand in the exposition."""
        return ("province", "county", *self.labels) if self.by_county else self.labels

    def head(self, openmetrics: bool = False) -> str:
        """The lines in front of a family's samples."""
        if not openmetrics:
            return f"# HELP {self.name} {self.help}\n# TYPE {self.name} {self.type}\n"
        family = self.name.removesuffix("_info") if self.kind == "info" else self.family
        unit = f"# UNIT {family} {self.unit}\n" if self.unit else ""
        return f"# TYPE {family} {self.kind}\n{unit}# HELP {family} {self.help}\n"


def escape(value: str) -> str:
    """A label value as the text formats want it."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def series(metric: Metric, *values: str) -> str:
    """``name{label="value",...} `` up to the sample's value.

    Raises:
        ValueError: not as many values as the metric has labels.
    """
    labels = ",".join(f'{label}="{escape(value)}"' for label, value in zip(metric.all_labels, values, strict=True))
    return f"{metric.name}{{{labels}}} " if labels else f"{metric.name} "


def histogram(metric: Metric, observed: Iterable[tuple[Sequence[str], Sequence[float]]]) -> str:
    """The lines of a histogram of these observations, by labels."""
    text = []
    for labels, values in observed:
        counts = [sum(value <= bound for value in values) for bound in metric.buckets]
        text.append(histogram_lines(metric, labels, [*counts, len(values)], sum(values)))
    return "".join(text)


def histogram_lines(metric: Metric, labels: Sequence[str], cumulative: Sequence[int], total: float) -> str:
    """One series of a histogram.

    Args:
        cumulative: how many were at most each bound; of all at the end.
    """
    pairs = zip(metric.all_labels, labels, strict=True)
    here = ",".join(f'{label}="{escape(value)}"' for label, value in pairs)
    comma = "," if here else ""
    bounds = [*(f"{bound:g}" for bound in metric.buckets), "+Inf"]
    text = [
        f'{metric.name}_bucket{{{here}{comma}le="{bound}"}} {count}\n'
        for bound, count in zip(bounds, cumulative, strict=True)
    ]
    braces = f"{{{here}}}" if here else ""
    text.append(f"{metric.name}_sum{braces} {total:.15g}\n")
    text.append(f"{metric.name}_count{braces} {cumulative[-1]}\n")
    return "".join(text)
