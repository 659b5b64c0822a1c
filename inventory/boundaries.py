"""``boundaries.yml``: a file of division boundaries that the operator supplies, and what has to be printed beside it.

We ship no boundaries. A published map of China needs a review and shows its number (审图号, 《地图管理条例》), so the
number is a duty of who supplies the file. GeoJSON (RFC 7946) and TopoJSON are read; shapes are joined to divisions by
their codes, of 2 to 12 digits. Coordinates are told as they are, with the reference system that was declared.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from inventory.declared import Declared, validate
from inventory.divisions import full_code
from inventory.errors import InventoryError, Problem
from inventory.strict import Lines, YamlError, parse

FILE: Final = "boundaries.yml"

Geometry = dict[str, Any]
"""A GeoJSON geometry of type (Multi)Polygon or (Multi)LineString."""

_AREAS: Final = ("Polygon", "MultiPolygon")
_LINES: Final = ("LineString", "MultiLineString")


class _Declaration(Declared):
    """What the operator says of his file.

    Attributes:
        file: its name, beside this one.
        code: the property of a feature that holds the division's code.
        review_number: the map's review number (审图号), printed on every map.
        crs: the reference system of its coordinates.
        credit: whose data it is, printed beside the number.
    """

    file: Annotated[str, Field(pattern=r"^[^/\\]+\.(geojson|topojson|json)$")]
    code: Annotated[str, Field(min_length=1, max_length=40)] = "adcode"
    review_number: Annotated[str, Field(min_length=6, max_length=60)]
    crs: Literal["CGCS2000", "WGS-84", "GCJ-02"]
    credit: Annotated[str, Field(max_length=120)] = ""


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Shapes of divisions by their 12 digits; ``lines`` belong to none, such as the dash line at sea."""

    review_number: str
    crs: str
    credit: str
    shapes: Mapping[str, Geometry]
    lines: Sequence[Geometry]


def read_boundaries(folder: Path) -> Boundaries | None:
    """The boundaries of an inventory; None where the operator supplied none.

    Raises:
        InventoryError: they are not usable.
    """
    path = Path(folder) / FILE
    if not path.exists():
        return None
    problems: list[Problem] = []
    try:
        data = path.read_bytes()
        declared = validate(_Declaration, parse(FILE, data), FILE, (), Lines(data).of, problems)
    except YamlError as error:
        raise InventoryError(error.problems) from None
    if declared is None:
        raise InventoryError(problems)
    shapes: dict[str, Geometry] = {}
    lines: list[Geometry] = []
    try:
        document = json.loads((Path(folder) / declared.file).read_text("utf-8-sig"))
        for properties, geometry in _features(document):
            code = properties.get(declared.code)
            if geometry["type"] in _LINES:
                lines.append(_checked(geometry))
            elif code not in (None, ""):
                shapes[_code(code)] = _checked(geometry)
    except OSError as error:
        raise _unusable(declared.file, f"cannot be read: {error.strerror}.", "Put it beside boundaries.yml.") from None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        message = str(error) if isinstance(error, _ShapeError) else "is no GeoJSON and no TopoJSON of divisions."
        raise _unusable(declared.file, message, "Export it again, in degrees of longitude and latitude.") from None
    if not shapes:
        mend = f"Name the property that does, as code in {FILE}."
        raise _unusable(declared.file, f"no area in it has a code in the property {declared.code!r}.", mend)
    return Boundaries(declared.review_number, declared.crs, declared.credit, shapes, lines)


class _ShapeError(ValueError):
    """A shape that cannot be drawn, in a sentence."""


def _unusable(file: str, message: str, mend: str) -> InventoryError:
    return InventoryError([Problem(file, 0, "", message, mend)])


def _code(given: object) -> str:
    code = str(int(given)) if isinstance(given, float) else str(given)
    if not (code.isdigit() and 2 <= len(code) <= 12):
        raise _ShapeError(f"{code!r} is no division code.")
    return full_code(code)


def _features(document: Any) -> Iterator[tuple[dict[str, Any], Geometry]]:
    """Properties and geometry of every feature that has one."""
    if document["type"] == "Topology":
        arcs = _arcs(document)
        for thing in document["objects"].values():
            for one in thing["geometries"] if thing["type"] == "GeometryCollection" else [thing]:
                if one.get("type"):
                    properties = {"id": one.get("id"), **(one.get("properties") or {})}
                    yield properties, {"type": one["type"], "coordinates": _stitched(one["type"], one["arcs"], arcs)}
        return
    for feature in document["features"]:
        if feature.get("geometry"):
            yield {"id": feature.get("id"), **(feature.get("properties") or {})}, feature["geometry"]


def _arcs(topology: Any) -> list[list[list[float]]]:
    """The arcs of a TopoJSON in degrees: quantised ones are differences from point to point."""
    transform = topology.get("transform")
    if transform is None:
        return [[[float(x), float(y)] for x, y, *_ in arc] for arc in topology["arcs"]]
    (kx, ky), (dx, dy) = transform["scale"], transform["translate"]
    found = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for step in arc:
            x, y = x + step[0], y + step[1]
            points.append([round(x * kx + dx, 6), round(y * ky + dy, 6)])
        found.append(points)
    return found


def _stitched(kind: str, indices: Any, arcs: list[list[list[float]]]) -> Any:
    if kind == "MultiPolygon":
        return [[_ring(ring, arcs) for ring in polygon] for polygon in indices]
    if kind in ("Polygon", "MultiLineString"):
        return [_ring(ring, arcs) for ring in indices]
    return _ring(indices, arcs)


def _ring(indices: Sequence[int], arcs: list[list[list[float]]]) -> list[list[float]]:
    """Arcs end to end; one that is run through backwards is given as the complement of its number."""
    points: list[list[float]] = []
    for index in indices:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        points += arc[1:] if points else arc
    return points


def _checked(geometry: Geometry) -> Geometry:
    """Only what is drawn, and only with numbers that are degrees."""
    kind = geometry["type"]
    if kind not in (*_AREAS, *_LINES):
        raise _ShapeError(f"a {kind} is neither an area nor a line.")
    for x, y, *_ in _points(geometry["coordinates"]):
        if not (-180 <= x <= 180 and -90 <= y <= 90):
            raise _ShapeError(f"({x}, {y}) is no longitude and latitude.")
    return {"type": kind, "coordinates": geometry["coordinates"]}


def _points(coordinates: Any) -> Iterator[Sequence[float]]:
    if isinstance(coordinates[0], (int, float)):
        yield coordinates
        return
    for one in coordinates:
        yield from _points(one)
