"""``python -m exporter.dashboards``: writes every board's JSON beside this file; needs the kit of the dev group."""

from pathlib import Path

from exporter.dashboards.boards import BOARDS
from exporter.dashboards.grafana import as_json

FOLDER = Path(__file__).parent / "json"

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for board in BOARDS:
        (FOLDER / f"{board.uid}.json").write_text(as_json(board), "utf-8")
