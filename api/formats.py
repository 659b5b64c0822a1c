"""Lists in the reader's format, by ``Accept`` or by the address's ending: JSON, NDJSON, CSV, XLSX, GeoJSON.

A row is a flat record: nested records become columns with dotted names, lists become one cell. Files are opened in
spreadsheets, so a text that would be taken for a formula is disarmed, and a code keeps its digits.
"""

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar

import orjson
import xlsxwriter
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from api.freshness import REVALIDATE, answered
from api.problems import ProblemError, Responses, not_found
from api.standing import CHINA


class Format(StrEnum):
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    XLSX = "xlsx"
    GEOJSON = "geojson"


MEDIA_TYPES: Final = {
    Format.JSON: "application/json",
    Format.NDJSON: "application/x-ndjson",
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.GEOJSON: "application/geo+json",
}
_BY_TYPE: Final = {media_type.partition(";")[0]: format for format, media_type in MEDIA_TYPES.items()}
_ANYTHING: Final = ("*/*", "application/*", "")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_LONG_NUMBER: Final = re.compile(r"[0-9]{11,}")  # a spreadsheet shows it as 5.11825E+11
_MOST_ROWS: Final = 1_048_575
"""A sheet of Excel has one line more."""

Place = tuple[float, float]
"""Longitude and latitude in degrees."""


async def format_of(request: Request) -> Format:
    """The format that is asked for.

    Raises:
        ProblemError: 404 for an ending, 406 for an Accept that nobody here can serve.
    """
    suffix = request.path_params.get("suffix")
    if suffix is not None:
        try:
            return Format(suffix)
        except ValueError:
            raise not_found("format", suffix) from None
    wanted = []
    for number, part in enumerate(request.headers.get("accept", "").split(",")):
        media_type, *parameters = (word.strip().lower() for word in part.split(";"))
        weight = next((_weight(one[2:]) for one in parameters if one.startswith("q=")), 1.0)
        if weight > 0:
            wanted.append((-weight, number, media_type))
    for _, _, media_type in sorted(wanted):
        if media_type in _BY_TYPE:
            return _BY_TYPE[media_type]
        if media_type in _ANYTHING or media_type == "text/html":  # a link that somebody opens in a browser
            return Format.JSON
    raise ProblemError(
        HTTPStatus.NOT_ACCEPTABLE, "no-such-format", f"This list comes as {', '.join(_BY_TYPE)}, not as that."
    )


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


Formatted = Annotated[Format, Depends(format_of)]
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

LISTED: Final[Responses] = {
    200: {
        "description": "The list; as JSON one page of it, in the other formats all that the filters leave.",
        "content": {
            MEDIA_TYPES[Format.NDJSON]: {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}},
            MEDIA_TYPES[Format.XLSX]: {"schema": {"type": "string", "format": "binary"}},
            MEDIA_TYPES[Format.GEOJSON]: {"schema": {"type": "object"}},
        },
    }
}
"""For the contract: what every list comes as."""


def by_suffix(router: APIRouter, path: str) -> Callable[[Endpoint], Endpoint]:
    """Serve a list under its address with an ending, too: ``/v1/sites.csv`` is ``/v1/sites`` as CSV."""

    def register(endpoint: Endpoint) -> Endpoint:
        router.add_api_route(
            path + ".{suffix}", endpoint, methods=["GET"], include_in_schema=False, response_model=None
        )
        return endpoint

    return register


def listed(
    request: Request,
    wanted: Format,
    name: str,
    rows: Iterable[BaseModel],
    page: Callable[[], BaseModel],
    places: Callable[[Mapping[str, Any]], Place | None] | None = None,
) -> Response:
    """A list as it was asked for.

    Args:
        name: of the file that a browser saves.
        rows: everything that the filters leave; the files hold all of it.
        page: the JSON answer, which may be one page of it.
        places: where a row stands on the map, for GeoJSON.
    """
    if wanted is Format.JSON:
        return answered(request, _json(page()))
    if wanted is Format.NDJSON:
        headers = {**REVALIDATE, "Content-Disposition": f'inline; filename="{name}.ndjson"'}
        return StreamingResponse(_ndjson(rows), media_type=MEDIA_TYPES[wanted], headers=headers)
    if wanted is Format.GEOJSON:
        body = _geojson(rows, places)
    else:
        body = csv_of(map(flat, rows)) if wanted is Format.CSV else xlsx_of(map(flat, rows), name)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{wanted}"'}
    return answered(request, body, MEDIA_TYPES[wanted], headers)


def _json(model: BaseModel) -> bytes:
    """What was set, and nothing of the fields that the reader did not choose."""
    return model.model_dump_json(exclude_unset=True).encode()


def flat(row: BaseModel) -> dict[str, Any]:
    """A record as one line of cells."""
    return dict(_cells("", row.model_dump(exclude_unset=True)))


def _cells(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _cells(f"{prefix}.{key}" if prefix else str(key), inner)
    elif isinstance(value, list | tuple):
        yield prefix, "; ".join(_words(one) for one in value)
    else:
        yield prefix, value


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_words(inner)}" for key, inner in value.items() if inner is not None)
    return "" if value is None else str(value)


def safe(text: str) -> str:
    """A text that a spreadsheet takes for nothing but text."""
    if text.startswith(_FORMULA):
        return "'" + text
    # A tab behind it is not seen, and keeps a spreadsheet from making a number of a code.
    return text + "\t" if _LONG_NUMBER.fullmatch(text) else text


def _cell(value: Any) -> str | float | int | bool | None:
    """A cell of a spreadsheet; times as people in China read them."""
    if isinstance(value, datetime):
        return value.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)


def _table(rows: Iterable[Mapping[str, Any]]) -> tuple[list[str], Iterator[Mapping[str, Any]]]:
    """The columns, by the rows' own keys in the order in which they appear, and the rows."""
    kept = list(rows)
    names: dict[str, None] = {}
    for row in kept:
        names.update(dict.fromkeys(row))
    return list(names), iter(kept)


def csv_of(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """UTF-8 with the mark by which Excel and WPS know it."""
    columns, lines = _table(rows)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for row in lines:
        cells = (_cell(row.get(column)) for column in columns)
        writer.writerow([safe(one) if isinstance(one, str) else one for one in cells])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def xlsx_of(rows: Iterable[Mapping[str, Any]], name: str) -> bytes:
    """A sheet with its head held in place; texts stay texts, and nothing in them is a formula or a link."""
    columns, lines = _table(rows)
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    # The same list makes the same file, and so the same ETag.
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"created": datetime(2000, 1, 1), "title": name})  # noqa: DTZ001  the format has no zone
        sheet = book.add_worksheet(name[:31])
        head = book.add_format({"bold": True, "text_wrap": True, "border": 1})
        sheet.freeze_panes(1, 0)
        for column, title in enumerate(columns):
            sheet.write_string(0, column, title, head)
            sheet.set_column(column, column, 14)
        for number, row in enumerate(lines, 1):
            if number > _MOST_ROWS:
                raise ProblemError(
                    HTTPStatus.UNPROCESSABLE_ENTITY, "too-many-rows", "A sheet holds no more rows. Ask for CSV."
                )
            for column, title in enumerate(columns):
                value = _cell(row.get(title))
                if isinstance(value, str):
                    sheet.write_string(number, column, value)
                elif value is not None:
                    sheet.write(number, column, value)
        if columns:
            sheet.autofilter(0, 0, 0, len(columns) - 1)
    return out.getvalue()


def _ndjson(rows: Iterable[BaseModel]) -> Iterator[bytes]:
    """One record a line, and a last line by which a reader knows that it has all: their number and hash."""
    digest, count = hashlib.sha256(), 0
    for row in rows:
        line = _json(row) + b"\n"
        digest.update(line)
        count += 1
        yield line
    yield orjson.dumps({"trailer": {"count": count, "sha256": digest.hexdigest()}}) + b"\n"


def _geojson(rows: Iterable[BaseModel], places: Callable[[Mapping[str, Any]], Place | None] | None) -> bytes:
    """RFC 7946; a row that nobody gave a place has no geometry."""

    def feature(row: BaseModel) -> dict[str, Any]:
        told = row.model_dump(mode="json", exclude_unset=True)
        place = places(told) if places is not None else None
        point = None if place is None else {"type": "Point", "coordinates": list(place)}
        return {"type": "Feature", "id": told.get("id"), "geometry": point, "properties": told}

    return orjson.dumps({"type": "FeatureCollection", "features": [feature(row) for row in rows]})
