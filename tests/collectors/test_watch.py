"""The watch over a make-believe county, poll by poll: what is asked again, what is said, and who is blamed."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.fleet import Fleet, WatchedDevice
from collectors.watch import Watch
from health.flapping import WINDOW_S
from health.outage import Outage, Scope
from health.reading import Extend, Readings
from health.rootcause import Cause
from inventory.vocabulary import Aspect, Verdict
from ledger.history import SiteVerdict
from ledger.journal import Fact, OutageEvent, SiteEvent

# centre ── town ── v1, v2, v3
#        └─ unit
SITES = ("centre", "town", "v1", "v2", "v3", "unit")
UPLINKS = [(), (0,), (1,), (1,), (1,), (0,)]
VILLAGE = (("cpe1", "router"), ("kiosk1", "kiosk"), ("prt1", "printer"))
EQUIPMENT = {
    "centre": (("core1", "router"), ("core2", "router")),
    "town": VILLAGE,
    "v1": VILLAGE,
    "v2": VILLAGE,
    "v3": VILLAGE,
    "unit": (("cpe1", "router"),),
}
FLEET = Fleet(
    SITES,
    UPLINKS,
    [
        WatchedDevice(f"{site}-{role}", number, role, kind)
        for number, site in enumerate(SITES)
        for role, kind in EQUIPMENT[site]
    ],
)
ORDINAL = {device.id: ordinal for ordinal, device in enumerate(FLEET.devices)}


@dataclass
class World:
    """Polls the fleet in order, a device a second, and whatever the watch asks for first."""

    off: set[str] = field(default_factory=set)
    now: float = 1000.0
    facts: list[Fact] = field(default_factory=list)
    wanted: deque[int] = field(default_factory=deque)
    readings: dict[str, Readings] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.watch = self.new_watch()

    def new_watch(self) -> Watch:
        return Watch(FLEET, self.facts.append, self.ask, lambda: f"o{len(self.facts)}@{self.now:.0f}")

    def ask(self, devices: Iterable[int]) -> None:
        self.wanted.extend(device for device in devices if device not in self.wanted)

    def answers(self, ordinal: int) -> bool:
        """A device answers if it, its site and everything above it is on."""
        device = FLEET.devices[ordinal]
        site: int | None = device.site
        while site is not None:
            if SITES[site] in self.off:
                return False
            site = next(iter(UPLINKS[site]), None)
        return device.id not in self.off

    def poll(self, ordinal: int) -> None:
        self.now += 0.1
        answered = self.answers(ordinal)
        readings = self.readings.get(FLEET.devices[ordinal].id, Readings()) if answered else None
        self.watch.finished(ordinal, readings, self.now)
        self.watch.settle(self.now)

    def round(self, order: Iterable[int] | None = None) -> None:
        for ordinal in order if order is not None else range(len(FLEET.devices)):
            self.poll(ordinal)
            for _ in range(200):
                if not self.wanted:
                    break
                self.poll(self.wanted.popleft())
            else:
                pytest.fail("the watch never stops asking")

    def outages(self) -> list[tuple[str, Scope, str]]:
        return [(f.node, f.scope, f.kind) for f in self.facts if isinstance(f, OutageEvent)]

    def open(self) -> dict[str, Cause]:
        return {outage.node: outage.cause for outage in self.watch.open_outages}

    def reachable(self) -> dict[str, tuple[Verdict, str]]:
        return {
            f.site: (f.verdict, f.reason)
            for f in self.facts
            if isinstance(f, SiteEvent) and f.aspect is Aspect.REACHABLE
        }


def a_world_that_answered_once() -> World:
    world = World()
    world.round()
    world.facts.clear()
    return world


def test_the_first_sweep_proves_every_site_and_opens_nothing() -> None:
    world = World()
    world.round()
    assert world.reachable() == {site: (Verdict.YES, "") for site in SITES}
    assert world.outages() == []


def test_a_power_cut_is_one_outage_of_one_site() -> None:
    world = a_world_that_answered_once()
    world.off = {"v2"}
    world.round()
    assert world.outages() == [("v2", Scope.SITE, "opened")]
    assert world.open() == {"v2": Cause.ACCESS}
    assert world.reachable() == {"v2": (Verdict.NO, "down")}


def test_an_outage_begins_with_the_first_unanswered_poll_and_keeps_the_last_proof() -> None:
    world = a_world_that_answered_once()
    before = world.now
    world.off = {"v2"}
    world.round()
    dark = next(f for f in world.facts if isinstance(f, SiteEvent) and f.aspect is Aspect.REACHABLE)
    assert before < dark.happened_at < world.now
    assert dark.proved_at is not None
    assert dark.proved_at <= before


@pytest.mark.parametrize("first", range(len(FLEET.devices)), ids=lambda n: FLEET.devices[n].id)
def test_a_township_cut_is_one_incident_whichever_device_is_asked_first(first: int) -> None:
    world = a_world_that_answered_once()
    world.off = {"town"}
    order = list(range(len(FLEET.devices)))
    world.round(order[first:] + order[:first])
    assert world.outages() == [("town", Scope.UPLINK, "opened")]
    assert world.open() == {"town": Cause.AGGREGATION}
    assert world.reachable() == {
        "town": (Verdict.NO, "down"),
        "v1": (Verdict.NO, "unreachable"),
        "v2": (Verdict.NO, "unreachable"),
        "v3": (Verdict.NO, "unreachable"),
    }
    outages = {f.outage for f in world.facts if isinstance(f, SiteEvent) and f.aspect is Aspect.REACHABLE}
    assert len(outages) == 1


def test_the_end_of_an_incident_is_the_end_for_all_beneath() -> None:
    world = a_world_that_answered_once()
    world.off = {"town"}
    world.round()
    world.facts.clear()
    world.off = set()
    world.round()
    assert world.outages() == [("town", Scope.UPLINK, "closed")]
    assert world.reachable() == {site: (Verdict.YES, "") for site in ("town", "v1", "v2", "v3")}
    assert world.open() == {}


def test_what_stays_dark_after_its_township_came_back_gets_an_outage_of_its_own() -> None:
    world = a_world_that_answered_once()
    world.off = {"town"}
    world.round()
    world.facts.clear()
    world.off = {"v3"}
    world.round()
    assert world.outages() == [("town", Scope.UPLINK, "closed"), ("v3", Scope.SITE, "opened")]
    assert world.reachable()["v3"] == (Verdict.NO, "down")
    opened = next(f for f in world.facts if isinstance(f, OutageEvent) and f.kind == "opened")
    closed = next(f for f in world.facts if isinstance(f, OutageEvent) and f.kind == "closed")
    assert opened.happened_at >= closed.happened_at


def test_a_village_that_was_already_down_keeps_its_own_outage_when_its_township_falls() -> None:
    world = a_world_that_answered_once()
    world.off = {"v1"}
    world.round()
    world.off = {"v1", "town"}
    world.round()
    assert world.outages() == [("v1", Scope.SITE, "opened"), ("town", Scope.UPLINK, "opened")]
    world.off = {"v1"}
    world.round()
    world.round()
    assert world.open() == {"v1": Cause.ACCESS}


def test_a_silent_kiosk_is_an_outage_of_the_device_and_its_site_stays_reachable() -> None:
    world = a_world_that_answered_once()
    world.off = {"v1-kiosk1"}
    world.round()
    assert world.outages() == [("v1-kiosk1", Scope.DEVICE, "opened")]
    assert world.reachable() == {}
    working = [f for f in world.facts if isinstance(f, SiteEvent) and f.aspect is Aspect.WORKING]
    assert [(f.verdict, f.reason) for f in working] == [(Verdict.NO, "kiosk1:silent")]
    world.off = set()
    world.round()
    assert world.open() == {}


def test_a_kiosk_whose_program_does_not_run_means_that_the_site_does_not_work() -> None:
    world = a_world_that_answered_once()
    world.readings["v1-kiosk1"] = Readings(extends=(Extend("kiosk-app", "not running", 2),))
    world.round()
    assert [(f.aspect, f.verdict, f.reason) for f in world.facts if isinstance(f, SiteEvent)] == [
        (Aspect.WORKING, Verdict.NO, "kiosk1:kiosk-app")
    ]


def test_one_lost_poll_says_nothing() -> None:
    world = a_world_that_answered_once()
    ordinal = ORDINAL["v1-cpe1"]
    world.watch.finished(ordinal, None, world.now + 1)
    world.watch.settle(world.now + 1)
    world.now += 2
    world.round(list(world.wanted) or [ordinal])
    assert world.facts == []


def test_a_dead_centre_is_one_incident_over_the_whole_county() -> None:
    world = a_world_that_answered_once()
    world.off = {"centre"}
    world.round()
    assert world.outages() == [("centre", Scope.UPLINK, "opened")]
    assert set(world.reachable()) == set(SITES)


def test_a_device_above_that_is_silent_alone_is_not_to_blame_for_what_answers() -> None:
    world = a_world_that_answered_once()
    world.off = {"centre-core1"}
    world.round()
    assert world.outages() == [("centre-core1", Scope.DEVICE, "opened")]


def test_a_collector_that_starts_into_an_outage_says_nothing_twice() -> None:
    world = a_world_that_answered_once()
    world.off = {"town"}
    world.round()
    verdicts, outages = as_the_ledger_gives_them(world)
    world.facts.clear()
    world.watch = world.new_watch()
    world.watch.restore(verdicts, outages)
    world.round()
    assert world.outages() == []
    assert world.reachable() == {"centre": (Verdict.YES, ""), "unit": (Verdict.YES, "")} or world.reachable() == {}
    world.off = set()
    world.round()
    assert world.outages() == [("town", Scope.UPLINK, "closed")]
    assert world.open() == {}


def test_an_outage_of_a_site_that_left_the_inventory_ends_at_the_start() -> None:
    world = World()
    gone = Outage("old", "511825000000", Scope.SITE, "no-longer-here", Cause.ACCESS, 900.0, None)
    world.watch.restore([], [gone])
    assert world.outages() == [("no-longer-here", Scope.SITE, "closed")]


def as_the_ledger_gives_them(world: World) -> tuple[list[SiteVerdict], list[Outage]]:
    verdicts = {
        (f.site, f.aspect): SiteVerdict(n, f.site, f.aspect, f.verdict, f.reason, f.happened_at, f.proved_at, f.outage)
        for n, f in enumerate(world.facts)
        if isinstance(f, SiteEvent)
    }
    running: dict[str, Outage] = {}
    for f in world.facts:
        if isinstance(f, OutageEvent) and f.kind == "opened":
            running[f.outage] = Outage(f.outage, "511825000000", f.scope, f.node, f.cause, f.happened_at, None)
        elif isinstance(f, OutageEvent):
            running.pop(f.outage)
    return list(verdicts.values()), list(running.values())


faults = st.lists(st.sets(st.sampled_from([*SITES, *(d.id for d in FLEET.devices)])), min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(faults, st.randoms(use_true_random=False))
def test_after_any_history_everything_back_means_nothing_open_and_nothing_dark(
    history: list[set[str]], random: Random
) -> None:
    world = a_world_that_answered_once()
    for off in [*history, set[str]()]:
        world.off = off
        for _ in range(2):
            order = list(range(len(FLEET.devices)))
            random.shuffle(order)
            world.round(order)
        dark = {SITES[site] for site in world.watch.dark}
        assert dark == {
            site
            for number, site in enumerate(SITES)
            if not any(world.answers(device) for device in FLEET.at_site[number])
        }
    world.now += 2 * WINDOW_S  # what flapped is kept open until it was calm
    world.round()
    assert world.open() == {}
    assert all(verdict is Verdict.YES for verdict, _ in world.reachable().values())
    opened = [f.outage for f in world.facts if isinstance(f, OutageEvent) and f.kind == "opened"]
    closed = [f.outage for f in world.facts if isinstance(f, OutageEvent) and f.kind == "closed"]
    assert sorted(opened) == sorted(closed)
    assert len(set(opened)) == len(opened)


def test_a_site_without_devices_of_ours_is_looked_through() -> None:
    ours = WatchedDevice("leaf-cpe1", 2, "cpe1", "router")
    theirs = WatchedDevice("bank-cpe1", 1, "cpe1", "router", asked=False)
    fleet = Fleet(
        ["top", "bank", "leaf"], [(), (0,), (1,)], [WatchedDevice("top-core1", 0, "core1", "router"), theirs, ours]
    )
    assert [list(devices) for devices in fleet.at_site] == [[0], [], [2]]
    assert fleet.tree.uplinks == [(), (0,), (0,)]


def test_a_silence_asked_for_before_the_site_came_back_proves_nothing_and_the_device_is_asked_again() -> None:
    world = World()
    world.round()
    world.off = {"v1"}
    for _ in range(4):
        world.round()
    router, kiosk = ORDINAL["v1-cpe1"], ORDINAL["v1-kiosk1"]
    assert SITES.index("v1") in world.watch.dark
    before, told = world.watch.health[router], len(world.facts)
    asked_at = world.now
    world.off = set()
    world.watch.finished(kiosk, Readings(), asked_at + 1.0, asked_at + 0.5)
    world.wanted.clear()
    world.watch.finished(router, None, asked_at + 2.0, asked_at)  # it was asked in the dark, and timed out in the light
    world.watch.settle(asked_at + 2.0)
    assert world.watch.health[router] == before
    assert router in world.wanted
    opened = [fact for fact in world.facts[told:] if isinstance(fact, OutageEvent) and fact.kind == "opened"]
    assert opened == []
    world.watch.finished(router, None, asked_at + 4.0, asked_at + 3.0)  # asked since: now it counts
    assert world.watch.health[router].asked == asked_at + 4.0


def test_platform_and_peripherals_are_facts_of_their_own_once_somebody_there_looks() -> None:
    world = World()
    parts = ("platform", "document-camera", "id-card-reader")
    world.readings["v1-kiosk1"] = Readings(extends=tuple(Extend(part, "ok", 0) for part in parts))
    world.round()
    assert world.watch.verdict(SITES.index("v1"), Aspect.PLATFORM) is Verdict.YES
    assert world.watch.verdict(SITES.index("v1"), Aspect.PERIPHERALS) is Verdict.YES
    assert world.watch.verdict(SITES.index("v2"), Aspect.PLATFORM) is Verdict.UNKNOWN
    world.readings["v1-kiosk1"] = Readings(extends=tuple(Extend(part, "no", 1) for part in parts))
    world.round()
    assert world.watch.verdict(SITES.index("v1"), Aspect.PLATFORM) is Verdict.NO
    assert world.watch.verdict(SITES.index("v1"), Aspect.PERIPHERALS) is Verdict.NO
    del world.readings["v1-kiosk1"]
    world.round()
    assert world.watch.verdict(SITES.index("v1"), Aspect.PLATFORM) is Verdict.UNKNOWN, (
        "what nobody looks at is not proved on"
    )
