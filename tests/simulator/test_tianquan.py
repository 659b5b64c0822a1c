"""The demo county, made to answer."""

from collections import Counter
from pathlib import Path

import pytest

from inventory.loader import load as load_inventory
from simulator.county import County, Graph, from_inventory
from simulator.faults import PowerCut
from simulator.scenario import Player, load
from simulator.snmp_agent import Agent

REPO = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def graph() -> Graph:
    return from_inventory(load_inventory(REPO / "inventory" / "examples" / "tianquan"))


def test_every_device_of_the_inventory_is_in_the_graph_under_its_own_name(graph: Graph) -> None:
    inventory = load_inventory(REPO / "inventory" / "examples" / "tianquan")
    assert len(graph) == len(inventory.devices) == 375
    for terminal, device in zip(graph.terminals, inventory.devices, strict=True):
        assert (terminal.ordinal, terminal.device_id, terminal.uplinks) == (device.ordinal, device.id, device.uplinks)
        assert terminal.site_id == inventory.sites.ids[device.site]
        assert terminal.place == inventory.sites.names[device.site]
    assert graph.sites[graph.codes["511825101000"]] == inventory.devices.ordinals(
        inventory.sites.own(inventory.nodes.find("511825101"))[0]
    )


def test_every_device_has_a_personality_of_its_profile(graph: Graph) -> None:
    agent = Agent(County(graph, lambda: 0.0))
    kinds = [agent.personality(terminal.ordinal) for terminal in graph.terminals]
    assert [kind.profile for kind in kinds] == [terminal.profile for terminal in graph.terminals]
    count = Counter(kind.name for kind in kinds)
    assert (count["linux-kiosk"], count["printer-mib"]) == (126, 106)
    assert count["h3c-comware"] > count["h3c-comware-compatible"] > 0
    for kind, terminal in zip(kinds, graph.terminals, strict=True):
        if kind.profile in ("huawei-vrp", "h3c-comware", "ruijie-rgos"):
            assert terminal.model in kind.models, "the demo's models should not fall back to another device's name"


@pytest.mark.parametrize(
    ("name", "devices", "sites"),
    [
        pytest.param("calm", 0, 0, id="calm"),
        pytest.param("power-cut", 3, 1, id="one village dark"),
        pytest.param("township-uplink", 59, 19, id="始阳镇: its centre and 18 villages"),
        pytest.param("demo", 4, 2, id="demo: a dark village and a silent kiosk"),
    ],
)
def test_the_built_in_scenarios_do_what_they_promise(graph: Graph, name: str, devices: int, sites: int) -> None:
    county = County(graph, lambda: 0.0)
    Player(load(name), county).advance(0)
    silent = [terminal for terminal in graph.terminals if county.silent(terminal.ordinal)]
    assert len(silent) == devices
    assert len({terminal.site_id for terminal in silent}) == sites


def test_the_demo_has_one_fault_of_each_kind_that_answers(graph: Graph) -> None:
    county = County(graph, lambda: 0.0)
    Player(load("demo"), county).advance(0)
    told = [
        (t.device_class, *sorted(county.conditions(t.ordinal))) for t in graph.terminals if county.conditions(t.ordinal)
    ]
    assert sorted(told) == [("kiosk", "no_camera"), ("printer", "paper_out")]


def test_a_dark_county_centre_hides_everything(graph: Graph) -> None:
    county = County(graph, lambda: 0.0)
    county.inject(PowerCut("511825"))
    assert all(county.silent(ordinal) for ordinal in range(len(graph)))
