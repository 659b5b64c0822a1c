"""Which format and which coding a reader gets."""

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text_format

from exporter.formats import Format, page, wanted, wants_gzip
from exporter.registry import COUNTY_METRICS
from health.reading import Readings

if TYPE_CHECKING:
    from tests.exporter.conftest import Stand

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "format"),
    [
        pytest.param(None, Format.TEXT, id="nothing is said"),
        pytest.param("", Format.TEXT, id="an empty header"),
        pytest.param("*/*", Format.TEXT, id="curl"),
        pytest.param(BROWSER, Format.TEXT, id="a browser"),
        pytest.param(PROMETHEUS_2, Format.OPENMETRICS, id="Prometheus 2"),
        pytest.param(PROMETHEUS_3, Format.OPENMETRICS, id="Prometheus 3"),
        pytest.param("text/plain;version=0.0.4", Format.TEXT, id="VictoriaMetrics"),
        pytest.param("application/openmetrics-text", Format.OPENMETRICS, id="no version"),
        pytest.param("Application/OpenMetrics-Text; Version=1.0.0", Format.OPENMETRICS, id="letters of any case"),
        pytest.param("application/openmetrics-text;version=2.0.0,text/plain", Format.TEXT, id="a version to come"),
        pytest.param("application/openmetrics-text;q=0.1,text/plain;q=0.2", Format.TEXT, id="the other is dearer"),
        pytest.param("application/openmetrics-text;q=0", Format.TEXT, id="forbidden"),
        pytest.param("application/openmetrics-text;q=much", Format.TEXT, id="a quality that is none"),
        pytest.param("text/plain,application/openmetrics-text", Format.OPENMETRICS, id="equally welcome"),
        pytest.param("image/png", Format.TEXT, id="nothing that we have"),
    ],
)
def test_the_accept_header_chooses_the_format(accept: str | None, format: Format) -> None:
    assert wanted(accept) is format


@pytest.mark.parametrize(
    ("header", "gzip"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("deflate, gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("*", True),
        ("gzip;q=0, *", False),
        ("identity", False),
        ("gzip;q=x", False),
    ],
)
def test_the_accept_encoding_header_allows_gzip(header: str | None, gzip: bool) -> None:
    assert wants_gzip(header) is gzip


@given(st.text(), st.text())
def test_no_header_is_too_strange(accept: str, encoding: str) -> None:
    assert wanted(accept) in Format
    assert wants_gzip(encoding) in (True, False)


def test_both_formats_say_the_same(stand: "Stand") -> None:
    stand.polled(Readings(uptime_seconds=77.0))
    found = stand.text.families()
    old = {family.name: family for family in text_format(page(found, Format.TEXT).decode())}
    read = openmetrics(page(found, Format.OPENMETRICS).decode())  # type: ignore[no-untyped-call]
    new = {family.name: family for family in read}
    by_name = {metric.name: metric for metric in COUNTY_METRICS}
    said = [metric for metric, _ in found]
    assert len(old) == len(new) == len(said)
    for metric in said:
        bare = metric.name.removesuffix("_info")
        assert new[bare].unit == by_name[metric.name].unit
        assert [(s.name, s.labels, s.value) for s in new[bare].samples] == [
            (s.name, s.labels, s.value) for s in old[metric.name].samples
        ]
