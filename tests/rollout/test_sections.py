"""Sections of a template: all of them together are the whole, and an adopted router gets those that were taken over."""

import dataclasses
from pathlib import Path

import pytest

from inventory.loader import load
from inventory.model import Inventory
from inventory.vocabulary import SECTIONS
from rollout.errors import TemplateError
from rollout.intended import Templates
from rollout.platform import Platform
from rollout.sections import chosen

ROOT = Path(__file__).resolve().parents[2]
ROUTERS = [
    ("tq-chengxiang-xuyu-cpe1", Platform.VRP),
    ("tq-shiyang-agg1", Platform.COMWARE),
    ("tq-sijing-shuzi-cpe1", Platform.RGOS),
    ("tq-jingxin-cpe1", Platform.FRR),
]


@pytest.fixture(scope="module")
def county() -> Inventory:
    return load(ROOT / "inventory" / "examples" / "tianquan")


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates(ROOT / "playbooks" / "templates")


@pytest.mark.parametrize(("name", "platform"), ROUTERS)
def test_the_sections_are_disjoint_and_together_the_whole(
    county: Inventory, templates: Templates, name: str, platform: Platform
) -> None:
    device = county.devices.find(name)
    whole = templates.render(county, device, platform).splitlines()
    parts = [
        templates.render(county, dataclasses.replace(device, managed=(section,)), platform).splitlines()
        for section in SECTIONS
    ]
    # A probe that starts in a zone needs the zones: alone it starts at the router itself.
    said = sorted(line for part in parts for line in part if "source" not in line and "vpn-instance" not in line)
    assert said == sorted(line for line in whole if "source" not in line and "vpn-instance" not in line)
    assert not any(line.startswith("!!") for line in whole)
    assert templates.render(county, dataclasses.replace(device, managed=()), platform) == ""


@pytest.mark.parametrize(
    ("managed", "said"),
    [
        pytest.param(None, "a\nb\nc\nd\n", id="everything"),
        pytest.param((), "", id="nothing"),
        pytest.param(("snmp",), "b\nd\n", id="a section in two pieces"),
        pytest.param(("network",), "a\n", id="what stands before the first mark"),
    ],
)
def test_what_is_managed_is_what_is_rendered(managed: tuple[str, ...] | None, said: str) -> None:
    text = "a\n!! section snmp\nb\n!! section time\nc\n!! section snmp\nd\n"
    assert chosen(text, managed, "vrp/router.j2") == said


def test_a_mark_that_names_no_section_is_refused_with_its_line() -> None:
    with pytest.raises(TemplateError, match=r"own/router\.j2: line 2 .*'snpm'"):
        chosen("a\n!! section snpm\n", None, "own/router.j2")


def test_sections_other_than_the_network_ask_nothing_of_lines_that_the_inventory_cannot_say(
    county: Inventory, templates: Templates
) -> None:
    device = dataclasses.replace(county.devices.find("tq-chengxiang-agg1"), model="kiosk-uos")
    time = dataclasses.replace(device, managed=("time", "probe"))
    assert "ntp-service unicast-server 10.126.12.11" in templates.render(county, time, Platform.VRP)
    with pytest.raises(TemplateError, match="has no `ports`"):
        templates.render(county, dataclasses.replace(device, managed=("network",)), Platform.VRP)
