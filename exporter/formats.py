"""Which text format a reader wants, and a page of metrics in it.

Samples look the same in Prometheus' text format 0.0.4 and in OpenMetrics 1.0; what stands in front of a family and at
the end of the page differs.
"""

from enum import Enum

from exporter.registry import Metric


class Format(Enum):
    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def wanted(accept: str | None) -> Format:
    """The format for an Accept header (RFC 9110 section 12.5.1); text where it says nothing that we can serve.

    Versions that we do not speak are passed over. Between formats that are equally welcome, the newer one wins.
    """
    best, chosen = 0.0, Format.TEXT
    for part in (accept or "").split(","):
        media, *parameters = (word.strip().lower() for word in part.split(";"))
        told = dict(parameter.partition("=")[::2] for parameter in parameters)
        version = told.get("version", "").strip('"')
        if media == "application/openmetrics-text" and version in ("", "1.0.0", "0.0.1"):
            found = Format.OPENMETRICS
        elif media in ("text/plain", "text/*", "*/*") and version in ("", "0.0.4"):
            found = Format.TEXT
        else:
            continue
        quality = _quality(told.get("q", "1"))
        if quality > best or (quality == best and quality and found is Format.OPENMETRICS):
            best, chosen = quality, found
    return chosen


def wants_gzip(accept_encoding: str | None) -> bool:
    """Whether an Accept-Encoding header allows gzip."""
    said: dict[str, float] = {}
    for part in (accept_encoding or "").split(","):
        coding, *parameters = (word.strip().lower() for word in part.split(";"))
        told = dict(parameter.partition("=")[::2] for parameter in parameters)
        said[coding] = _quality(told.get("q", "1"))
    return said.get("gzip", said.get("*", 0.0)) > 0


def _quality(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0


Families = list[tuple[Metric, str]]
"""Each metric that has series, in the registry's order, with its lines."""


def blocks(families: Families, format: Format) -> list[bytes]:
    """One page in pieces, UTF-8: a metric's head, its lines, and so on."""
    openmetrics = format is Format.OPENMETRICS
    parts: list[bytes] = []
    for metric, lines in families:
        parts.append(metric.head(openmetrics).encode())
        parts.append(lines.encode())  # one by one: a Chinese name makes one family slow to encode, not all of them
    if openmetrics:
        parts.append(b"# EOF\n")
    return parts


def page(families: Families, format: Format) -> bytes:
    """One page, UTF-8."""
    return b"".join(blocks(families, format))
