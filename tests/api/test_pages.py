"""The pages: whole, linked, in two languages, and deaf to what people may write into names."""

import re
import shutil
from collections.abc import Callable, Sequence
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

import pytest

import api
from api import messages_deeds
from api.messages import LANGUAGES, ZH, say
from health.coverage import Disagreement, State, Unknown
from health.device import DeviceState
from health.outage import Scope
from health.rootcause import Cause
from health.site import _STOPS_PRINTING, KIOSK_PARTS
from health.verdict import Blame, Sign
from inventory.loader import load
from inventory.model import Inventory
from inventory.vocabulary import SITE_TYPES, Aspect, Claim, Condition, DeviceOwner, LinkOrigin, Requirement, Verdict
from ledger.accounts import Role

if TYPE_CHECKING:
    from tests.api.conftest import World

VOID: Final = frozenset({"meta", "link", "br", "hr", "img", "input", "col"})


class Page(HTMLParser):
    """Reads a page strictly: every element ends where it should; what it links to and loads."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.ids: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        self.wrong += [f"<{name}> is never closed" for name in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._look(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._look(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes what is not open, at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if "script" not in self.open:
            self.words.append(data)

    def _look(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(set(names)) != len(names):
            self.wrong.append(f"<{tag}> has an attribute twice")
        told = dict(attrs)
        data = tag == "script" and told.get("type") == "application/json"
        ours = tag == "script" and (told.get("src") or "").startswith("/static/app/assets/")
        if tag in ("script", "iframe", "object", "embed", "style") and not (data or ours):
            self.wrong.append(f"<{tag}> is not allowed by our own policy")
        self.wrong += [f"<{tag} {name}>" for name in names if name == "style" or name.startswith("on")]
        for name, value in attrs:
            if name in ("href", "src"):
                (self.links if tag == "a" else self.loaded).add(value or "")


def page(world: "World", path: str) -> Page:
    answer = world.client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8"), path
    found = Page(answer.text)
    assert found.wrong == [], path
    return found


def test_every_link_of_every_page_leads_somewhere_in_both_languages(busy: "World") -> None:
    seen: set[str] = set()
    loaded: set[str] = set()
    waiting = ["/"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        found = page(busy, path)
        assert all(link.startswith("/") and not link.startswith("//") for link in found.links | found.loaded), path
        loaded |= found.loaded
        waiting += found.links
    sites = set(busy.inventory.sites.ids)
    assert {path[3:] for path in seen if path.startswith("/s/") and "?" not in path} == sites
    assert {path[3:].removesuffix("?lang=en") for path in seen if path.startswith("/s/")} == sites
    assert len([path for path in seen if path.startswith("/d/")]) == 20
    for path in loaded:
        assert busy.client.get(path).status_code == 200, path


def test_the_english_pages_stay_english_and_the_chinese_ones_chinese(busy: "World") -> None:
    for path in ("/", "/d/511825101", "/s/tq-shiyang"):
        for language, other in (("zh", "en"), ("en", "zh")):
            query = "?lang=en" if language == "en" else ""
            found = page(busy, path + query)
            inside = {link for link in found.links if "lang=en" in link}
            assert len(inside) == (1 if language == "zh" else len(found.links) - 1), (path, language)
            assert say(language, "outages" if path[1:2] != "s" else "history") in " ".join(found.words)
            assert say(other, "other_language") not in "".join(found.words)


def test_the_overview_says_the_figures_and_what_is_wrong(busy: "World") -> None:
    words = " ".join(" ".join(page(busy, "/").words).split())
    assert "应接入 96 个（村 79、社区 17），实测已接通 96 个（100%），此刻在线 77 个。" in words
    assert "始阳镇便民服务中心" in words
    assert "节点或其上联故障" in words
    assert "军城社区便民服务室" in words
    assert "snmp_v2c" in words
    english = " ".join(" ".join(page(busy, "/?lang=en").words).split())
    assert "96 to be connected (79 villages, 17 communities): 96 measured as covered (100%), 77 online now." in english


def test_a_page_of_nothing_measured_says_that_it_is_unknown(world: "World") -> None:
    words = " ".join(page(world, "/").words)
    assert "96 个情况不明" in words
    assert "尚未监测到" in " ".join(page(world, "/s/tq-center").words)


def test_a_page_that_is_not_there_and_a_language_that_is_not_spoken_are_refused(busy: "World") -> None:
    busy.refused("/d/99", 404)
    busy.refused("/s/nowhere", 404)
    busy.refused("/", 422, lang="fr")


def test_a_village_has_a_page_of_its_division_too(busy: "World") -> None:
    assert "瓦坪" in " ".join(page(busy, "/d/511825101202").words)


def test_both_languages_have_the_same_messages_with_the_same_places() -> None:
    zh, en = LANGUAGES["zh"], LANGUAGES["en"]
    assert set(zh) == set(en)
    for key in zh:
        assert set(re.findall(r"\{(\w+)\}", zh[key])) == set(re.findall(r"\{(\w+)\}", en[key])), key
        assert zh[key].strip()
        assert en[key].strip()


WORDS: Final[dict[str, Sequence[str]]] = {
    "state": list(State),
    "scope": list(Scope),
    "cause": list(Cause),
    "verdict": list(Verdict),
    "aspect": list(Aspect),
    "claim": list(Claim),
    "kind": list(Disagreement),
    "type": SITE_TYPES,
    "owner": get_args(DeviceOwner),
    "origin": get_args(LinkOrigin),
    "condition": get_args(Condition),
    "device": ["up", "silent", "off_hours", "unknown"],
    "blame": list(Blame),
    "clue": list(Sign),
    "reason": [
        "down", "unreachable", "dark", "off_hours", *Unknown, "no_claim",
        *(claim for claim in Claim if not claim.says_connected),
        *(requirement for requirement in Requirement if requirement is not Requirement.REQUIRED),
    ],
    "fault": [DeviceState.SILENT, *KIOSK_PARTS, *_STOPS_PRINTING, "not_looked", "line_down"],
}  # fmt: skip


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("group", sorted(WORDS))
def test_every_word_of_the_vocabulary_is_said_in_both_languages(group: str, language: str) -> None:
    missing = [word for word in WORDS[group] if f"{group}.{word}" not in LANGUAGES[language]]
    assert missing == []


def test_every_message_is_used_and_every_message_that_is_used_exists() -> None:
    folder = Path(api.__file__).parent
    sources = [*(folder / "templates").glob("*.html"), folder / "pages.py", folder / "routers" / "login.py"]
    used = {key for path in sources for key in re.findall(r"""\bt\(\s*['"]([a-z_]+)['"]""", path.read_text("utf-8"))}
    assert used == {key for key in ZH if "." not in key}
    assert {key.partition(".")[0] for key in ZH if "." in key} == set(WORDS)


def test_every_message_that_the_program_names_exists_and_none_of_its_own_is_idle() -> None:
    folder = Path(api.__file__).parents[1] / "web" / "src"
    text = "\n".join(path.read_text("utf-8") for path in folder.rglob("*") if path.suffix in (".ts", ".vue"))
    named = set(re.findall(r"""\bt\(\s*'([a-z_.-]+)'""", text))
    assert named - set(LANGUAGES["zh"]) == set()
    begun = {f"{one}." for one in re.findall(r"""(?:named\(|choices\(|kind=)['"]([a-z_.]+)['"]""", text)}
    begun |= set(re.findall(r"""`([a-z_.]+)\$\{""", text))
    quoted = set(re.findall(r"""'([a-z_]+\.[a-zA-Z_.-]+)'""", text))
    idle = {key for key in messages_deeds.ZH if key not in named | quoted and not key.startswith(tuple(begun))}
    assert idle == set()


def test_a_reason_that_names_a_device_is_said_in_words() -> None:
    assert say("zh", "reason.prt1:no_paper") == "prt1 缺纸"
    assert say("en", "reason.kiosk1:id-card-reader") == "kiosk1 ID-card reader faulty"


HOSTILE: Final = """<script>alert('x')</script><b title="y">&amp;"""


def test_what_people_write_is_shown_and_never_obeyed(
    example: Inventory, tmp_path: Path, make_world: "Callable[[Inventory], World]"
) -> None:
    folder = tmp_path / "county"
    shutil.copytree(example.folder, folder)
    quoted = "'" + HOSTILE.replace("'", "''") + "'"
    county = (folder / "county.yml").read_text("utf-8")
    changes = {
        "title: 天全县电子政务外网": f"title: {quoted}",
        "  responsible: 天全县政务服务和大数据管理局": f"  responsible: {quoted}",
        "    reason: The simulated": "    reason: <script>alert(1)</script> The simulated",
        "title: Huawei AR651,": f"title: {quoted},",
        'village_site: "{place}便民服务室"': 'village_site: "<i>{place}</i>便民服务室"',
        "telecom: 中国电信": f"telecom: {quoted}",
    }
    for old, new in changes.items():
        assert county.count(old) == 1, old
        county = county.replace(old, new)
    (folder / "county.yml").write_text(county, "utf-8")
    milestones = folder / "milestones.yml"
    milestones.write_text(milestones.read_text("utf-8").replace("title: 1", "title: <u>1"), "utf-8")
    world = make_world(load(folder))
    world.lights_up(world.now - 60)
    world.loses(world.now - 30, "tq-chengxiang-xuyu")
    world.watched(world.now - 60, world.now)
    world.claims("tq-chengxiang-xuyu", Claim.ACCEPTED, date(2026, 11, 20), proof=HOSTILE, by=HOSTILE)
    for path in ("/", "/?lang=en", "/d/511825100", "/s/tq-chengxiang-xuyu", "/s/tq-chengxiang-xuyu?lang=en"):
        text = world.client.get(path).text
        words = "".join(page(world, path).words)
        assert re.findall(r'<script(?! type="(?:application/json" id="page"|module" src="/static/app/))', text) == [], (
            path
        )
        assert HOSTILE in words, path
        assert "<i>徙榆" not in text, path


def test_a_ratio_is_never_rounded_up_to_the_whole() -> None:
    from api.pages import _percent

    assert [_percent(ratio) for ratio in (None, 0.0, 0.9999, 1.0, 95 / 96)] == ["—", "0.0%", "99.9%", "100%", "98.9%"]


@pytest.mark.parametrize(
    ("language", "said"), [("zh", "这个账号不看业务数据"), ("en", "This account reads no division")]
)
def test_who_reads_nothing_is_told_so_on_a_page_and_where_his_work_is(lit: "World", language: str, said: str) -> None:
    headers = lit.token("sec", (Role.SEC_ADMIN, "511825000000"))
    browser = headers | {"Accept": "text/html,*/*", "Accept-Language": language}
    for path in ("/", "/today", "/shift"):
        answer = lit.client.get(path, headers=browser)
        assert (answer.status_code, answer.headers["content-type"][:9]) == (403, "text/html")
        assert said in answer.text
        assert "cuntong audit" in answer.text
    lost = lit.client.get(
        "/d/<b>", headers=lit.token("li", (Role.NOC_OPERATOR, "511825000000")) | {"Accept": "text/html"}
    )
    assert (lost.status_code, "<b>&" in lost.text, "<p>" in lost.text) == (404, False, True)
    program = lit.client.get("/today", headers=headers)
    assert program.headers["content-type"].startswith("application/problem+json")
