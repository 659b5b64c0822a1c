"""A report as PDF on the page of official documents (GB/T 9704-2012), set by typst; archivable (PDF/A) and tagged.

The same report gives the same bytes: the moment that a PDF carries is the report's own. Fonts are the operator's:
those of ``fonts`` first, else the system's; 仿宋 and the others fall back to what is there.
"""

import json
from pathlib import Path
from typing import Final

import typst

from api.reports.sheet import Heading, Paragraph, Sheet, Table, numbered, shown

_PAGE: Final = Path(__file__).parent / "page.typ"


def render(sheet: Sheet, at: int, fonts: Path | None = None) -> bytes:
    """The bytes of the PDF.

    Args:
        at: Unix seconds that stand in the file as its moment.
        fonts: a folder of fonts.
    """
    told = json.dumps(_plain(sheet), ensure_ascii=False)
    made = typst.compile(
        str(_PAGE),
        sys_inputs={"sheet": told},
        font_paths=[str(fonts)] if fonts else [],
        pdf_standards=["a-2b"],
        timestamp=at,
    )
    assert isinstance(made, bytes)  # noqa: S101  one document, no page template
    return made


def _plain(sheet: Sheet) -> dict[str, object]:
    parts: list[dict[str, object]] = []
    counts = [0, 0]
    for part in sheet.parts:
        match part:
            case Heading(level=level):
                counts[level - 1] += 1
                if level == 1:
                    counts[1] = 0
                parts.append({"kind": "heading", "level": level, "text": numbered(part, counts[level - 1])})
            case Paragraph(text=text):
                parts.append({"kind": "text", "text": text})
            case Table():
                parts.append(_table(part))
    return {
        "title": list(sheet.title),
        "parts": parts,
        "signer": sheet.signer,
        "dated": sheet.dated,
        "forms": list(sheet.forms),
        "facts": [f"{name}：{value}" for name, value in sheet.facts],
    }


def _table(table: Table) -> dict[str, object]:
    return {
        "kind": "table",
        "title": table.title,
        "unit": table.unit,
        "source": table.source,
        "widths": [column.width for column in table.columns],
        "left": [column.kind == "text" for column in table.columns],
        "head": [column.title for column in table.columns],
        "rows": [
            [shown(cell, column.kind) for cell, column in zip(row, table.columns, strict=True)] for row in table.rows
        ],
    }
