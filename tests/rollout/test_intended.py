"""Intended configurations: golden files for every platform and kind of line; what cannot be rendered says where.

`REWRITE_GOLDEN=1 make test ARGS=tests/rollout/test_intended.py` writes the golden files anew: review them as a diff.
"""

import os
import re
import shutil
from pathlib import Path

import pytest

from inventory.devices import Device
from inventory.loader import load
from inventory.model import Inventory
from rollout.errors import TemplateError
from rollout.intended import Templates
from rollout.platform import Platform

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "inventory" / "examples" / "tianquan"
TEMPLATES = ROOT / "playbooks" / "templates"
GOLDEN = Path(__file__).parent / "golden"
PLATFORMS = {
    "huawei-vrp": Platform.VRP,
    "h3c-comware": Platform.COMWARE,
    "ruijie-rgos": Platform.RGOS,
    "linux-router": Platform.FRR,
}
SHOWN = [
    "tq-center-core1",
    "tq-chengxiang-agg1",
    "tq-chengxiang-xuyu-cpe1",
    "tq-chengxiang-shaba-cpe1",
    "tq-chengxiang-wenjing-cpe1",
    "tq-fagai-cpe1",
    "tq-shiyang-agg1",
    "tq-shiyang-polin-cpe1",
    "tq-shiyang-xingzhong-cpe1",
    "tq-jingxin-cpe1",
    "tq-sijing-agg1",
    "tq-sijing-shuzi-cpe1",
    "tq-chengxiang-juncheng-cpe1",
    "tq-xinchang-agg1",
    "tq-chengxiang-maxi-cpe1",
]


@pytest.fixture(scope="module")
def county() -> Inventory:
    return load(EXAMPLE)


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates(TEMPLATES)


def routers(county: Inventory) -> list[Device]:
    return [device for device in county.devices if device.profile in PLATFORMS]


@pytest.mark.parametrize("what", ["router", "bootstrap"])
@pytest.mark.parametrize("name", SHOWN)
def test_what_a_router_should_say_is_what_was_reviewed(
    county: Inventory, templates: Templates, name: str, what: str
) -> None:
    device = county.devices.find(name)
    text = templates.render(county, device, PLATFORMS[device.profile], what)
    golden = GOLDEN / f"{name}.{what}.txt"
    if os.environ.get("REWRITE_GOLDEN"):
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")


def test_every_router_of_the_county_is_rendered_with_its_own_addresses(county: Inventory, templates: Templates) -> None:
    chosen = routers(county)
    assert len(chosen) == 143
    for device in chosen:
        text = templates.render(county, device, PLATFORMS[device.profile])
        assert device.id in text
        assert device.address in text
        for _, network in county.p2p(device.ordinal):
            assert str(network.network_address + 1) in text
            assert str(network.network_address + 2) in text


def test_both_ends_of_every_line_are_in_one_prefix_and_carry_each_other_s_name(
    county: Inventory, templates: Templates
) -> None:
    """The upper end's subinterface names the lower router, and the lower one's port the upper router."""
    texts = {d.id: templates.render(county, d, PLATFORMS[d.profile]) for d in routers(county)}
    for device in routers(county):
        for above, _ in county.p2p(device.ordinal):
            parent = county.devices[above]
            assert f"TO:{parent.id}|" in texts[device.id]
            assert f"TO:{device.id}|" in texts[parent.id]


def test_a_parent_routes_every_site_below_it_and_nothing_twice(county: Inventory, templates: Templates) -> None:
    core = county.devices.find("tq-center-core1")
    text = templates.render(county, core, Platform.VRP)
    routes = re.findall(r"^ip route-static .*$", text, re.M)
    assert len(routes) == len(set(routes))
    below = {device.address for device in routers(county)} - {
        county.devices.find(f"tq-center-core{n}").address for n in (1, 2)
    }
    assert {route.split()[2] for route in routes if "vpn-instance" not in route} == below


def test_no_secret_is_rendered_only_references(county: Inventory, templates: Templates) -> None:
    for device in routers(county):
        for what in ("router", "bootstrap"):
            text = templates.render(county, device, PLATFORMS[device.profile], what)
            for line in text.splitlines():
                if re.search(
                    r"password (?!-|policy|expire|retry)|cipher|simple (?!auth)|pre-shared-key|enable secret", line
                ):
                    assert "secret://" in line or "irreversible" in line or "Authorized" in line, line


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("sysname {{ hostnam }}\n", r"vrp/access\.j2:1: .*'hostnam' is undefined"),
        ("\n\nsysname {{ hostname }\n", r"vrp/access\.j2:3: unexpected '}'"),
        ("{% include 'vrp/none.j2' %}\n", r"no template vrp/none\.j2"),
        ("sysname a?b\n", r"line 1 of what it renders holds '\?'"),
    ],
)
def test_a_template_with_a_mistake_is_refused_with_its_file_and_line(
    county: Inventory, tmp_path: Path, template: str, said: str
) -> None:
    (tmp_path / "vrp").mkdir()
    (tmp_path / "vrp" / "access.j2").write_text(template)
    with pytest.raises(TemplateError, match=said):
        Templates(TEMPLATES, tmp_path).render(county, county.devices.find("tq-center-core1"), Platform.VRP)


def test_an_operator_s_own_template_comes_before_ours_and_changes_the_hash(county: Inventory, tmp_path: Path) -> None:
    (tmp_path / "vrp").mkdir()
    (tmp_path / "vrp" / "access.j2").write_text("sysname own-{{ hostname }}\n")
    own = Templates(TEMPLATES, tmp_path)
    assert "sysname own-tq-center-core1\n" in own.render(county, county.devices.find("tq-center-core1"), Platform.VRP)
    assert own.content_hash != Templates(TEMPLATES).content_hash


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("village: v-ar pon telecom", "village: v-ar sslvpn telecom", "no template knows lines of type sslvpn"),
        ("cellular: Cellular0/0/0", "downlink: GigabitEthernet0/0/4", "a vpdn line needs `cellular`"),
        (
            "uplinks: [GigabitEthernet0/0/0, GigabitEthernet0/0/1], lan",
            "uplinks: [GigabitEthernet0/0/0], lan",
            "2 lines",
        ),
        (
            "\n    ports: {uplinks: [GigabitEthernet0/0/0, GigabitEthernet0/0/1], lan: [GigabitEthernet0/0/2,",
            None,
            "ports",
        ),
    ],
    ids=["a line nobody knows", "no cellular port", "too few ports", "no ports"],
)
def test_an_inventory_that_does_not_say_enough_is_refused_by_device(
    tmp_path: Path, old: str, new: str | None, said: str
) -> None:
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    changed = 0
    for path in (tmp_path / "county.yml", tmp_path / "sites" / "chengxiang.yml"):
        text = path.read_text("utf-8")
        told = (
            text.replace(old, new) if new is not None else re.sub(r"(ar651: [^\n]*),\n    ports: [^\n]*", r"\1}", text)
        )
        changed += told != text
        path.write_text(told, "utf-8")
    assert changed == 1
    county = load(tmp_path)
    templates = Templates(TEMPLATES)
    with pytest.raises(TemplateError, match=said):
        _ = [templates.render(county, device, PLATFORMS[device.profile]) for device in routers(county)]
