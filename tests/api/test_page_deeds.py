"""What people do in the page: log in, handle outages, keep registers; each as the API knows it afterwards."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from api.auth import COOKIE, Access
from inventory.boundaries import read_boundaries
from inventory.model import Inventory
from ledger.accounts import Role
from tests.api.browsing import serving, show, violations

if TYPE_CHECKING:
    from tests.api.conftest import World

TOP: Final = "511825000000"
TOWNSHIP: Final = "511825101000"
VILLAGE: Final = "tq-shiyang-waping"
PASSWORD: Final = "Long-enough-9"  # noqa: S105  of a make-believe county
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}


class Office:
    """A county that asks for an account, its page, and its people."""

    def __init__(self, world: "World", base: str, context: BrowserContext, outage: str) -> None:
        self.world, self.base, self.context, self.outage = world, base, context, outage
        self.reader = world.token("reader", (Role.NOC_OPERATOR, TOP), (Role.REFORM_VIEWER, TOP))

    def enters(self, name: str, *grants: tuple[Role, str]) -> Page:
        """A page of somebody who is logged in; the browser's clock is not the server's."""
        token = self.world.token(name, *grants)["Authorization"].removeprefix("Bearer ")
        self.context.add_cookies([{"name": COOKIE, "value": token, "url": self.base, "sameSite": "Strict"}])
        return self.context.new_page()

    def asks(self, path: str) -> Any:
        answer = self.world.client.get(path, headers=self.reader)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def office(closed: "World", browser: Browser, context: BrowserContext) -> Iterator[Office]:
    outage = closed.loses(closed.now - 600, VILLAGE)
    closed.watched(closed.now - 600, closed.now)
    with serving(closed) as base:
        yield Office(closed, base, context, outage)


def fill(page: Page, **said: str) -> None:
    """Fill in the open form by its labels and send it."""
    form = page.locator("form.deed")
    for label, value in said.items():
        field = form.get_by_label(re.compile(f"^{label}"))
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(label=value)
        else:
            field.fill(value)
    form.get_by_role("button", name="提交").click()


def test_who_is_not_logged_in_is_led_to_the_login_and_back(office: Office, page: Page) -> None:
    office.world.token("wang", (Role.REFORM_VIEWER, TOP))
    page.goto(f"{office.base}/outages?all=1")
    expect(page).to_have_url(re.compile("/login"))
    page.get_by_label("用户名").fill("wang")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_label("密码").press("Enter")
    expect(page).to_have_url(re.compile(r"/outages\?all=1$"))
    expect(page.locator(".who")).to_contain_text("Wang")
    expect(page.locator(".who")).to_contain_text("政务改革办")
    page.get_by_role("button", name="退出").click()
    expect(page).to_have_url(re.compile("/login"))


def test_the_box_for_logging_in_keeps_the_page_and_says_what_is_wrong(world: "World", context: BrowserContext) -> None:
    world.lights_up(world.now - 3600)
    world.watched(world.now - 3600, world.now)
    world.token("wang", (Role.NOC_OPERATOR, TOP))
    with serving(world) as base:
        page = context.new_page()
        show(page, base, "/milestones")
        page.get_by_role("button", name="登录").click()
        box = page.get_by_role("dialog")
        box.get_by_label("用户名").fill("wang")
        box.get_by_label("密码").fill("not this one")
        box.get_by_label("密码").press("Enter")
        expect(box.get_by_role("alert")).to_have_text("用户名或密码不正确。")
        assert violations(page) == []
        box.get_by_label("密码").fill(PASSWORD)
        box.get_by_label("密码").press("Enter")
        expect(page.locator(".who")).to_contain_text("运维值班")
        assert page.url.endswith("/milestones")


def test_a_village_agent_acknowledges_and_reports_from_a_phone(office: Office) -> None:
    page = office.enters("zhao", (Role.VILLAGE_AGENT, "511825101202"))
    page.set_viewport_size(PHONE)
    show(page, office.base, "/clerk")
    card = page.locator(".trouble", has_text="瓦坪村便民服务室")
    expect(card).to_contain_text("归谁处理")
    names = card.get_by_role("button").all_inner_texts()
    assert "确认接手" in names
    assert not {"升级", "关闭", "指定负责人", "填工单号"} & set(names)  # what the role may not do is not shown
    card.get_by_role("button", name="确认接手").click()
    fill(page, 说明="我去看看")
    expect(card.locator(".step")).to_have_text("已确认")
    card.get_by_role("button", name="已修复").click()
    fill(page, 说明="插头松了")
    expect(card.locator(".step")).to_have_text("处理中")
    told = office.asks(f"/v1/outages/{office.outage}")
    assert [(one["step"], one["by"], one["note"]) for one in told["timeline"]] == [
        ("acknowledged", "zhao", "我去看看"),
        ("repaired", "zhao", "插头松了"),
    ]
    assert told["contradiction"]  # said to be repaired, and silent still
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert violations(page) == []


def test_an_operator_handles_an_outage_with_the_keyboard_alone(office: Office) -> None:
    page = office.enters("wang", (Role.NOC_OPERATOR, TOP))
    show(page, office.base, "/outages")
    page.locator(".opener").first.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"id={office.outage}"))
    ticket = page.get_by_role("button", name="填工单号")
    ticket.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label(re.compile("^运营商工单号"))).to_be_focused()
    page.keyboard.press("Enter")  # nothing filled in
    expect(page.get_by_text("请填写")).to_be_visible()
    expect(page.get_by_label(re.compile("^运营商工单号"))).to_be_focused()
    assert violations(page) == []
    page.keyboard.type("CT-20261120-7")
    page.keyboard.press("Enter")
    expect(page.locator(".timeline")).to_contain_text("CT-20261120-7")
    expect(ticket).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator("form.deed")).to_have_count(0)
    expect(ticket).to_be_focused()
    (entry,) = office.asks("/v1/outages?open=true")["data"]
    assert (entry["ticket"], entry["handling"]) == ("CT-20261120-7", "dispatched")
    expect(page.locator("tr.opened .step")).to_have_text("处理中")
    page.get_by_label("处置").first.select_option(label="未确认")
    expect(page.get_by_text("没有符合条件的中断。")).to_be_visible()


def test_a_task_goes_from_an_outage_to_the_register_and_off_it(office: Office) -> None:
    page = office.enters("wang", (Role.NOC_OPERATOR, TOP), (Role.REFORM_VIEWER, TOP))
    show(page, office.base, f"/outages?id={office.outage}")
    page.get_by_role("button", name="交办").click()
    fill(page, 责任单位="始阳镇人民政府")
    expect(page.get_by_text("交办：已记录。")).to_be_visible()
    (task,) = office.asks("/v1/tasks")["data"]
    assert (task["origin"], task["reference"], task["site"]) == ("outage", office.outage, VILLAGE)
    show(page, office.base, f"/tasks?id={task['id']}")
    for button, note in (("签收", ""), ("报整改完成", "换了光猫"), ("销号", "")):
        page.locator("tr.beneath").get_by_role("button", name=button).click()
        fill(page, **({"说明": note} if note else {}))
        expect(page.locator("tr.beneath form.deed")).to_have_count(0)
    expect(page.locator("tr.opened")).to_contain_text("已销号")
    assert violations(page) == []
    assert office.asks("/v1/tasks")["data"][0]["state"] == "closed"


def test_an_appeal_a_draw_a_claim_and_an_acceptance_are_written_in_the_page(office: Office) -> None:
    page = office.enters("chen", (Role.REFORM_VIEWER, TOP), (Role.NOC_OPERATOR, TOP))
    show(page, office.base, f"/s/{VILLAGE}")
    page.get_by_role("button", name="提出申诉").click()
    fill(page, 正确情况="已恢复", 依据="现场照片 3 张")
    expect(page.locator("form.deed")).to_have_count(0)
    page.get_by_role("button", name="填报进度").click()
    fill(page, 填报="验收", 依据="验收单 12 号")
    expect(page.locator("form.deed")).to_have_count(0)
    office.world.standing.refresh()  # as the server does by itself; the page hears of it
    expect(page.get_by_text("验收单 12 号")).to_be_visible()
    page.get_by_role("button", name="登记验收").click()
    fill(page, 验收层级="县级", 依据="会议纪要")
    expect(page.get_by_text("会议纪要")).to_be_visible()
    show(page, office.base, "/tasks?part=appeals")
    expect(page.get_by_role("button", name="裁定")).to_have_count(0)  # nobody rules on an appeal of his own
    page = office.enters("judge", (Role.REFORM_VIEWER, TOP))
    show(page, office.base, "/tasks?part=appeals")
    page.get_by_role("button", name="裁定").click()
    fill(page, 原因="照片属实")
    expect(page.locator("tbody")).to_contain_text("照片属实")
    show(page, office.base, "/tasks?part=spot")
    page.get_by_role("button", name="抽取本周暗访").click()
    fill(page, 周次="2026-W77")  # the API refuses it, at its field
    week = page.locator("form.deed .field", has_text="周次")
    expect(week).to_contain_text("格式不对")
    expect(week.locator("input")).to_be_focused()
    assert violations(page) == []
    fill(page, 周次="2026-W47", 抽取数量="2")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("button", name="填暗访结果").first.click()
    page.get_by_label("标牌规范").check()
    fill(page, 结果="合格")
    expect(page.locator("tbody")).to_contain_text("标牌规范 ✓")
    assert office.asks("/v1/appeals")["data"][0]["ruling"]["result"] == "upheld"
    assert office.asks(f"/v1/acceptances?site={VILLAGE}")["data"][0]["tier"] == "county"


def test_work_is_announced_a_bulletin_published_a_ledger_signed_and_a_target_decided(office: Office) -> None:
    page = office.enters("chen", (Role.REFORM_VIEWER, TOP), (Role.NETWORK_ENGINEER, TOP))
    show(page, office.base, "/outages")
    page.get_by_role("button", name="登记维护").click()
    fill(page, 对象=VILLAGE, 开始="2026-11-21 09:00", 结束="2026-11-21 11:00", 做什么="割接，县运维")
    expect(page.get_by_text("割接，县运维")).to_be_visible()
    show(page, office.base, "/bulletins?month=2026-10")
    page.get_by_role("button", name="发布通报").click()
    fill(page)
    expect(page.get_by_text("已发布，第 1 版")).to_be_visible()
    expect(page.get_by_role("button", name="更正并重新发布")).to_be_visible()
    row = page.locator("tr", has_text="始阳镇").last
    row.get_by_role("button", name="签报台账").click()
    fill(page)
    expect(row).to_contain_text("Chen")
    show(page, office.base, "/milestones?id=g51-items")
    page.get_by_role("button", name="认定").click()
    fill(page, 依据="验收会议纪要")
    expect(page.get_by_text("认定达标")).to_be_visible()
    assert office.asks("/v1/bulletins")["data"][0]["month"] == "2026-10"
    assert office.asks("/v1/ledgers?month=2026-10")["signed"] == 1
    assert violations(page) == []


def test_the_public_sees_figures_and_no_way_to_what_it_may_not_see(
    example: Inventory, tmp_path: Path, page: Page
) -> None:
    from tests.api.conftest import World

    world = World(example, tmp_path, Access(public=True))
    world.lights_up(world.now - 3600)
    world.loses(world.now - 600, VILLAGE)
    world.watched(world.now - 3600, world.now)
    with serving(world) as base:
        for path in ("/", "/d/511825101000", "/milestones", "/notes", "/notes?lang=en"):
            show(page, base, path)  # the fixture refuses any error in the console: nothing is asked that answers 401
            links = page.eval_on_selector_all("a", "all => all.map(one => one.getAttribute('href'))")
            assert not [link for link in links if re.match("/(s/|villages|outages|tasks|network|clerk)", link)], path
            assert violations(page) == []
        show(page, base, "/")
        expect(page.locator(".figures")).to_contain_text("95/96")
        assert "瓦坪" not in page.locator("main").inner_text()
        page.goto("about:blank")
    world.close()


def test_a_map_is_drawn_of_the_operators_boundaries_with_the_review_number(
    world: "World", page: Page, tmp_path: Path
) -> None:
    world.lights_up(world.now - 3600)
    world.watched(world.now - 3600, world.now)
    squares = [
        {
            "type": "Feature",
            "properties": {"adcode": code},
            "geometry": {"type": "Polygon", "coordinates": [[[x, 30], [x + 1, 30], [x + 1, 31], [x, 31], [x, 30]]]},
        }
        for x, code in ((102, "511825100"), (103, 511825101))
    ]
    (tmp_path / "towns.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": squares}), "utf-8")
    (tmp_path / "boundaries.yml").write_text(
        "file: towns.geojson\nreview_number: 川S（2026）00001号（示例）\ncrs: CGCS2000\n", "utf-8"
    )
    world.app.state.boundaries = read_boundaries(tmp_path)
    with serving(world) as base:
        show(page, base, "/")
        expect(page.locator(".chart.map canvas")).to_be_visible()
        expect(page.locator("figcaption")).to_contain_text("川S（2026）00001号（示例）")
        expect(page.locator("figcaption")).to_contain_text("CGCS2000")
        expect(page.get_by_text("8 个区划没有边界")).to_be_visible()
        assert violations(page) == []
        page.emulate_media(media="print")
        expect(page.locator("figcaption")).to_be_visible()
        page.goto("about:blank")


def test_a_day_of_the_past_is_typed_as_text_and_is_an_address(world: "World", page: Page) -> None:
    world.lights_up(world.now - 3600)
    world.watched(world.now - 3600, world.now)
    with serving(world) as base:
        show(page, base, "/")
        field = page.get_by_label("截至日期")
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", field.input_value())
        expect(page.get_by_text("今天", exact=True)).to_be_visible()
        field.fill("2026-11-19")
        expect(page).to_have_url(re.compile("as_of=2026-11-19"))
        expect(page.get_by_text("所示为 2026-11-20 00:00 的情况")).to_be_visible()
        page.get_by_role("button", name="今天").click()
        expect(page).not_to_have_url(re.compile("as_of"))
        page.goto("about:blank")
