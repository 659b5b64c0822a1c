"""A report as a Word file on the page of official documents (GB/T 9704-2012).

A4, type area 156 x 225 mm, 22 lines of 28 characters of 三号 仿宋. Officials edit it before it is issued, so it uses
styles and a document grid instead of blank lines. The fonts are named, never shipped: officials' machines have them.
"""

import io
from datetime import datetime
from typing import Any, Final

from docx import Document
from docx.document import Document as WordFile
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from api.reports.sheet import Heading, Paragraph, Sheet, Table, numbered, shown

BODY, TITLE, FIRST, SECOND, PAGE = "仿宋_GB2312", "方正小标宋简体", "黑体", "楷体_GB2312", "宋体"
_LINE_PT: Final = 28.95  # 225 mm / 22 lines
_GRID_TWIPS: Final = 579
_CHAR_SPACE: Final = -849  # in 1/4096 pt: 28 characters of 16 pt on 156 mm
_EPOCH: Final = datetime(2000, 1, 1)  # noqa: DTZ001  the same report is the same bytes: no clock in its properties


def render(sheet: Sheet) -> bytes:
    """The bytes of the ``.docx``."""
    document = Document()
    _page(document)
    for line in sheet.title:
        _paragraph(document, line, TITLE, 22, align=WD_ALIGN_PARAGRAPH.CENTER, indent=0)
    _paragraph(document, "", BODY, 16)
    counts = [0, 0]
    for part in sheet.parts:
        match part:
            case Heading(level=level):
                counts[level - 1] += 1
                if level == 1:
                    counts[1] = 0
                _paragraph(document, numbered(part, counts[level - 1]), FIRST if level == 1 else SECOND, 16)
            case Paragraph(text=text):
                _paragraph(document, text, BODY, 16)
            case Table():
                _table(document, part)
    if sheet.signer or sheet.dated:
        _paragraph(document, "", BODY, 16)
    for text in (sheet.signer, sheet.dated):
        if text:
            paragraph = _paragraph(document, text, BODY, 16, align=WD_ALIGN_PARAGRAPH.RIGHT, indent=0)
            paragraph.paragraph_format.right_indent = Pt(16 * 4)
    for text in sheet.forms:
        _paragraph(document, text, BODY, 14, indent=0)
    for name, value in sheet.facts:
        _paragraph(document, f"{name}：{value}", BODY, 10.5, indent=0, exact=False)
    document.core_properties.title = "".join(sheet.title)
    document.core_properties.author = sheet.signer
    document.core_properties.comments = "; ".join(f"{name}: {value}" for name, value in sheet.facts)
    document.core_properties.created = document.core_properties.modified = _EPOCH
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _page(document: WordFile) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.left_margin = Mm(37), Mm(28)
    section.bottom_margin, section.right_margin = Mm(35), Mm(26)
    section.footer_distance = Mm(35 - 7 - 5)  # the number stands 7 mm below the type area
    grid = section._sectPr.find(qn("w:docGrid"))
    if grid is None:
        grid = OxmlElement("w:docGrid")
        section._sectPr.append(grid)
    grid.set(qn("w:type"), "linesAndChars")
    grid.set(qn("w:linePitch"), str(_GRID_TWIPS))
    grid.set(qn("w:charSpace"), str(_CHAR_SPACE))
    document.settings.odd_and_even_pages_header_footer = True
    for footer, align in (
        (section.footer, WD_ALIGN_PARAGRAPH.RIGHT), (section.even_page_footer, WD_ALIGN_PARAGRAPH.LEFT),
    ):  # fmt: skip
        paragraph = footer.paragraphs[0]
        paragraph.alignment = align
        paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Pt(14)
        _run(paragraph, "— ", PAGE, 14)
        _page_number(_run(paragraph, "", PAGE, 14))
        _run(paragraph, " —", PAGE, 14)


def _page_number(run: Any) -> None:
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        if kind is None:
            element = OxmlElement("w:instrText")
            element.text = text
        else:
            element = OxmlElement("w:fldChar")
            element.set(qn("w:fldCharType"), kind)
        run._r.append(element)


def _paragraph(
    document: WordFile,
    text: str,
    font: str,
    size: float,
    *,
    align: WD_ALIGN_PARAGRAPH | None = None,
    indent: int = 2,
    exact: bool = True,
) -> Any:
    paragraph = document.add_paragraph()
    if align is not None:
        paragraph.alignment = align
    form = paragraph.paragraph_format
    form.space_before = form.space_after = Pt(0)
    if exact:
        form.line_spacing_rule, form.line_spacing = (
            WD_LINE_SPACING.EXACTLY,
            Pt(_LINE_PT if size < 20 else _LINE_PT * 1.15),
        )
    if indent:
        element = OxmlElement("w:ind")
        element.set(qn("w:firstLineChars"), str(indent * 100))
        element.set(qn("w:firstLine"), str(int(indent * size * 20)))
        paragraph._p.get_or_add_pPr().append(element)
    if text:
        _run(paragraph, text, font, size)
    return paragraph


def _run(paragraph: Any, text: str, font: str, size: float) -> Any:
    run = paragraph.add_run(text)
    run.font.size = Pt(size)
    run.font.name = font
    # Word takes the font of Chinese characters from another attribute than that of Latin ones.
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)
    return run


def _table(document: WordFile, table: Table) -> None:
    _paragraph(document, table.title, FIRST, 14, align=WD_ALIGN_PARAGRAPH.CENTER, indent=0)
    if table.unit:
        _paragraph(document, table.unit, BODY, 12, align=WD_ALIGN_PARAGRAPH.RIGHT, indent=0, exact=False)
    made = document.add_table(rows=1, cols=len(table.columns))
    made.style, made.alignment = "Table Grid", WD_TABLE_ALIGNMENT.CENTER
    made.autofit = False
    total = sum(column.width for column in table.columns)
    widths = [Mm(156 * column.width / total) for column in table.columns]
    _row(made.rows[0], [column.title for column in table.columns], ["head"] * len(widths), widths)
    header = OxmlElement("w:tblHeader")  # repeated on every page
    made.rows[0]._tr.get_or_add_trPr().append(header)
    for row in table.rows:
        cells = [shown(cell, column.kind) for cell, column in zip(row, table.columns, strict=True)]
        _row(made.add_row(), cells, [column.kind for column in table.columns], widths)
    if table.source:
        _paragraph(document, table.source, BODY, 10.5, indent=0, exact=False)


def _row(row: Any, cells: list[str], kinds: list[str], widths: list[Any]) -> None:
    for cell, text, kind, width in zip(row.cells, cells, kinds, widths, strict=True):
        cell.width = width
        paragraph = cell.paragraphs[0]
        paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(1)
        if kind != "text":
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        _run(paragraph, text, FIRST if kind == "head" else BODY, 10.5)
