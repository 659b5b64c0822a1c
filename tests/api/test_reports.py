"""Reports as files: the same figures in Word, PDF and spreadsheet, on the page that offices expect, the same again."""

import io
import re
import subprocess
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

import docx as word
import openpyxl
import pytest
from docx.oxml.ns import qn
from docx.shared import Mm
from hypothesis import given
from hypothesis import strategies as st

from api.bulletins import bulletin_of
from api.daily import daily_report
from api.reports import docx, making, pdf, xlsx
from api.reports.sheet import Column, Heading, Paragraph, Sheet, Table, chinese_number, shown
from api.sign_offs import sign_offs
from api.standing import CHINA
from health.ranking import Band, Ranked, Scored
from ledger.reports import Frozen, Signature
from ledger.spot_checks import Draw

if TYPE_CHECKING:
    from tests.api.conftest import World

SHEET: Final = Sheet(
    ("某县便民服务站点网络覆盖情况通报", "（2026年10月）"),
    (
        Paragraph("截至2026年10月31日24时，应接入96个。"),
        Heading("总体情况"),
        Heading("线路", 2),
        Heading("终端", 2),
        Heading("各单位情况"),
        Table(
            "各单位情况",
            (Column("单位"), Column("代码", "code"), Column("应接入", "count"), Column("覆盖率", "ratio")),
            (
                ("城厢镇", "511825100000", 14, 0.9999), ("=1+1", "511825101000", 18, 1.0),
                ("始阳镇", "511825102000", 0, None),
            ),
            "单位：个", "来源：实测",
        ),
    ),
    "某县局", "2026年11月5日", (("数据指纹", "ab" * 32),),
)  # fmt: skip


def words(data: bytes) -> str:
    """Every text of a Word file, in order."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return "".join(re.findall(r"<w:t[^>]*>([^<]*)</w:t>", archive.read("word/document.xml").decode()))


@pytest.fixture(scope="session")
def text_of() -> Callable[[bytes], str]:
    """The text of a PDF, read by typst's own reverse: what it was made of stands in its tags."""

    def read(data: bytes) -> str:
        ended = subprocess.run(["pdftotext", "-", "-"], input=data, capture_output=True, check=True)
        return re.sub(r"\s", "", ended.stdout.decode())

    return read


def test_the_word_file_has_the_page_of_official_documents() -> None:
    document = word.Document(io.BytesIO(docx.render(SHEET)))
    section = document.sections[0]
    lengths = (section.page_width, section.page_height, section.top_margin, section.left_margin)
    millimetres = [round(length.mm) for length in lengths if length is not None]
    assert millimetres == [210, 297, 37, 28]
    width = Mm(210) - (section.left_margin or 0) - (section.right_margin or 0)
    height = Mm(297) - (section.top_margin or 0) - (section.bottom_margin or 0)
    assert (round(width / Mm(1)), round(height / Mm(1))) == (156, 225)
    grid = section._sectPr.find(qn("w:docGrid"))
    assert grid is not None
    assert grid.get(qn("w:type")) == "linesAndChars"
    lines = 225 / 25.4 * 1440 / int(grid.get(qn("w:linePitch")) or 0)
    chars = 156 / 25.4 * 72 / (16 + int(grid.get(qn("w:charSpace")) or 0) / 4096)
    assert (int(lines), int(chars)) == (22, 28)
    fonts = {found.get(qn("w:eastAsia")) for found in document.element.body.iter(qn("w:rFonts"))}
    assert fonts >= {"仿宋_GB2312", "方正小标宋简体", "黑体", "楷体_GB2312"}
    assert document.settings.odd_and_even_pages_header_footer


def test_headings_are_numbered_as_offices_number_them() -> None:
    text = words(docx.render(SHEET))
    assert [part for part in re.findall(r"[一二]、\S{2}|（[一二]）\S{2}", text)] == [
        "一、总体", "（一）线路", "（二）终端", "二、各单",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "text"), [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (23, "二十三"), (99, "九十九")]
)
def test_a_number_in_chinese(number: int, text: str) -> None:
    assert chinese_number(number) == text


def test_the_spreadsheet_keeps_codes_and_would_be_formulas_as_text_and_ratios_as_numbers() -> None:
    page = openpyxl.load_workbook(io.BytesIO(xlsx.render(SHEET)))["各单位情况"]
    rows = [[cell.value for cell in row] for row in page.iter_rows(min_row=4, max_row=6)]
    assert rows[0] == ["城厢镇", "511825100000", 14, 0.9999]
    assert rows[1][0] == "=1+1"
    assert page.cell(5, 1).data_type == "s"
    assert rows[2][3] == "—"
    assert page.freeze_panes == "B4"
    assert page.page_setup.orientation == "landscape"


def test_the_same_report_is_the_same_file() -> None:
    assert docx.render(SHEET) == docx.render(SHEET)
    assert xlsx.render(SHEET) == xlsx.render(SHEET)
    assert pdf.render(SHEET, 1_800_000_000) == pdf.render(SHEET, 1_800_000_000)


def test_the_pdf_is_archivable_and_says_the_same(program: Any, text_of: Callable[[bytes], str]) -> None:
    program.path("pdftotext")
    data = pdf.render(SHEET, 1_800_000_000)
    assert data.startswith(b"%PDF-")
    assert b"pdfaid" in data
    told = text_of(data)
    for text in ("某县便民服务站点网络覆盖情况通报", "一、总体情况", "（一）线路", "城厢镇", "99.9%", "100%", "—1—"):
        assert text in told, text


@given(st.floats(0, 1))
def test_a_ratio_is_never_rounded_up_to_the_whole(ratio: float) -> None:
    text = shown(ratio, "ratio")
    assert (text == "100%") == (ratio == 1)
    assert 0 <= float(text.rstrip("%")) <= 100 * ratio + 1e-6


def month(world: "World") -> dict[str, Any]:
    """天全's November so far, with one village dark since the 19th."""
    begin = datetime(2026, 11, 1, tzinfo=CHINA).timestamp()
    world.lights_up(begin + 60)
    world.loses(begin + 18 * 86_400, "tq-shiyang-waping")
    world.watched(begin + 60, world.now)
    return bulletin_of(world.standing, "2026-11").document()


def test_a_draft_of_a_bulletin_says_its_figures_in_a_sentence_and_that_it_is_a_draft(world: "World") -> None:
    document = month(world)
    sheet = making.bulletin(document, issuer="天全县政务服务和大数据管理局")
    assert sheet.title == ("天全县便民服务站点网络覆盖情况通报", "（2026年11月，草稿）")
    text = words(docx.render(sheet))
    assert "应接入96个村（社区），实测已接通95个，覆盖率98.9%。" in text
    assert "始阳镇（94.4%）" in text
    assert "没有逾期的督办事项。" in text
    (table,) = sheet.tables
    assert len(table.rows) == len(document["ranking"]) == 10


def test_a_published_bulletin_names_its_edition_its_hash_and_the_change_against_the_month_before(
    world: "World",
) -> None:
    document = month(world)
    before = {**document, "whole": {**document["whole"], "coverage": 90 / 96}}
    frozen = Frozen(
        "bulletin", "2026-11", "511825000000", 2, document, "cd" * 32, 0.0, 0.0, "inventory-hash", "复核后更正", "li",
        datetime(2026, 12, 5, tzinfo=CHINA).timestamp(),
    )  # fmt: skip
    text = words(docx.render(making.bulletin(document, issuer="某局", frozen=frozen, before=before)))
    assert "较上月增加5个。" in text
    assert "（第2版，更正）" in text
    assert "复核后更正" in text
    assert "cd" * 32 in text
    assert "2026年12月5日" in text


def test_the_daily_check_has_a_row_for_every_site(world: "World") -> None:
    month(world)
    rows = daily_report(world.standing, date(2026, 11, 20))
    (table,) = making.daily("天全县", date(2026, 11, 20), rows).tables
    assert len(table.rows) == len(world.inventory.sites) == 142
    (dark,) = [row for row in table.rows if row[1] == "瓦坪村便民服务室"]
    assert dark[6] == "否"
    assert dark[9] == pytest.approx(12 * 60, abs=1)  # noon: dark since midnight of an earlier day


def test_the_form_of_a_spot_check_lists_the_drawn_sites_and_the_seed(world: "World") -> None:
    drawn = Draw("d1", "511825000000", "2026-W47", b"s" * 32, tuple(world.inventory.sites.ids), 5, "li", world.now)
    sheet = making.spot_check(world.standing, drawn)
    (table,) = sheet.tables
    names = [world.inventory.sites.names[world.inventory.sites.index[id]] for id in drawn.sites]
    assert [row[1] for row in table.rows] == names
    assert (b"s" * 32).hex() in dict(sheet.facts).values()


def test_the_ledger_names_who_is_late_and_keeps_the_manual_columns(world: "World") -> None:
    world.refresh(datetime(2026, 11, 26, 9, tzinfo=CHINA).timestamp())
    owed = sign_offs(world.standing, "2026-11")
    first = owed.rows[0].division
    signed = [Signature("ledger", "2026-11", first, date(2026, 11, 24), "王", {"问题": "无"})]
    sheet = making.ledger(world.standing, owed, signed)
    (table,) = sheet.tables
    assert table.columns[-1].title == "问题"
    assert table.rows[0][-1] == "无"
    assert any(isinstance(part, Paragraph) and "逾期：" in part.text for part in sheet.parts)


def test_the_years_ranking_names_its_rule() -> None:
    ranked = [
        Ranked(1, Band.VERY_HIGH, Scored("1", "甲乡", 9, 1.0, 0.99, 0.98, 0)),
        Ranked(None, None, Scored("2", "乙乡", 1, None, None, None, 2)),
    ]
    (table,) = making.ranking("某县", 2026, ranked, "某局").tables
    assert [row[0] for row in table.rows] == [1, None]
    assert [row[-1] for row in table.rows] == ["很高", "—"]
    assert "十二期" in table.source
