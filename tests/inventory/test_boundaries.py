"""Boundaries that an operator supplies: GeoJSON and TopoJSON alike, with a review number, or refused by name."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.boundaries import read_boundaries
from inventory.errors import InventoryError

SAYS: Final = "file: towns.json\nreview_number: 川S（2026）00001号\ncrs: CGCS2000\n"
SQUARE: Final = [[[102.0, 30.0], [103.0, 30.0], [103.0, 31.0], [102.0, 31.0], [102.0, 30.0]]]
"""The first of two squares side by side; the second begins where it ends."""
TOPOLOGY: Final = {
    "type": "Topology",
    "transform": {"scale": [0.5, 0.5], "translate": [102, 30]},
    "arcs": [
        [[2, 0], [0, 2]],  # the side that both share, northwards
        [[2, 2], [-2, 0], [0, -2], [2, 0]],
        [[2, 2], [2, 0], [0, -2], [-2, 0]],
    ],
    "objects": {
        "towns": {
            "type": "GeometryCollection",
            "geometries": [
                {"type": "Polygon", "arcs": [[0, 1]], "properties": {"adcode": 511825100}},
                {"type": "MultiPolygon", "arcs": [[[2, 0]]], "properties": {"adcode": "511825101"}},
                {"type": "MultiLineString", "arcs": [[~0]], "properties": {}},
            ],
        }
    },
}


def feature(code: object, coordinates: Any = SQUARE, kind: str = "Polygon") -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"adcode": code},
        "geometry": {"type": kind, "coordinates": coordinates},
    }


def collection(*features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def lay(folder: Path, document: object, says: str = SAYS) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "boundaries.yml").write_text(says, "utf-8")
    (folder / "towns.json").write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    return folder


def test_without_a_file_there_is_no_map(tmp_path: Path) -> None:
    assert read_boundaries(tmp_path) is None


def test_shapes_are_found_by_the_twelve_digits_of_their_divisions(tmp_path: Path) -> None:
    line = feature(None, [[110.0, 5.0], [111.0, 6.0]], "LineString")
    found = read_boundaries(lay(tmp_path, collection(feature(511825), feature("511825101"), feature(None), line)))
    assert found is not None
    assert set(found.shapes) == {"511825000000", "511825101000"}
    assert [one["type"] for one in found.lines] == ["LineString"]
    assert (found.review_number, found.crs, found.credit) == ("川S（2026）00001号", "CGCS2000", "")


def test_a_topology_gives_the_shapes_that_its_arcs_make(tmp_path: Path) -> None:
    found = read_boundaries(lay(tmp_path, TOPOLOGY))
    assert found is not None
    first = found.shapes["511825100000"]["coordinates"][0]
    assert first[0] == first[-1] == [103.0, 30.0]
    assert {tuple(point) for point in first} == {(x, y) for x, y, *_ in SQUARE[0]}
    second = found.shapes["511825101000"]["coordinates"][0][0]
    assert second == [[103.0, 31.0], [104.0, 31.0], [104.0, 30.0], [103.0, 30.0], [103.0, 31.0]]
    assert found.lines[0]["coordinates"] == [[[103.0, 31.0], [103.0, 30.0]]]


@pytest.mark.parametrize(
    ("document", "says", "complaint"),
    [
        (collection(feature("511825")), "file: towns.json\ncrs: CGCS2000\n", "boundaries.yml"),
        (collection(feature("511825")), SAYS.replace("CGCS2000", "Beijing54"), "boundaries.yml:3: crs"),
        (collection(feature("511825")), SAYS.replace("towns.json", "../towns.json"), "boundaries.yml:1: file"),
        (collection(feature("511825")), SAYS.replace("towns.json", "other.json"), "other.json: cannot be read"),
        (collection(feature("511825", [[[400000.0, 3e6], [4e5, 4e6], [4e5, 3e6]]])), SAYS, "no longitude and latitude"),
        (collection(feature("五一一八")), SAYS, "is no division code"),
        (collection(feature("511825", [102.0, 30.0], "Point")), SAYS, "a Point is neither an area nor a line"),
        (collection(feature(None)), SAYS, "no area in it has a code in the property 'adcode'"),
        (collection(), SAYS + "code: gb\n", "in the property 'gb'"),
        ("{", SAYS, "is no GeoJSON and no TopoJSON"),
        ([], SAYS, "is no GeoJSON and no TopoJSON"),
        ({"type": "Topology", "objects": {"x": {"type": "Polygon", "arcs": [[7]]}}, "arcs": []}, SAYS, "is no GeoJSON"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_its_file(
    tmp_path: Path, document: object, says: str, complaint: str
) -> None:
    with pytest.raises(InventoryError) as refusal:
        read_boundaries(lay(tmp_path, document, says))
    assert complaint in str(refusal.value)


JSON: Final = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda deeper: (
        st.lists(deeper, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["type", "features", "geometry", "coordinates", "properties", "arcs", "objects", "transform", "adcode"]
            ),
            deeper | st.sampled_from(["Topology", "FeatureCollection", "Polygon", "LineString", "511825"]),
            max_size=5,
        )
    ),
    max_leaves=25,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=JSON, kind=st.sampled_from(["Topology", "FeatureCollection"]))
def test_no_file_makes_it_fail_otherwise_than_by_saying_so(tmp_path: Path, document: object, kind: str) -> None:
    whole = {**document, "type": kind} if isinstance(document, dict) else document
    said = ""
    try:
        found = read_boundaries(lay(tmp_path / "one", whole))
    except InventoryError as refusal:
        found, said = None, str(refusal)
    assert (found is not None and bool(found.shapes)) or "towns.json" in said
