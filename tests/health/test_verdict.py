"""Who failed: a table of cases, each as a NOC would tell it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health.outage import Scope
from health.verdict import Blame, Case, Clue, Finding, Port, Return, Sign, as_text, blame, clues_of

SITE, UPLINK, DEVICE = Scope.SITE, Scope.UPLINK, Scope.DEVICE
DOWN, UP = Port("agg1", "Gi0/1.11", False, 100.0), Port("agg1", "Gi0/1.11", True, 100.0)


def back(device: str, restarted: bool) -> Return:
    return Return(device, device.startswith("cpe"), restarted, 90.0)


SAID_BATTERY = Finding(Blame.POWER, (Clue(Sign.ON_BATTERY, {"device": "ups1", "at": 90.0}),))
SAID_PORT = Finding(Blame.LINE, (Clue(Sign.PORT_DOWN, {"device": "agg1", "port": "Gi0/1.11", "at": 90.0}),))

CASES = [
    pytest.param(Case(SITE), Blame.UNKNOWN, [Sign.NOTHING_MEASURED], id="dark, and nothing else is known"),
    pytest.param(
        Case(SITE, battery=("ups1", 90.0), port=DOWN), Blame.POWER, [Sign.ON_BATTERY, Sign.PORT_DOWN],
        id="the UPS ran on battery before it fell silent",
    ),
    pytest.param(Case(SITE, port=DOWN), Blame.LINE, [Sign.PORT_DOWN], id="the port above is down"),
    pytest.param(
        Case(SITE, port=UP, link_type="fiber_p2p"), Blame.CPE, [Sign.PORT_UP], id="light arrives from a mute router"
    ),
    pytest.param(
        Case(SITE, port=UP, link_type="mstp"), Blame.UNKNOWN, [Sign.PORT_UP],
        id="up towards the carrier's box proves nothing",
    ),
    pytest.param(
        Case(SITE, light=("cpe1", -31.5)), Blame.LINE, [Sign.WEAK_LIGHT], id="the light had faded before"
    ),
    pytest.param(Case(SITE, light=("cpe1", -12.0)), Blame.UNKNOWN, [Sign.NOTHING_MEASURED], id="the light was good"),
    pytest.param(
        Case(SITE, signal=("cpe1", -118.0)), Blame.LINE, [Sign.WEAK_SIGNAL], id="at the edge of the radio cell"
    ),
    pytest.param(
        Case(SITE, carrier="telecom", companions=3), Blame.LINE, [Sign.TOGETHER], id="three of one carrier at once"
    ),
    pytest.param(
        Case(SITE, carrier="telecom", companions=2), Blame.UNKNOWN, [Sign.NOTHING_MEASURED], id="two may be chance"
    ),
    pytest.param(
        Case(UPLINK, beneath=12), Blame.AGGREGATION, [Sign.BENEATH], id="a township is silent, the core answers"
    ),
    pytest.param(
        Case(UPLINK, beneath=12, port=DOWN), Blame.LINE, [Sign.PORT_DOWN, Sign.BENEATH],
        id="a township's line, by the core's port",
    ),
    pytest.param(
        Case(UPLINK, beneath=12, port=UP, link_type="fiber_p2p"), Blame.AGGREGATION, [Sign.PORT_UP, Sign.BENEATH],
        id="a township's node, by the light that still arrives",
    ),
    pytest.param(
        Case(DEVICE, neighbours=2), Blame.DEVICE, [Sign.NEIGHBOURS_ANSWER], id="one kiosk alone"
    ),
    pytest.param(
        Case(Scope.LAN, silent_neighbours=3), Blame.LAN, [Sign.TERMINALS_SILENT],
        id="every terminal silent while the router answers",
    ),
    pytest.param(
        Case(Scope.LAN, returned=[back("kiosk1", False), back("prt1", True)]), Blame.LAN, [Sign.KEPT_RUNNING],
        id="the kiosk ran through it: it was cut off",
    ),
    pytest.param(
        Case(Scope.LAN, returned=[back("kiosk1", True), back("prt1", True)]), Blame.POWER,
        [Sign.RESTARTED, Sign.RESTARTED], id="all terminals started again: their socket was dead",
    ),
    pytest.param(
        Case(DEVICE, neighbours=2, silent_neighbours=1), Blame.DEVICE, [Sign.NEIGHBOURS_ANSWER],
        id="two of three are not the LAN",
    ),
    pytest.param(Case(DEVICE), Blame.DEVICE, [Sign.NOTHING_MEASURED], id="the only terminal of its site"),
    pytest.param(Case(DEVICE, router=True), Blame.CPE, [Sign.NOTHING_MEASURED], id="one of two routers"),
    pytest.param(
        Case(DEVICE, returned=[back("kiosk1", True)]), Blame.DEVICE, [Sign.RESTARTED], id="the kiosk was restarted"
    ),
    pytest.param(
        Case(DEVICE, returned=[back("kiosk1", False)]), Blame.LAN, [Sign.KEPT_RUNNING],
        id="the kiosk ran all the time: its cable",
    ),
    pytest.param(
        Case(SITE, returned=[back("cpe1", False)], opening=SAID_PORT), Blame.LINE, [Sign.KEPT_RUNNING, Sign.PORT_DOWN],
        id="uptime longer than the silence: the line was cut",
    ),
    pytest.param(
        Case(SITE, returned=[back("cpe1", False)], opening=SAID_BATTERY), Blame.LINE, [Sign.KEPT_RUNNING],
        id="the UPS held, so the line it was",
    ),
    pytest.param(
        Case(SITE, returned=[back("cpe1", True)], opening=SAID_BATTERY), Blame.POWER,
        [Sign.ON_BATTERY, Sign.RESTARTED], id="the battery ran out",
    ),
    pytest.param(
        Case(SITE, returned=[back("cpe1", True), back("kiosk1", True)], opening=SAID_PORT), Blame.POWER,
        [Sign.RESTARTED, Sign.RESTARTED], id="everything was restarted: the power",
    ),
    pytest.param(
        Case(SITE, returned=[back("cpe1", True), back("kiosk1", False)], silent_s=3600.0), Blame.CPE,
        [Sign.RESTARTED, Sign.KEPT_RUNNING], id="the router alone was restarted",
    ),
    pytest.param(
        Case(UPLINK, returned=[back("cpe1", True), back("kiosk1", False)]), Blame.AGGREGATION,
        [Sign.RESTARTED, Sign.KEPT_RUNNING], id="the node alone was restarted",
    ),
    pytest.param(
        Case(SITE, returned=[back("cpe1", True)], silent_s=120.0), Blame.CPE, [Sign.RESTARTED],
        id="a lone router, back within two minutes: it crashed",
    ),
    pytest.param(
        Case(SITE, returned=[back("cpe1", True)], silent_s=3600.0), Blame.POWER, [Sign.RESTARTED],
        id="a lone router, away for an hour: no power",
    ),
    pytest.param(
        Case(SITE, returned=[back("kiosk1", True)], opening=SAID_PORT), Blame.LINE, [Sign.RESTARTED, Sign.PORT_DOWN],
        id="a router without a clock changes nothing",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("case", "verdict", "signs"), CASES)
def test_each_case_has_its_verdict_and_the_clues_for_it(case: Case, verdict: Blame, signs: list[Sign]) -> None:
    found = blame(case)
    assert (found.blame, [clue.sign for clue in found.clues]) == (verdict, signs)


ports = st.none() | st.builds(Port, st.just("agg1"), st.just("p"), st.booleans(), st.floats(0, 1e9))
cases = st.builds(
    Case,
    st.sampled_from(Scope),
    router=st.booleans(),
    link_type=st.sampled_from(["", "fiber_p2p", "pon", "vpdn"]),
    port=ports,
    battery=st.none() | st.just(("ups1", 1.0)),
    light=st.none() | st.tuples(st.just("cpe1"), st.floats(-40, 5)),
    signal=st.none() | st.tuples(st.just("cpe1"), st.floats(-140, -40)),
    companions=st.integers(0, 9),
    beneath=st.integers(0, 99),
    neighbours=st.integers(0, 3),
    returned=st.lists(st.builds(back, st.sampled_from(["cpe1", "kiosk1"]), st.booleans()), max_size=4),
    silent_s=st.floats(0, 1e6),
)


@given(cases)
def test_no_verdict_comes_without_a_clue_and_clues_survive_the_ledger(case: Case) -> None:
    found = blame(case)
    assert found.clues
    assert clues_of(as_text(found.clues)) == found.clues


@given(cases)
def test_unknown_is_said_only_of_sites_of_which_nothing_tells(case: Case) -> None:
    if blame(case).blame is Blame.UNKNOWN:
        assert case.scope in (Scope.SITE, Scope.LINE)
        if case.scope is Scope.LINE:
            assert case.own_port is None or (case.port is not None and case.port.up)
            return
        assert case.battery is None
        assert not any(one.router for one in case.returned)
