"""The watch over a small county, judged: what failed, what flaps, what was announced, what is merely switched off."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

import pytest

from collectors.fleet import Fleet, WatchedDevice
from collectors.promises import GRACE_S, Covered
from collectors.watch import Watch
from health.device import DeviceState
from health.flapping import WINDOW_S
from health.maintenance import Reach, Window
from health.outage import Outage, Scope
from health.reading import Interface, Readings, Sensor, Ups
from health.rootcause import Cause
from health.verdict import Blame, Sign, clues_of
from inventory.calendars import Calendar
from inventory.vocabulary import Aspect, Verdict
from ledger.history import SiteVerdict
from ledger.journal import Fact, OutageEvent, SiteEvent, VerdictEvent

# core ── town ── v1 … v4; v4 hangs on town2, too; hall has a kiosk for the office's hours and one for day and night
OFFICE = Calendar.model_validate({"title": "office", "weekly": {"mon-fri": ["09:00-17:00"]}})
SITES = ("core", "town", "town2", "v1", "v2", "v3", "v4", "hall")
UPLINKS = [(), (0,), (0,), (1,), (1,), (1,), (1, 2), (0,)]
ROLES = {"cpe1": "router", "kiosk1": "kiosk", "kiosk2": "kiosk", "prt1": "printer", "ups1": "ups"}
EQUIPMENT = {
    "core": ["cpe1"], "town": ["cpe1"], "town2": ["cpe1"], "v1": ["cpe1", "kiosk1", "prt1", "ups1"],
    "v2": ["cpe1", "kiosk1"], "v3": ["cpe1"], "v4": ["cpe1"], "hall": ["cpe1", "kiosk1", "kiosk2"],
}  # fmt: skip
HOURS = {"hall-kiosk1": 0}
FLEET = Fleet(
    SITES,
    UPLINKS,
    [
        WatchedDevice(
            f"{site}-{role}", number, role, ROLES[role], calendar=HOURS.get(f"{site}-{role}", -1),
            uplink_ports=("ge0", "ge1") if site == "v4" else (),
        )
        for number, site in enumerate(SITES)
        for role in EQUIPMENT[site]
    ],
    [("telecom" if site in ("v1", "v2", "v3") else "unicom", "fiber_p2p") for site in SITES],
    [OFFICE],
)  # fmt: skip
ORDINAL = {device.id: ordinal for ordinal, device in enumerate(FLEET.devices)}
BEGAN = datetime(2026, 11, 19, 10, tzinfo=timezone(timedelta(hours=8))).timestamp()  # a Thursday, in office hours


def port(name: str, up: bool, alias: str | None = None) -> Interface:
    return Interface(name, name, alias, 1, True, up, *[None] * 7)


class Bench:
    """A county that is polled whole, once a minute; every device has a clock that runs from when it was started."""

    def __init__(self) -> None:
        self.now = BEGAN
        self.off: set[str] = set()
        self.facts: list[Fact] = []
        self.extra: dict[str, Readings] = {}
        self.started = dict.fromkeys(ORDINAL, BEGAN - 86_400)
        self.latest: dict[int, Readings | None] = {}
        self.wanted: deque[int] = deque()
        self.watch = self.new_watch()
        self.minute()
        self.facts.clear()

    def new_watch(self) -> Watch:
        return Watch(FLEET, self.facts.append, self.ask, lambda: f"o{self.now}-{len(self.facts)}", self.latest.get)

    def ask(self, devices: Iterable[int]) -> None:
        self.wanted.extend(device for device in devices if device not in self.wanted)

    def heard(self, ordinal: int) -> bool:
        """Whether a device answers: it and its site are on, and some path leads up."""

        def led(site: int) -> bool:
            above = UPLINKS[site]
            return SITES[site] not in self.off and (not above or any(led(uplink) for uplink in above))

        device = FLEET.devices[ordinal]
        return device.id not in self.off and led(device.site)

    def poll(self, ordinal: int) -> None:
        self.now += 0.05
        readings = None
        if self.heard(ordinal):
            id = FLEET.devices[ordinal].id
            given = self.extra.get(id, Readings())
            readings = Readings(
                uptime_seconds=self.now - self.started[id], interfaces=given.interfaces, sensors=given.sensors,
                ups=given.ups,
            )  # fmt: skip
        self.latest[ordinal] = readings
        self.watch.finished(ordinal, readings, self.now)
        self.watch.settle(self.now)

    def minute(self, minutes: int = 1) -> None:
        for _ in range(minutes):
            end = self.now + 60
            for ordinal in ORDINAL.values():
                self.poll(ordinal)
                while self.wanted:
                    self.poll(self.wanted.popleft())
            self.now = max(end, self.now)
            self.watch.settle(self.now)

    def cut(self, *what: str) -> None:
        self.off.update(what)
        self.minute(2)

    def mend(self, *what: str, restarts: Iterable[str] = ()) -> None:
        self.off.difference_update(what)
        self.started.update(dict.fromkeys(restarts, self.now))
        self.minute(2)

    def verdicts(self, node: str) -> list[tuple[str, list[str]]]:
        """Every verdict on the outages of a node, oldest first."""
        ids = {f.outage for f in self.facts if isinstance(f, OutageEvent) and f.node == node}
        return [
            (f.blame, [clue.sign for clue in clues_of(f.clues)])
            for f in self.facts
            if isinstance(f, VerdictEvent) and f.outage in ids
        ]

    def opened(self) -> list[tuple[Scope, str]]:
        return [(f.scope, f.node) for f in self.facts if isinstance(f, OutageEvent) and f.kind == "opened"]

    def events(self, node: str) -> list[str]:
        return [f.kind for f in self.facts if isinstance(f, OutageEvent) and f.node == node]

    def said(self, site: str, aspect: Aspect) -> list[tuple[Verdict, str]]:
        return [
            (f.verdict, f.reason)
            for f in self.facts
            if isinstance(f, SiteEvent) and (f.site, f.aspect) == (site, aspect)
        ]


@pytest.fixture
def bench() -> Bench:
    return Bench()


# -- verdicts -------------------------------------------------------------------------------------------------------


def test_a_power_cut_is_told_by_the_clocks_when_everything_answers_again(bench: Bench) -> None:
    bench.cut("v2")
    assert bench.verdicts("v2") == [(Blame.UNKNOWN, [Sign.NOTHING_MEASURED])]
    bench.mend("v2", restarts=["v2-cpe1", "v2-kiosk1"])
    assert bench.verdicts("v2")[-1] == (Blame.POWER, [Sign.RESTARTED, Sign.RESTARTED])


def test_a_cut_line_is_told_by_clocks_that_ran_through_it(bench: Bench) -> None:
    bench.cut("v2")
    bench.mend("v2")
    assert bench.verdicts("v2")[-1] == (Blame.LINE, [Sign.KEPT_RUNNING, Sign.KEPT_RUNNING])


def test_a_router_that_was_restarted_alone_is_told_from_a_power_cut(bench: Bench) -> None:
    bench.cut("v2")
    bench.mend("v2", restarts=["v2-cpe1"])
    assert bench.verdicts("v2")[-1][0] == Blame.CPE


def test_the_port_of_the_router_above_tells_of_the_line_at_once(bench: Bench) -> None:
    bench.extra["town-cpe1"] = Readings(interfaces=(port("Gi0/1.3", False, "TO:v3-cpe1|fiber_p2p|100M"),))
    bench.cut("v3")
    assert bench.verdicts("v3") == [(Blame.LINE, [Sign.PORT_DOWN])]


def test_a_port_that_is_up_over_dark_fibre_leaves_the_router(bench: Bench) -> None:
    bench.extra["town-cpe1"] = Readings(interfaces=(port("Gi0/1.3", True, "TO:v3-cpe1|fiber_p2p|100M"),))
    bench.cut("v3")
    assert bench.verdicts("v3") == [(Blame.CPE, [Sign.PORT_UP])]


def test_the_last_word_of_a_ups_tells_of_the_power(bench: Bench) -> None:
    bench.extra["v1-ups1"] = Readings(ups=Ups("normal", 0.9, 600, 30, 0.2, "battery"))
    bench.minute()
    bench.cut("v1")
    assert bench.verdicts("v1") == [(Blame.POWER, [Sign.ON_BATTERY])]


def test_light_that_had_faded_tells_of_the_fibre(bench: Bench) -> None:
    bench.extra["v3-cpe1"] = Readings(sensors=(Sensor("optical_rx", "Gi0/0", -30.2, "dbm"),))
    bench.minute()
    bench.cut("v3")
    assert bench.verdicts("v3") == [(Blame.LINE, [Sign.WEAK_LIGHT])]


def test_three_sites_of_one_carrier_at_once_are_the_carriers_and_the_first_is_judged_again(bench: Bench) -> None:
    bench.cut("v1", "v2", "v3")
    for village in ("v1", "v2", "v3"):
        assert bench.verdicts(village)[-1] == (Blame.LINE, [Sign.TOGETHER])


def test_sites_of_two_carriers_at_once_are_nobodys_line(bench: Bench) -> None:
    bench.cut("v1", "v2", "v3", "hall")
    assert {bench.verdicts(site)[-1][0] for site in ("v1", "v2", "v3", "hall")} == {Blame.UNKNOWN}


def test_a_township_that_is_silent_below_a_core_that_answers_is_the_node(bench: Bench) -> None:
    bench.cut("town")
    assert bench.verdicts("town") == [(Blame.AGGREGATION, [Sign.BENEATH])]
    assert [f.node for f in bench.facts if isinstance(f, OutageEvent)] == ["town"]


def test_all_terminals_silent_behind_a_router_that_answers_are_one_outage_of_the_lan(bench: Bench) -> None:
    bench.cut("v1-kiosk1", "v1-prt1", "v1-ups1")
    assert bench.opened() == [(Scope.LAN, "v1")]
    assert bench.verdicts("v1") == [(Blame.LAN, [Sign.TERMINALS_SILENT])]
    assert bench.said("v1", Aspect.REACHABLE) == []
    bench.mend("v1-kiosk1", "v1-prt1", "v1-ups1", restarts=["v1-prt1"])
    assert bench.verdicts("v1")[-1] == (Blame.LAN, [Sign.KEPT_RUNNING, Sign.KEPT_RUNNING])
    assert list(bench.watch.open_outages) == []


def test_terminals_that_all_started_again_hung_on_one_dead_socket(bench: Bench) -> None:
    terminals = ("v1-kiosk1", "v1-prt1", "v1-ups1")
    bench.cut(*terminals)
    bench.mend(*terminals, restarts=terminals)
    assert bench.verdicts("v1")[-1][0] is Blame.POWER


def test_who_stays_silent_when_the_lan_is_back_is_an_outage_of_its_own_from_then_on(bench: Bench) -> None:
    bench.cut("v1-kiosk1", "v1-prt1", "v1-ups1")
    at = bench.now
    bench.mend("v1-kiosk1", "v1-ups1")
    [left] = bench.watch.open_outages
    assert (left.scope, left.node) == (Scope.DEVICE, "v1-prt1")
    assert left.since >= at
    assert bench.opened() == [(Scope.LAN, "v1"), (Scope.DEVICE, "v1-prt1")]


def test_terminals_that_fall_one_after_the_other_are_outages_of_their_own(bench: Bench) -> None:
    bench.cut("v1-kiosk1")
    bench.minute(10)
    bench.cut("v1-prt1")
    bench.minute(10)
    bench.cut("v1-ups1")
    assert [scope for scope, _ in bench.opened()] == [Scope.DEVICE] * 3


def test_a_kiosk_that_is_off_for_the_night_hides_no_lan(bench: Bench) -> None:
    bench.now = BEGAN + 10 * 3600
    bench.cut("hall-kiosk1")
    bench.cut("hall-kiosk2")
    assert bench.opened() == [(Scope.DEVICE, "hall-kiosk2")]


def test_a_site_that_falls_dark_behind_a_broken_lan_is_an_outage_of_its_own(bench: Bench) -> None:
    bench.cut("v1-kiosk1", "v1-prt1", "v1-ups1")
    bench.cut("v1-cpe1")
    assert bench.opened() == [(Scope.LAN, "v1"), (Scope.SITE, "v1")]
    bench.mend("v1-cpe1")
    assert [outage.scope for outage in bench.watch.open_outages] == [Scope.LAN]
    bench.mend("v1-kiosk1", "v1-prt1", "v1-ups1")
    assert list(bench.watch.open_outages) == []


def test_a_new_collector_takes_a_broken_lan_over(bench: Bench) -> None:
    bench.cut("v1-kiosk1", "v1-prt1", "v1-ups1")
    [running] = bench.watch.open_outages
    bench.watch = bench.new_watch()
    bench.watch.restore(
        [], [Outage(running.id, "county", Scope.LAN, "v1", Cause.DEVICE, running.since, None)], bench.now
    )
    bench.minute(2)
    assert [outage.id for outage in bench.watch.open_outages] == [running.id]
    bench.mend("v1-kiosk1", "v1-prt1", "v1-ups1")
    assert list(bench.watch.open_outages) == []
    assert bench.opened() == [(Scope.LAN, "v1")]


# -- two lines ------------------------------------------------------------------------------------------------------


def test_a_site_with_two_uplinks_is_down_only_when_both_are(bench: Bench) -> None:
    bench.cut("town")
    assert bench.said("v4", Aspect.REACHABLE) == []
    bench.cut("town2")
    assert bench.said("v4", Aspect.REACHABLE) == [(Verdict.NO, "unreachable")]
    bench.mend("town2")
    assert bench.said("v4", Aspect.REACHABLE)[-1] == (Verdict.YES, "")


BOTH_UP = Readings(interfaces=(port("ge0", True), port("ge1", True)))
SECOND_DOWN = Readings(interfaces=(port("ge0", True), port("ge1", False)))
LINE_2 = "v4-cpe1-line2"


def test_a_lost_second_line_is_an_outage_of_the_line_and_the_site_is_as_it_was(bench: Bench) -> None:
    bench.extra["town2-cpe1"] = Readings(interfaces=(port("ge7", False, "to v4-cpe1"),))
    bench.extra["v4-cpe1"] = SECOND_DOWN
    bench.minute(2)
    assert bench.said("v4", Aspect.REACHABLE) == [(Verdict.YES, "cpe1:line_down")]
    (running,) = bench.watch.open_outages
    assert (running.scope, running.node, running.darkens) == (Scope.LINE, LINE_2, False)
    assert bench.watch.dark == {}
    first, second = bench.verdicts(LINE_2)
    assert first == (Blame.LINE, [Sign.OWN_PORT_DOWN])
    assert second == (Blame.LINE, [Sign.OWN_PORT_DOWN, Sign.PORT_DOWN]), "the far end was asked since"
    bench.extra["v4-cpe1"] = BOTH_UP
    bench.minute()
    assert bench.said("v4", Aspect.REACHABLE)[-1] == (Verdict.YES, "")
    assert bench.events(LINE_2) == ["opened", "closed"]


def test_a_line_whose_far_end_is_dark_is_not_the_carriers_fault(bench: Bench) -> None:
    bench.extra["v4-cpe1"] = SECOND_DOWN
    bench.cut("town2")
    bench.minute(3)
    assert bench.said("v4", Aspect.REACHABLE)[-1] == (Verdict.YES, "cpe1:line_down")
    assert bench.verdicts(LINE_2)[-1] == (Blame.AGGREGATION, [Sign.ABOVE_SILENT, Sign.OWN_PORT_DOWN])


def test_a_line_that_does_not_tell_and_one_that_is_switched_off_are_no_outage(bench: Bench) -> None:
    off = Interface("ge1", "ge1", None, 1, False, False, *[None] * 7)
    for interfaces in ((port("ge0", True), off), (port("ge0", True),)):
        bench.extra["v4-cpe1"] = Readings(interfaces=interfaces)
        bench.minute()
        assert list(bench.watch.open_outages) == []


def test_an_outage_of_a_line_is_taken_over_and_ends_when_its_port_is_up_or_its_line_is_gone(bench: Bench) -> None:
    def running(node: str) -> Outage:
        return Outage(f"o-{node}", "county", Scope.LINE, node, Cause.ACCESS, bench.now - 600, None)

    bench.extra["v4-cpe1"] = SECOND_DOWN
    bench.watch.restore([], [running(LINE_2), running("v4-cpe1-line7"), running("gone-cpe1-line1")], bench.now)
    bench.minute(2)
    assert [one.id for one in bench.watch.open_outages] == [f"o-{LINE_2}"]
    assert bench.events(LINE_2) == []
    bench.extra["v4-cpe1"] = BOTH_UP
    bench.minute()
    assert list(bench.watch.open_outages) == []
    assert bench.events("v4-cpe1-line7") == ["closed"]


# -- flapping -------------------------------------------------------------------------------------------------------


def test_a_line_that_comes_and_goes_is_one_incident_and_its_dark_time_stays_exact(bench: Bench) -> None:
    for _ in range(5):
        bench.cut("v3")
        bench.mend("v3")
    assert bench.events("v3") == [
        "opened", "closed", "opened", "flapping",
        "relapsed", "flapping", "relapsed", "flapping", "relapsed", "flapping",
    ]  # fmt: skip
    dark = [verdict for verdict, _ in bench.said("v3", Aspect.REACHABLE)]
    assert dark == [Verdict.NO, Verdict.YES] * 5
    assert [outage.node for outage in bench.watch.open_outages] == ["v3"]
    last_return = [f.happened_at for f in bench.facts if isinstance(f, OutageEvent)][-1]
    bench.now += WINDOW_S
    bench.minute()
    ended = [f for f in bench.facts if isinstance(f, OutageEvent)][-1]
    assert (ended.kind, ended.happened_at) == ("closed", last_return)
    assert list(bench.watch.open_outages) == []


def test_a_flapping_kiosk_is_one_incident_as_well(bench: Bench) -> None:
    for _ in range(4):
        bench.cut("v1-kiosk1")
        bench.mend("v1-kiosk1")
    assert bench.events("v1-kiosk1")[:4] == ["opened", "closed", "opened", "flapping"]
    assert len(list(bench.watch.open_outages)) == 1


def test_a_collector_that_starts_while_a_node_flaps_ends_its_incident_in_time(bench: Bench) -> None:
    flapping = Outage("old", "511825000000", Scope.SITE, "v3", Cause.ACCESS, BEGAN - 600, None)
    lit = SiteVerdict(1, "v3", Aspect.REACHABLE, Verdict.YES, "", BEGAN - 60, None, None)
    bench.watch = bench.new_watch()
    bench.watch.restore([lit], [flapping], BEGAN - 30)
    bench.minute()
    assert bench.events("v3") == ["closed"]


# -- announced work -------------------------------------------------------------------------------------------------


def window(since: float, until: float) -> Covered:
    return Covered(
        Window("m-1", Reach.SITE, "v3", since, until, "new router", "noc", BEGAN), sites=(SITES.index("v3"),)
    )


def windows_of(bench: Bench, node: str) -> list[str | None]:
    ids = {f.outage for f in bench.facts if isinstance(f, OutageEvent) and f.node == node}
    return [f.window for f in bench.facts if isinstance(f, VerdictEvent) and f.outage in ids]


def test_an_outage_in_a_window_is_planned_until_the_window_ends(bench: Bench) -> None:
    bench.watch.promises.announce([window(bench.now, bench.now + 300)])
    bench.cut("v3", "v2")
    assert windows_of(bench, "v3") == ["m-1"]
    assert windows_of(bench, "v2") == [None]
    bench.minute(5)
    assert windows_of(bench, "v3") == ["m-1", None]


def test_work_that_is_announced_during_an_outage_covers_it_from_then_on(bench: Bench) -> None:
    bench.cut("v3")
    bench.watch.promises.announce([window(bench.now, bench.now + 3600)])
    bench.minute()
    assert windows_of(bench, "v3") == [None, "m-1"]
    assert bench.events("v3") == ["opened"]


# -- service hours --------------------------------------------------------------------------------------------------


def test_at_night_a_kiosk_is_switched_off_and_its_neighbour_for_day_and_night_is_an_outage(bench: Bench) -> None:
    bench.now = BEGAN + 10 * 3600
    bench.minute()
    bench.facts.clear()
    bench.cut("hall-kiosk1", "hall-kiosk2")
    assert bench.events("hall-kiosk1") == []
    assert bench.events("hall-kiosk2") == ["opened"]
    assert bench.watch.state(ORDINAL["hall-kiosk1"]) is DeviceState.OFF_HOURS


def test_a_kiosk_that_stays_off_when_the_hall_opens_is_an_outage_after_a_grace(bench: Bench) -> None:
    bench.now = BEGAN + 10 * 3600
    bench.minute()
    bench.cut("hall-kiosk1")
    opens = BEGAN + 23 * 3600
    bench.now = opens + 10
    bench.minute()
    assert bench.events("hall-kiosk1") == []
    bench.now = opens + GRACE_S
    bench.minute()
    opened = [f for f in bench.facts if isinstance(f, OutageEvent)]
    assert [(f.node, f.kind, f.happened_at) for f in opened] == [("hall-kiosk1", "opened", opens)]


def test_a_fault_of_the_day_stays_an_outage_through_the_night(bench: Bench) -> None:
    bench.cut("hall-kiosk1")
    bench.now = BEGAN + 10 * 3600
    bench.minute()
    assert bench.events("hall-kiosk1") == ["opened"]


def test_a_closed_hall_promises_nothing_and_proves_nothing() -> None:
    fleet = Fleet(("room",), [()], [WatchedDevice("room-kiosk1", 0, "kiosk1", "kiosk", calendar=0)], (), [OFFICE])
    facts: list[Fact] = []
    watch = Watch(fleet, facts.append, lambda devices: None, lambda: "o1")
    night = BEGAN + 10 * 3600
    watch.finished(0, Readings(), night)
    watch.settle(night)
    for at in (night + 60, night + 61):
        watch.finished(0, None, at)
        watch.settle(at)
    assert [(f.aspect, f.verdict, f.reason) for f in facts if isinstance(f, SiteEvent)] == [
        (Aspect.REACHABLE, Verdict.YES, ""),
        (Aspect.WORKING, Verdict.YES, ""),
        (Aspect.REACHABLE, Verdict.NO, "off_hours"),
        (Aspect.WORKING, Verdict.UNKNOWN, "off_hours"),
    ]
    assert not [f for f in facts if isinstance(f, OutageEvent)]
