"""The page with scripts in a real browser: whole in every view and mode, by keyboard alone, and without scripts."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from api.web import VIEWS
from inventory.assessment import FILE
from inventory.loader import load
from inventory.model import Inventory
from inventory.vocabulary import Verdict
from tests.api.browsing import serving, show, violations

if TYPE_CHECKING:
    from tests.api.conftest import World

VILLAGE: Final = "tq-shiyang-waping"
PAGES: Final = (
    "/", "/d/511825101000", f"/s/{VILLAGE}", "/milestones?id=g52-villages", *VIEWS,
    "/bulletins?year=2025", "/tasks?part=appeals", "/tasks?part=spot", "/tasks?part=gaps",
)  # fmt: skip
MODES: Final = {
    "normal": ("normal", "normal"),
    "large": ("large", "normal"),
    "contrast": ("normal", "high"),
    "both": ("large", "high"),
}
"""Size and contrast."""
SWITCH: Final = "([size, contrast]) => Object.assign(document.documentElement.dataset, {size, contrast})"
PART: Final = "division=511825101000"


@pytest.fixture
def served(world: "World", browser: Browser) -> Iterator[str]:
    """天全 with one village dark."""
    world.lights_up(world.now - 3600)
    world.loses(world.now - 600, VILLAGE)
    world.watched(world.now - 3600, world.now)
    with serving(world) as base:
        yield base


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_view_breaks_an_accessibility_rule_in_any_mode(served: str, context: BrowserContext, language: str) -> None:
    """The modes change colours and sizes of a page that stands; every one is looked at in Chinese, one in English."""
    found = []
    for path in PAGES:
        page = context.new_page()
        # A short list has every kind of cell that the long one has.
        short = path.replace("/villages", f"/villages?{PART}").replace("gaps", f"gaps&{PART}")
        show(page, served, short, language)
        for mode in MODES if language == "zh" else ("both",):
            page.evaluate(SWITCH, MODES[mode])
            found += [f"{mode}: {one}" for one in violations(page)]
        page.close()
    assert found == []


def test_the_modes_are_chosen_by_button_and_remembered(served: str, page: Page) -> None:
    show(page, served, "/")
    for button, name, value in (("大字", "size", "large"), ("高对比", "contrast", "high")):
        page.get_by_role("button", name=button).click()
        assert page.evaluate(f"document.documentElement.dataset.{name}") == value
    page.reload()
    assert page.evaluate("({...document.documentElement.dataset})") == {"size": "large", "contrast": "high"}
    expect(page.get_by_role("button", name="大字")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("width", [1440, 390])
def test_no_view_is_wider_than_the_screen(served: str, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    for path in PAGES:
        show(page, served, path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_the_overview_says_in_words_and_figures_what_the_api_says(served: str, page: Page, world: "World") -> None:
    told = world.coverage()
    show(page, served, "/")
    headline = page.locator(".headline").inner_text()
    assert f"应接入 {told['denominator']} 个" in headline
    assert f"实测已接通 {told['numerator']} 个" in headline
    first = page.locator(".figures .figure .big").first.inner_text()
    assert first == f"{told['numerator']}/{told['denominator']}"
    rows = page.locator("section", has_text="下级区划").locator("tbody tr")
    assert rows.count() == len(told["children"] or world.coverage(children=True)["children"])


def test_every_figure_opens_the_list_behind_it(served: str, page: Page, world: "World") -> None:
    show(page, served, "/")
    page.locator(".figures a.figure").first.click()
    expect(page).to_have_url(re.compile(r"/villages\?.*not=covered"))
    expect(page.locator("tbody tr").first).to_be_visible()
    states = set(page.locator("tbody tr td:nth-child(3) .state").all_inner_texts())
    assert states
    assert "正常" not in states
    expect(page.get_by_text("瓦坪村便民服务室")).to_be_visible()


def test_a_filtered_list_is_an_address_that_shows_the_same_to_somebody_else(served: str, page: Page) -> None:
    show(page, served, "/villages")
    page.get_by_label("名称或代码").fill("瓦坪")
    page.get_by_label("名称或代码").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    address = page.url
    assert "q=" in address
    page.goto(address)
    expect(page.locator("tbody tr")).to_have_count(1)


def test_the_root_cause_stands_out_in_the_network_tree(served: str, page: Page) -> None:
    show(page, served, "/network")
    cause = page.locator(".root-cause")
    expect(cause).to_have_count(1)
    expect(cause).to_contain_text("瓦坪村便民服务室")


def test_what_the_ledger_learns_is_on_the_page_without_reloading(served: str, page: Page, world: "World") -> None:
    show(page, served, "/")
    big = page.locator(".figures .figure .big").nth(1)
    before = big.inner_text()
    world.says(world.now, VILLAGE, Verdict.YES)
    world.watched(world.now, world.now + 1)
    expect(big).not_to_have_text(before)


def test_a_chart_has_its_figures_as_a_table(served: str, page: Page) -> None:
    show(page, served, "/")
    panel = page.locator("section", has_text="各区划状态").first
    panel.get_by_role("button", name="看表格").click()
    expect(panel.locator("tbody tr")).to_have_count(10)


def test_the_keyboard_alone_leads_from_the_top_to_a_village(served: str, page: Page) -> None:
    show(page, served, "/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "跳到正文"
    page.keyboard.press("Enter")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('href')") == f"/s/{VILLAGE}":
            break
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("瓦坪村便民服务室")
    assert page.evaluate("document.activeElement.id") == "main"  # who cannot see is told that another view is open


def test_without_scripts_the_three_main_pages_are_whole_and_the_others_say_so(served: str, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for path in PAGES:
        page.goto(served + path)
        if path.partition("?")[0] in VIEWS:
            expect(page.get_by_text("需要浏览器运行脚本")).to_be_visible()
        else:
            expect(page.locator("h1")).to_be_visible()
            assert page.locator("table").count() >= 1, path
    context.close()


def test_the_first_load_stays_below_400_kilobytes_compressed(served: str, page: Page) -> None:
    """Scripts and styles of the overview, as they come over the wire; the API's answers come on top."""
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    show(page, served, "/")
    expect(page.locator(".chart canvas").first).to_be_visible()
    told = [one for one in answers if one.request.resource_type in ("script", "stylesheet", "document")]
    assert len(told) >= 4
    assert sum(one.request.sizes()["responseBodySize"] for one in told) < 400_000


def test_the_year_says_which_months_it_lacks_and_shows_the_operators_own_assessment(
    example: Inventory, tmp_path: Path, make_world: "Callable[[Inventory], World]", page: Page
) -> None:
    folder = shutil.copytree(example.folder, tmp_path / "inventory")
    (folder / FILE).write_text(
        "title: 考核\nversion: '1'\nitems:\n"
        "  - {id: a, title: 村级覆盖, points: 40, measure: coverage, full: 1, none: 0.5}\n"
    )
    world = make_world(load(folder))
    world.lights_up(world.now - 3600)
    world.watched(world.now - 3600, world.now)
    with serving(world) as base:
        show(page, base, "/bulletins")
        year, assessment = page.locator("#year"), page.locator("#assessment")
        expect(year).to_contain_text("年评比取十二个月已发布的通报，还缺：2026-01")
        row = assessment.locator("tbody tr").filter(has_text="村级覆盖")
        expect(row).to_contain_text("40")
        expect(assessment.get_by_role("link", name="DOCX")).to_have_attribute("href", re.compile("period=2026"))
        year.get_by_label("年度").select_option("2025")
        expect(page).to_have_url(re.compile("year=2025"))
        expect(year.get_by_role("heading")).to_have_text("2025 年评比")
        expect(year).to_contain_text("2025-01")
        assert violations(page) == []


def test_a_site_names_what_it_hangs_on(served: str, page: Page, world: "World") -> None:
    show(page, served, f"/s/{VILLAGE}")
    (above,) = world.get(f"/v1/sites/{VILLAGE}")["uplink_names"].values()
    expect(page.get_by_role("definition").get_by_role("link", name=above)).to_be_visible()
