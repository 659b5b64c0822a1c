"""The table of goals leads to what is there."""

import re
from pathlib import Path
from typing import Any

from api.app import create_app

REPO = Path(__file__).resolve().parents[2]
ROWS = [line for line in (REPO / "docs" / "goals.md").read_text("utf-8").splitlines() if line.startswith("| ")][1:]


def test_every_file_and_address_of_the_table_of_goals_is_there() -> None:
    standing: Any = None
    offered = set(create_app(standing).openapi()["paths"])
    assert len(ROWS) > 25
    for row in ROWS:
        _, decided, shown = (cell.strip() for cell in row.strip("|").split("|"))
        files, addresses = re.findall(r"`([\w/]+\.py)`", decided), re.findall(r"`(/v1/[^`]+)`", shown)
        assert files, row
        assert addresses or "`cuntong " in shown, row
        assert [one for one in files if not (REPO / one).is_file()] == [], row
        assert set(addresses) - offered == set(), row
