"""The baseline on real renderings: a county that is rendered passes it, and each item notices what it is about."""

from collections import Counter
from pathlib import Path

import pytest

from inventory.devices import Device
from inventory.loader import load
from inventory.model import Inventory
from rollout.compliance import BUILT_IN, Baseline, Known, Mark, Result, judge, load_baseline
from rollout.errors import TemplateError
from rollout.facts import Survey
from rollout.intended import Templates
from rollout.platform import Platform

ROOT = Path(__file__).resolve().parents[2]
PLATFORMS = {
    "huawei-vrp": Platform.VRP,
    "h3c-comware": Platform.COMWARE,
    "ruijie-rgos": Platform.RGOS,
    "linux-router": Platform.FRR,
}
KNOWN = Known(saved=True, backup_age_s=3600.0, version=None, approved=None)
ONE_OF_EACH = {
    Platform.VRP: "tq-chengxiang-xuyu-cpe1",
    Platform.COMWARE: "tq-jingxin-cpe1",
    Platform.RGOS: "tq-sijing-shuzi-cpe1",
}


@pytest.fixture(scope="module")
def county() -> Inventory:
    return load(ROOT / "inventory" / "examples" / "tianquan")


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return load_baseline(BUILT_IN)


@pytest.fixture(scope="module")
def rendered(county: Inventory) -> dict[str, tuple[Device, Platform, str]]:
    templates = Templates(ROOT / "playbooks" / "templates")
    return {
        device.id: (device, PLATFORMS[device.profile], templates.render(county, device, PLATFORMS[device.profile]))
        for device in county.devices
        if device.profile in PLATFORMS
    }


def judged(
    baseline: Baseline, county: Inventory, device: Device, platform: Platform, text: str, known: Known = KNOWN
) -> dict[str, Result]:
    return {one.item: one for one in judge(baseline, platform, text, Survey(county).facts(device), known)}


def test_every_rendered_router_passes_its_own_baseline(
    baseline: Baseline, county: Inventory, rendered: dict[str, tuple[Device, Platform, str]]
) -> None:
    survey, marks = Survey(county), dict[Platform, Counter[tuple[str, Mark]]]()
    for device, platform, text in rendered.values():
        for one in judge(baseline, platform, text, survey.facts(device), KNOWN):
            assert one.mark is not Mark.FAIL or one.item == "B19", (device.id, one)
            marks.setdefault(platform, Counter())[one.item, one.mark] += 1
    for platform in (Platform.VRP, Platform.COMWARE):
        never = {item for item in baseline.items if not marks[platform][item, Mark.PASS]}
        assert never <= {"B12", "B19"}, platform  # no version is approved; nobody has SM suites on these models
    assert {item for item in baseline.items if not marks[Platform.RGOS][item, Mark.PASS]} <= {"B4", "B12", "B19"}
    assert not marks[Platform.FRR]["B3", Mark.PASS]


@pytest.mark.parametrize(
    ("platform", "item", "gone", "instead"),
    [
        (Platform.VRP, "B3", "password expire 80", "password expire 0"),
        (Platform.VRP, "B4", "block-time 30", "block-time 5"),
        (Platform.VRP, "B9", "clock timezone Beijing add 08:00:00", ""),
        (Platform.VRP, "B14", "dhcp snooping enable", ""),
        (Platform.VRP, "B16", " traffic-filter inbound acl 3001", ""),
        (Platform.VRP, "B16", "deny ip", "permit ip"),
        (Platform.VRP, "B16", "acl number 3001", "acl number 3009"),
        (Platform.VRP, "B17", "nqa test-instance", "nqa-server"),
        (Platform.VRP, "B17", "description TO:", "description to "),
        (Platform.COMWARE, "B3", "password-control enable", ""),
        (Platform.COMWARE, "B3", "password-control aging 80", "undo password-control aging enable"),
        (Platform.COMWARE, "B4", "lock-time 30", "lock-time 1"),
        (Platform.COMWARE, "B9", "add 08:00:00", "add 07:00:00"),
        (Platform.COMWARE, "B14", "arp source-mac filter", ""),
        (Platform.COMWARE, "B16", " packet-filter 3001 inbound", ""),
        (Platform.COMWARE, "B17", "nqa entry", "nqa template"),
        (Platform.RGOS, "B3", "min-size 8", "min-size 6"),
        (Platform.RGOS, "B9", "clock timezone Beijing 8 0", ""),
        (Platform.RGOS, "B14", "ip dhcp snooping", ""),
        (Platform.RGOS, "B16", " ip access-group 110 in", ""),
        (Platform.RGOS, "B16", "deny ip any any", "permit ip any any"),
        (Platform.RGOS, "B17", "ip rns ", "ip sla "),
    ],
)
def test_an_item_fails_where_its_line_is_gone(
    baseline: Baseline,
    county: Inventory,
    rendered: dict[str, tuple[Device, Platform, str]],
    platform: Platform,
    item: str,
    gone: str,
    instead: str,
) -> None:
    device, own, text = rendered[ONE_OF_EACH[platform]]
    assert own is platform
    assert gone in text
    before = judged(baseline, county, device, platform, text)
    after = judged(baseline, county, device, platform, text.replace(gone, instead))
    assert before[item].mark is Mark.PASS
    assert after[item].mark is Mark.FAIL
    assert after[item].evidence


def test_what_a_platform_cannot_be_judged_on_says_why(
    baseline: Baseline, county: Inventory, rendered: dict[str, tuple[Device, Platform, str]]
) -> None:
    device, platform, text = next(one for one in rendered.values() if one[1] is Platform.FRR)
    results = judged(baseline, county, device, platform, text)
    for item in ("B3", "B4", "B9", "B14", "B16"):
        assert results[item].mark is Mark.NOT_APPLICABLE
        assert "system's" in results[item].evidence
    core = rendered["tq-center-core1"]
    assert judged(baseline, county, *core)["B16"] == Result(
        "B16", baseline.items["B16"].title, Mark.NOT_APPLICABLE, "no line upward"
    )


def test_a_line_over_the_internet_lets_only_its_hub_in(
    county: Inventory, rendered: dict[str, tuple[Device, Platform, str]]
) -> None:
    survey, seen = Survey(county), set()
    hub = str(county.county.network.ipsec.hub) if county.county.network and county.county.network.ipsec else ""
    for device, platform, text in rendered.values():
        if platform is Platform.FRR or not any(up.link_type == "ipsec_inet" for up in survey.facts(device).uplinks):
            continue
        seen.add(platform)
        name = {"vrp": "acl number 3002", "comware": "acl advanced 3002"}.get(platform, "ip access-list extended 111")
        lines = text.split(f"{name}\n")[1].split("#" if platform is not Platform.RGOS else "!")[0].splitlines()
        permits = [line for line in lines if " permit " in line]
        assert permits
        assert all(hub in line or " 68" in line for line in permits)
        assert " deny ip" in lines[-1]
    assert Platform.VRP in seen


@pytest.mark.parametrize(
    "text", ["name: x\n", "name: x\nversion: '1'\ntitle: t\nitems: {B1: {title: t, zh: z, vrp: {every: []}}}\n", "{"]
)
def test_a_document_that_is_no_baseline_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.yml"
    path.write_text(text)
    with pytest.raises(TemplateError, match=r"own\.yml is no baseline"):
        load_baseline(path)
