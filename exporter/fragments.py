"""Turns what is said of a device into its lines of text, by templates that all devices of one kind share.

A template is made of names alone: of each metric the lines with holes for values and marks for the labels of the
device, grouped as the exposition wants them. Filling one is a formatting and a replacing in C, however many series a
device has; no label is escaped again and again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from exporter.describing import Described
from exporter.links import Name
from exporter.registry import Metric, escape

SERIES_PER_DEVICE: Final = 60
"""Its identity among them. A device that reports more loses the rest: a thousand sensors must not flood Prometheus."""

_TEMPLATES: Final = 10_000  # kinds of devices to remember; beyond, they are made anew

_NEXT, _DEVICE, _LINE = "\x00", "\x01", "\x02"
"""The next metric begins; labels of the device; labels of the line, whose name is not at its end yet."""

_CLEAN: Final = str.maketrans(dict.fromkeys((_NEXT, _DEVICE, _LINE), "\ufffd") | {"%": "%%"})


@dataclass(frozen=True, slots=True)
class _Template:
    """Which metrics it has, by place; their text; and which values go into its holes, None for all as they come."""

    places: tuple[int, ...]
    text: str
    taken: tuple[int, ...] | None


class Templates:
    """Makes fragments: of one device a string for each of the metrics.

    Args:
        metrics: in the order of a fragment's strings.
    """

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._place = {metric: place for place, metric in enumerate(metrics)}
        self._empty = [""] * len(metrics)
        self._known: dict[tuple[Name, ...], _Template] = {}

    def fill(self, site: str, device: str, described: Described) -> list[str]:
        """The lines of one device, by metric.

        Args:
            site, device: ids, of the inventory's own alphabet: they need no escaping.
        """
        names, values = described
        key = tuple(names)
        template = self._known.get(key)
        if template is None:
            if len(self._known) >= _TEMPLATES:
                self._known.clear()
            template = self._known[key] = self._make(names)
        if template.taken is not None:
            values = [values[at] for at in template.taken]
        text = template.text % tuple(values)
        text = text.replace(_DEVICE, f'site="{site}",device="{device}"')
        text = text.replace(_LINE, f'site="{site}",link="{device}')
        fragment = self._empty.copy()
        for place, lines in zip(template.places, text.split(_NEXT), strict=False):  # of nothing there is one part
            fragment[place] = lines
        return fragment

    def _make(self, names: Sequence[Name]) -> _Template:
        lines: dict[Metric, list[str]] = {}
        taken: dict[Metric, list[int]] = {}
        # The first of each series: two sensors of one name are one, since Prometheus refuses to choose.
        for name in list(dict.fromkeys(names))[: SERIES_PER_DEVICE - 1]:
            metric, labels = name
            lines.setdefault(metric, []).append(_line(metric, labels))
            taken.setdefault(metric, []).append(names.index(name))
        order = [at for metric in lines for at in taken[metric]]
        return _Template(
            tuple(self._place[metric] for metric in lines),
            _NEXT.join("".join(text) for text in lines.values()),
            None if order == list(range(len(names))) else tuple(order),
        )


def _line(metric: Metric, labels: Sequence[str]) -> str:
    """One line with a mark for the device's own labels and a hole for the value."""
    text = _DEVICE
    if metric.labels[1] == "link":
        suffix, *labels = labels
        text = f'{_LINE}{suffix}"'
    more = zip(metric.labels[2:], labels, strict=True)
    text += "".join(f',{label}="{escape(value).translate(_CLEAN)}"' for label, value in more)
    # Counters are whole numbers and keep every digit of their 64 bits.
    number = "%d" if metric.kind == "counter" else "%.15g"
    return f"{metric.name}{{{text}}} {number}\n"
