"""Reads ``boards.yml``: the eight boards, checked."""

from pathlib import Path
from typing import Any, Final

import yaml

from exporter.dashboards.model import Board, Kind, Panel, Query, Row, Unit, Variable

_FILE: Final = Path(__file__).with_name("boards.yml")


def _board(told: dict[str, Any]) -> Board:
    rows = tuple(Row(row["title"], tuple(map(_panel, row["panels"]))) for row in told["rows"])
    variables = tuple(Variable(**one) for one in told.get("variables", ()))
    return Board(told["uid"], told["title"], told["question"], rows, variables)


def _panel(told: dict[str, Any]) -> Panel:
    given = dict(told)
    return Panel(
        kind=Kind(given.pop("kind")),
        unit=Unit(given.pop("unit")),
        queries=tuple(Query(**query) for query in given.pop("queries")),
        columns=tuple(given.pop("columns", {}).items()),
        **given,
    )


BOARDS: Final = tuple(map(_board, yaml.safe_load(_FILE.read_text("utf-8"))))
"""In the order of the questions: from the whole down to one village, then by who asks."""
