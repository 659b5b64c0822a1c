"""The boards: whole, of queries that mean something, laid out without overlap, and the same JSON each time."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

import exporter
from exporter.dashboards.boards import BOARDS
from exporter.dashboards.grafana import as_json
from exporter.dashboards.model import Board, Kind
from exporter.linting.expressions import check_expressions
from exporter.linting.findings import Where
from exporter.linting.rules import lint_folder

FOLDER: Final = Path(exporter.__file__).parent
JSON: Final = FOLDER / "dashboards" / "json"
EACH: Final = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
# A list of the worst is fragile in an alert; on a screen it is the question.
ALLOWED: Final = frozenset({"promql/fragile"})


def panels(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in document["panels"] if panel["type"] != "row"]


@EACH
def test_a_boards_file_is_what_its_definition_gives(board: Board) -> None:
    assert (JSON / f"{board.uid}.json").read_text("utf-8") == as_json(board), "run: python -m exporter.dashboards"


def test_there_are_eight_boards_and_a_file_for_each() -> None:
    assert len(BOARDS) == len({board.uid for board in BOARDS}) == 8
    assert {path.stem for path in JSON.glob("*.json")} == {board.uid for board in BOARDS}


@EACH
def test_every_query_names_what_exists_and_cannot_mislead(board: Board) -> None:
    catalogue = lint_folder(FOLDER / "rules").catalogue
    expressions = [
        (query.expr, Where(f"{board.uid}: {panel.title}", 0)) for panel in board.panels for query in panel.queries
    ]
    found = [one for one in check_expressions(expressions, catalogue) if one.check not in ALLOWED]
    assert found == []


def test_the_linter_finds_what_is_wrong_with_a_query_of_a_board() -> None:
    catalogue = lint_folder(FOLDER / "rules").catalogue
    wrong = ["cuntong_no_such_metric", "rate(cuntong_site_up[10m])", "cuntong_site_up / cuntong_site_working", "sum("]
    assert all(check_expressions([(text, Where("board", 0))], catalogue) for text in wrong)


@EACH
def test_a_board_is_laid_out_without_overlap_within_24_columns(board: Board) -> None:
    taken: Counter[tuple[int, int]] = Counter()
    for panel in json.loads(as_json(board))["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        taken.update(
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        )
    assert {count for count in taken.values()} == {1}


@EACH
def test_a_panel_is_whole(board: Board) -> None:
    document = json.loads(as_json(board))
    assert document["editable"] is False
    assert document["uid"] == board.uid
    assert document["templating"]["list"][0]["name"] == "datasource"
    ids = [panel["id"] for panel in document["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in panels(document):
        assert re.search(r"[一-鿿]|Trap", panel["title"]), panel["title"]
        assert panel["description"].isascii(), panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs) >= 1
        for target in panel["targets"]:
            assert target["expr"]
            assert (
                "rate(" not in target["expr"]
                or "$__rate_interval" in target["expr"]
                or re.search(r"\[(?:10m|15m|1h|1d)\]", target["expr"])
            )
        if panel["type"] in ("stat", "bargauge"):
            assert panel["options"]["reduceOptions"]["calcs"] == ["lastNotNull"]


@EACH
def test_the_variables_of_a_board_are_used_and_the_used_ones_exist(board: Board) -> None:
    text = json.dumps([query.expr for panel in board.panels for query in panel.queries])
    used = set(re.findall(r"\$(\w+)", text)) - {"__rate_interval", "__interval", "__range"}
    assert used == {variable.name for variable in board.variables}


def test_alerts_link_only_to_boards_that_exist() -> None:
    known = {board.uid for board in BOARDS}
    linked = set()
    for path in (FOLDER / "rules").glob("*.yml"):
        linked |= set(re.findall(r"/d/([\w-]+)", path.read_text("utf-8")))
    assert linked
    assert linked <= known


@EACH
def test_tables_name_their_columns(board: Board) -> None:
    for panel in board.panels:
        assert (panel.kind is Kind.TABLE) == bool(panel.columns), panel.title
