"""Lists as files: what a spreadsheet must not obey, and what must arrive whole."""

import csv
import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.formats import csv_of, safe, xlsx_of

if TYPE_CHECKING:
    from tests.api.conftest import World

LISTS = {
    "/v1/sites": {}, "/v1/villages": {}, "/v1/milestones": {}, "/v1/tasks": {}, "/v1/appeals": {}, "/v1/gaps": {},
    "/v1/bulletins": {}, "/v1/rankings": {"month": "2026-11"}, "/v1/ledgers": {"month": "2026-11"},
    "/v1/indicators": {"month": "2026-11"}, "/v1/inspections/daily": {"day": "2026-11-20"}, "/v1/maintenance": {},
    "/v1/spot-checks": {}, "/v1/facts": {}, "/v1/acceptances": {}, "/v1/coverage/511825/series": {},
    "/v1/divisions/511825/changes": {"since": "2026-01-01"},
}  # fmt: skip


@pytest.mark.parametrize("path", sorted(LISTS))
@pytest.mark.parametrize(
    ("suffix", "media_type"),
    [
        ("json", "application/json"),
        ("csv", "text/csv"),
        ("ndjson", "application/x-ndjson"),
        ("geojson", "application/geo+json"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
def test_every_list_comes_in_every_format_by_ending_and_by_accept(
    busy: "World", path: str, suffix: str, media_type: str
) -> None:
    by_ending = busy.client.get(f"{path}.{suffix}", LISTS[path])
    by_accept = busy.client.get(path, LISTS[path], {"Accept": media_type})
    for answer in (by_ending, by_accept):
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].partition(";")[0] == media_type
    assert by_ending.content == by_accept.content


def test_a_file_holds_all_that_the_filters_leave_and_a_page_does_not(busy: "World") -> None:
    page = busy.get("/v1/sites", division="511825101", limit=2)
    text = busy.client.get("/v1/sites.csv", {"division": "511825101", "limit": 2}).content
    assert text.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))
    assert (len(page["data"]), len(rows)) == (2, page["total"])
    assert rows[0]["id"] == page["data"][0]["id"]
    assert rows[0]["code"] == page["data"][0]["code"] + "\t"


def test_a_stream_ends_with_its_count_and_hash(busy: "World") -> None:
    *lines, last = busy.client.get("/v1/villages.ndjson").content.splitlines(keepends=True)
    trailer = json.loads(last)["trailer"]
    assert trailer == {"count": 96, "sha256": hashlib.sha256(b"".join(lines)).hexdigest()}
    assert len(lines) == 96


def test_a_place_that_was_told_is_a_point_and_any_other_has_none(busy: "World") -> None:
    features = json.loads(busy.client.get("/v1/sites.geojson").content)["features"]
    assert {feature["geometry"] for feature in features} == {None}
    assert features[0]["properties"]["id"] == busy.inventory.sites.ids[0]


@given(st.text(max_size=20))
def test_no_text_is_a_formula_in_a_spreadsheet(text: str) -> None:
    assert not safe(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert text in safe(text)


@pytest.mark.parametrize("text", ["=1+1", "+86", "-1", "@cmd", '=HYPERLINK("http://x")', "\t=1"])
def test_what_looks_like_a_formula_stays_text_in_both_files(text: str) -> None:
    rows: list[dict[str, Any]] = [{"note": text, "code": "511825100000", "count": 3}]
    (read,) = csv.DictReader(io.StringIO(csv_of(rows).decode("utf-8-sig")))
    assert read["note"] == "'" + text
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx_of(rows, "notes"))).active
    assert sheet is not None
    cells = next(iter(sheet.iter_rows(min_row=2)))
    assert [cell.data_type for cell in cells] == ["s", "s", "n"]
    assert cells[1].value == "511825100000"


def test_what_nobody_can_serve_is_refused(busy: "World") -> None:
    busy.refused("/v1/sites.exe", 404)
    answer = busy.client.get("/v1/sites", headers={"Accept": "image/png"})
    assert (answer.status_code, answer.headers["content-type"]) == (406, "application/problem+json")


@pytest.mark.parametrize("path", ["/v1/coverage/511825", "/v1/sites", "/v1/villages.csv", "/v1/sites.xlsx"])
def test_what_the_reader_has_already_is_not_sent_again(busy: "World", path: str) -> None:
    first = busy.client.get(path)
    again = busy.client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "private" in first.headers["cache-control"]
