from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.county import County
from simulator.errors import SimulationError
from simulator.faults import PaperOut, PowerCut, Silent, UplinkCut
from simulator.scenario import Player, Scenario, Step, built_in, load, parse


def test_the_built_in_scenarios_can_be_read() -> None:
    assert built_in() == ("calm", "demo", "power-cut", "township-uplink")
    assert load("calm").steps == ()
    assert [step.fault.name for step in load("demo").steps] == [
        "power_cut", "silent", "paper_out", "peripheral_fault"
    ]  # fmt: skip
    assert load("township-uplink").steps == (Step(0, UplinkCut("511825101000")),)


def test_a_scenario_lets_things_happen_and_end_in_their_time(
    county: County, silent_ids: Callable[[], set[str]]
) -> None:
    player = Player(
        parse(
            "t",
            [
                {"at": 10, "fault": "power_cut", "target": "hill", "until": 30},
                {"fault": "silent", "target": "reed/kiosk1"},
                {"at": 30, "fault": "paper_out", "target": "reed/prt1"},
            ],
        ),
        county,
    )
    assert player.advance(0) == 10
    assert silent_ids() == {"reed-kiosk1"}
    assert player.advance(9.9) == 10
    assert player.advance(10) == 30
    assert silent_ids() == {"reed-kiosk1", "hill-cpe1", "hill-kiosk1"}
    assert player.advance(31) is None
    assert county.faults == (Silent("reed/kiosk1"), PaperOut("reed/prt1"))


def test_what_somebody_cleared_by_hand_need_not_end_again(county: County) -> None:
    player = Player(Scenario("t", (Step(0, PowerCut("hill"), 5),)), county)
    player.advance(0)
    county.clear("hill")
    assert player.advance(6) is None


def test_at_one_moment_the_end_of_a_fault_comes_before_the_next_begins(county: County) -> None:
    player = Player(Scenario("t", (Step(0, PowerCut("hill"), 5), Step(5, PowerCut("hill")))), county)
    player.advance(0)
    player.advance(5)
    assert county.faults == (PowerCut("hill"),)


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"at": 1}, "a scenario is a list of steps"),
        ("power_cut", "a scenario is a list of steps"),
        (["power_cut"], "step 1: a step is a mapping with at, fault and target"),
        ([{"at": -1, "fault": "silent", "target": "x"}], "step 1: at: -1 is no number of seconds"),
        ([{"at": 5, "until": 5, "fault": "silent", "target": "x"}], "step 1: until 5 is not after at 5"),
        ([{"at": 0, "fault": "sleepy", "target": "x"}], "step 1: fault 'sleepy' is none of"),
        ([{"fault": "silent", "target": "x"}, {"fault": "silent"}], "step 2: silent: no target"),
    ],
)
def test_a_wrong_scenario_is_refused_with_the_step_named(plain: object, message: str) -> None:
    with pytest.raises(SimulationError) as refusal:
        parse("t", plain)
    assert message in str(refusal.value)


def test_a_scenario_for_another_county_is_refused_before_anything_happens(county: County) -> None:
    with pytest.raises(SimulationError) as refusal:
        Player(parse("t", [{"fault": "power_cut", "target": "hill"}, {"fault": "silent", "target": "hil"}]), county)
    assert str(refusal.value).startswith("scenario t, step 2: site or device 'hil' is not in this county. Did you mean")
    assert county.faults == ()


def test_a_file_is_a_scenario_too_and_a_misspelt_name_finds_its_neighbour(tmp_path: Path) -> None:
    path = tmp_path / "storm.yml"
    path.write_text("- {at: 3, fault: power_cut, target: hill}\n")
    assert load(path) == Scenario("storm", (Step(3, PowerCut("hill")),))
    with pytest.raises(SimulationError, match=r"there is no scenario 'powercut'\. Did you mean power-cut\?"):
        load("powercut")
    path.write_text("- {at: 3, fault: [")
    with pytest.raises(SimulationError, match=r"storm\.yml: not readable as YAML"):
        load(path)
