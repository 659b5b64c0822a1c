from collections.abc import Callable, Mapping
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.county import County, Graph, Terminal
from simulator.errors import SimulationError
from simulator.faults import FAULTS, Fault, PaperOut, PeripheralFault, PowerCut, Reboot, Silent, UplinkCut, fault_from


class HandClock(Protocol):
    now: float


EAST = {"east-cpe1", "east-kiosk1"}
REED = {"reed-cpe1", "reed-kiosk1", "reed-prt1"}
WEST = {"west-cpe1"}
HILL = {"hill-cpe1", "hill-kiosk1"}
FORD = {"ford-cpe1", "ford-kiosk1", "ford-ups1"}
CORE = {"core-a1", "core-a2"}
ALL = CORE | EAST | REED | WEST | HILL | FORD


@pytest.mark.parametrize(
    ("faults", "silent"),
    [
        pytest.param([], set(), id="all answer when nothing is wrong"),
        pytest.param([{"fault": "power_cut", "target": "reed"}], REED, id="a village without power is silent"),
        pytest.param([{"fault": "power_cut", "target": "510001100201"}], REED, id="a code means its site"),
        pytest.param(
            [{"fault": "power_cut", "target": "east"}], EAST | REED, id="a township without power hides its villages"
        ),
        pytest.param(
            [{"fault": "uplink_cut", "target": "510001100"}], EAST | REED, id="a cut line hides a site and all beneath"
        ),
        pytest.param(
            [{"fault": "uplink_cut", "target": "east"}, {"fault": "uplink_cut", "target": "west"}],
            EAST | REED | WEST | HILL | FORD,
            id="two lines are lost only when both are",
        ),
        pytest.param([{"fault": "uplink_cut", "target": "ford"}], FORD, id="an uplink cut takes all lines of a site"),
        pytest.param(
            [{"fault": "uplink_cut", "target": "ford", "towards": "east"}], set(), id="one line of two is not missed"
        ),
        pytest.param(
            [
                {"fault": "uplink_cut", "target": "ford", "towards": "510001100"},
                {"fault": "uplink_cut", "target": "ford", "towards": "west-cpe1"},
            ],
            FORD,
            id="one line after the other is missed",
        ),
        pytest.param(
            [{"fault": "uplink_cut", "target": "ford", "towards": "east"}, {"fault": "power_cut", "target": "west"}],
            WEST | HILL | FORD,
            id="one line cut and the other parent dark",
        ),
        pytest.param(
            [{"fault": "lan_cut", "target": "ford"}], FORD - {"ford-cpe1"}, id="a dead switch hides what hangs on it"
        ),
        pytest.param([{"fault": "lan_cut", "target": "core"}], set(), id="a site of routers has no terminals to lose"),
        pytest.param([{"fault": "silent", "target": "east-cpe1"}], {"east-cpe1"}, id="a mute agent still forwards"),
        pytest.param([{"fault": "silent", "target": "reed/kiosk1"}], {"reed-kiosk1"}, id="a device by site and role"),
        pytest.param(
            [{"fault": "silent", "target": "510001101201/kiosk1"}], {"hill-kiosk1"}, id="a device by code and role"
        ),
        pytest.param([{"fault": "silent", "target": "hill"}], HILL, id="every agent of a site mute"),
        pytest.param([{"fault": "power_cut", "target": "core"}], ALL, id="without the core nothing is heard"),
        pytest.param([{"fault": "uplink_cut", "target": "core"}], ALL, id="the line above the core"),
        pytest.param([{"fault": "paper_out", "target": "reed-prt1"}], set(), id="a printer without paper answers"),
    ],
)
def test_faults_silence_exactly_who_depends_on_what_broke(
    county: County, silent_ids: Callable[[], set[str]], faults: list[Mapping[str, object]], silent: set[str]
) -> None:
    for plain in faults:
        county.inject(fault_from(plain))
    assert silent_ids() == silent
    for fault in county.faults:
        county.clear(fault)
    assert silent_ids() == set()


def test_a_mute_router_with_a_dark_neighbour_still_forwards(county: County, silent_ids: Callable[[], set[str]]) -> None:
    county.inject(Silent("east"))
    county.inject(PowerCut("west"))
    assert silent_ids() == EAST | WEST | HILL


def test_faults_in_devices_are_conditions_and_add_up(county: County, ordinal: Callable[[str], int]) -> None:
    county.inject(PaperOut("reed"))
    county.inject(fault_from({"fault": "toner_low", "target": "reed-prt1"}))
    county.inject(PeripheralFault("hill/kiosk1", "id_reader"))
    assert county.conditions(ordinal("reed-prt1")) == {"paper_out", "toner_low"}
    assert county.conditions(ordinal("hill-kiosk1")) == {"no_id_reader"}
    assert county.conditions(ordinal("reed-kiosk1")) == set()


def test_clearing_a_target_ends_what_is_wrong_there_and_nothing_else(
    county: County, silent_ids: Callable[[], set[str]]
) -> None:
    for fault in (PaperOut("reed/prt1"), Silent("reed-kiosk1"), PowerCut("hill")):
        county.inject(fault)
    assert county.clear("510001100201") == (PaperOut("reed/prt1"), Silent("reed-kiosk1"))
    assert county.faults == (PowerCut("hill"),)
    assert silent_ids() == HILL


def test_the_same_fault_twice_is_one(county: County) -> None:
    county.inject(PowerCut("hill"))
    county.inject(PowerCut("hill"))
    assert county.faults == (PowerCut("hill"),)


def test_uptime_runs_and_starts_again_after_a_reboot_or_a_power_cut(
    county: County, clock: HandClock, ordinal: Callable[[str], int]
) -> None:
    kiosk = ordinal("hill-kiosk1")
    before = county.uptime_s(kiosk, clock.now)
    assert before > 86_400
    clock.now += 60
    assert county.uptime_s(kiosk, clock.now) == before + 60
    county.inject(Reboot("hill-kiosk1"))
    assert county.faults == ()
    assert county.uptime_s(kiosk, clock.now) == 0
    assert county.uptime_s(ordinal("hill-cpe1"), clock.now) > 86_400
    clock.now += 100
    county.inject(PowerCut("hill"))
    clock.now += 100
    county.clear("hill")
    assert county.uptime_s(kiosk, clock.now) == 0
    assert county.life_s(kiosk, clock.now) == before + 260


def test_losses_add_up_and_delays_too(county: County, ordinal: Callable[[str], int]) -> None:
    county.inject(fault_from({"fault": "lossy", "target": "hill", "ratio": 0.5}))
    county.inject(fault_from({"fault": "lossy", "target": "hill-kiosk1", "ratio": 0.5}))
    county.inject(fault_from({"fault": "slow", "target": "hill", "delay_ms": 250}))
    assert county.troubled(ordinal("hill-cpe1"))
    assert not county.troubled(ordinal("reed-cpe1"))
    assert county.loss(ordinal("hill-kiosk1")) == 0.75
    assert county.delay_s(ordinal("hill-cpe1")) == 0.25


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"fault": "power_cut", "target": "rede"}, "site or device 'rede' is not in this county. Did you mean reed or"),
        ({"fault": "power_cut", "target": "510001100202"}, "Did you mean 510001100201"),
        ({"fault": "silent", "target": "reed/kiosk2"}, "device 'kiosk2' is not in this county. Did you mean kiosk1?"),
        ({"fault": "power_cut", "target": "reed-cpe1"}, "power_cut is about a site; 'reed-cpe1' is a device of reed"),
        ({"fault": "paper_out", "target": "hill"}, "paper_out needs a printer; 'hill' has none"),
        ({"fault": "peripheral_fault", "target": "reed-prt1"}, "peripheral_fault needs a kiosk"),
        ({"fault": "uplink_cut", "target": "hill", "towards": "east"}, "hill has no line there; parent 'east'"),
        ({"fault": "powercut", "target": "reed"}, "fault 'powercut' is none of power_cut, uplink_cut"),
        ({"fault": "power_cut"}, "power_cut: no target"),
        ({"fault": "power_cut", "target": "reed", "until": 3}, "power_cut: no field 'until'; it takes target"),
        ({"fault": "lossy", "target": "reed", "ratio": 2}, "ratio 2.0 is not between 0 and 1"),
        ({"fault": "slow", "target": "reed", "delay_ms": "soon"}, "delay_ms: 'soon' is no number"),
        ({"fault": "peripheral_fault", "target": "hill/kiosk1", "peripheral": "nose"}, "none of camera, id_reader"),
    ],
)
def test_what_the_county_lacks_is_refused_with_what_is_close(
    county: County, plain: Mapping[str, object], message: str
) -> None:
    with pytest.raises(SimulationError) as refusal:
        county.inject(fault_from(plain))
    assert message in str(refusal.value)
    assert county.faults == ()


def test_clearing_what_is_not_there_says_what_is(county: County) -> None:
    county.inject(PowerCut("hill"))
    with pytest.raises(SimulationError, match=r"nothing to clear\. In force: power_cut at hill"):
        county.clear("reed")
    with pytest.raises(SimulationError, match="silent at hill: nothing to clear"):
        county.clear(Silent("hill"))


@pytest.mark.parametrize("kind", FAULTS.values(), ids=FAULTS)
def test_a_fault_survives_its_plain_form(kind: type[Fault]) -> None:
    fault = kind("somewhere")
    assert fault_from(fault.as_plain()) == fault


@given(st.data())
def test_whatever_breaks_and_heals_in_any_order_leaves_a_whole_county(data: st.DataObject) -> None:
    graph = Graph(
        [
            Terminal(
                o,
                f"d{o}",
                f"s{o}",
                "router",
                "x",
                "",
                "",
                "",
                "",
                () if o == 0 else (data.draw(st.integers(0, o - 1)),),
            )
            for o in range(8)
        ]
    )
    county = County(graph, lambda: 0.0)
    faults: st.SearchStrategy[Fault] = st.builds(
        lambda kind, o: kind(f"s{o}"), st.sampled_from([PowerCut, UplinkCut, Silent]), st.integers(0, 7)
    )
    for fault in data.draw(st.lists(faults, max_size=8)):
        county.inject(fault)
    heard = [o for o in range(8) if not county.silent(o)]
    for o in heard:  # whoever is heard has a parent that is powered and connected
        for up in graph.terminals[o].uplinks:
            assert not county.silent(up) or Silent(f"s{up}") in county.faults
    for fault in data.draw(st.permutations(county.faults)):
        county.clear(fault)
    assert not any(county.silent(o) for o in range(8))


def test_a_graph_whose_ordinals_or_uplinks_are_wrong_is_refused() -> None:
    with pytest.raises(ValueError, match="ordinal 1 at position 0"):
        Graph([Terminal(1, "d", "s", "router", "x", "", "", "", "")])
    with pytest.raises(ValueError, match="uplink 7 is no device"):
        Graph([Terminal(0, "d", "s", "router", "x", "", "", "", "", (7,))])


def test_a_hundred_thousand_devices_keep_no_values() -> None:
    graph = Graph(
        [
            Terminal(o, f"d{o}", f"s{o // 3}", "router", "x", "", "", "", "", (o // 4,) if o else ())
            for o in range(100_000)
        ]
    )
    county = County(graph, lambda: 0.0)
    county.inject(PowerCut("s20"))
    beneath = {60, 61, 62}
    for o in range(63, 100_000):
        if o // 4 in beneath:
            beneath.add(o)
    assert {o for o in range(100_000) if county.silent(o)} == beneath
