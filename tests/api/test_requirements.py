"""The requirements beside the extranet: peripherals and platform by the site's own look, open by people's word."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from api.standing import CHINA, Standing
from health.coverage import State
from health.device import DeviceState
from health.reading import Extend, Readings
from health.site import Part, looked_at, peripherals, platform
from inventory.vocabulary import Verdict
from ledger import facts
from ledger.facts import Fact

if TYPE_CHECKING:
    from tests.api.conftest import World

LOOKED = ("platform", "document-camera", "id-card-reader", "printer")


def part(role: str = "kiosk1", faults: tuple[str, ...] = (), looked: tuple[str, ...] = LOOKED, **more: Any) -> Part:
    return replace(Part(role, "kiosk", DeviceState.UP, faults, looked), **more)


@pytest.mark.parametrize(
    ("parts", "on_platform", "fitted"),
    [
        pytest.param([part()], (Verdict.YES, ""), (Verdict.YES, ""), id="all is well"),
        pytest.param(
            [part(faults=("platform",))], (Verdict.NO, "kiosk1:platform"), (Verdict.YES, ""), id="no platform"
        ),
        pytest.param(
            [part(faults=("platform", "document-camera")), part("kiosk2")],
            (Verdict.YES, ""), (Verdict.YES, ""), id="the second kiosk does",
        ),
        pytest.param(
            [part(faults=("document-camera",))],
            (Verdict.YES, ""), (Verdict.NO, "kiosk1:document-camera"), id="no camera",
        ),
        pytest.param(
            [part(looked=())], (Verdict.UNKNOWN, "not_looked"), (Verdict.UNKNOWN, "not_looked"), id="nobody looks"
        ),
        pytest.param(
            [part(state=DeviceState.SILENT)], (Verdict.UNKNOWN, "not_looked"), (Verdict.UNKNOWN, "not_looked"),
            id="what is silent has not looked",
        ),
        pytest.param(
            [part(looked=(), device_class="printer", role="prt1", faults=("no_paper",))],
            (Verdict.UNKNOWN, "not_looked"), (Verdict.NO, "prt1:no_paper"), id="a printer of the site's own",
        ),
        pytest.param(
            [part(faults=("printer",)), part("prt1", device_class="printer", looked=())],
            (Verdict.YES, ""), (Verdict.YES, ""), id="another printer serves",
        ),
        pytest.param(
            [part(looked=("screen",)), part("prt1", device_class="printer", looked=())],
            (Verdict.UNKNOWN, "not_looked"), (Verdict.UNKNOWN, "not_looked"), id="a printer alone proves no camera",
        ),
    ],
)  # fmt: skip
def test_a_site_looks_at_its_own_platform_and_peripherals(
    parts: list[Part], on_platform: tuple[Verdict, str], fitted: tuple[Verdict, str]
) -> None:
    assert platform(parts) == on_platform
    assert peripherals(parts) == fitted


def test_a_script_that_does_not_know_has_not_looked() -> None:
    said = (Extend("platform", "ok", 0), Extend("printer", "", 3), Extend("screen", "off", 1))
    assert looked_at(Readings(extends=said)) == ("platform", "screen")


def day_of(world: "World") -> date:
    return datetime.fromtimestamp(world.now, CHINA).date()


def tell(standing: Standing, subject: str, value: bool, day: date) -> None:
    with standing.engine.begin() as connection:
        facts.record(connection, [Fact(subject, "open", value, day, "office", "notice")], standing.now())


def test_open_differs_from_built_and_follows_dated_facts(world: "World") -> None:
    standing, today = world.standing, day_of(world)
    top = standing.inventory.nodes
    site = standing.inventory.sites.index["tq-chengxiang-meizi"]
    village = top.codes[int(standing.inventory.sites.nodes[site])]
    before = standing.figures("open", "default", 0, standing.refresh())
    assert (before.numerator, before.denominator, before.unknown) == (96, 96, 0)
    tell(standing, "tq-chengxiang-meizi", False, today - timedelta(days=3))
    after = standing.figures("open", "default", 0, standing.refresh())
    assert (after.numerator, after.states[State.NOT_BUILT]) == (95, 1)
    judged = standing.judgement(site, "open", standing.snapshot)
    assert (judged.state, judged.reason, judged.works_now) == (State.NOT_BUILT, "not_open", Verdict.NO)
    assert standing.contradictions("open", standing.snapshot, (0, len(top))) == []
    tell(standing, village, True, today)
    assert standing.judgement(site, "open", standing.refresh()).state is State.NOT_BUILT, "a site's own fact wins"


def test_a_word_that_is_too_old_is_unknown_and_widens_the_bounds(world: "World") -> None:
    standing, today = world.standing, day_of(world)
    tell(standing, "tq-chengxiang-meizi", True, today - timedelta(days=400))
    figures = standing.figures("open", "default", 0, standing.refresh())
    assert (figures.numerator, figures.unknown) == (95, 1)
    assert figures.ratio == 95 / 96
    assert figures.ratio_max == 1.0


def test_every_requirement_is_counted_and_judged_alike(world: "World") -> None:
    standing = world.standing
    snapshot = standing.refresh()
    sites = snapshot.subjects["default"][1]
    for requirement in standing.inventory.coverage_rules.requirements:
        counted = standing.figures(requirement, "default", 0, snapshot)
        judged = [standing.judgement(int(site), requirement, snapshot).state for site in sites if site >= 0]
        assert {state: judged.count(state) for state in State} == dict(counted.states), requirement


def test_the_api_gives_every_requirement_with_its_bounds(world: "World") -> None:
    for requirement in ("extranet", "kiosk", "peripherals", "platform", "open"):
        told = world.client.get(f"/v1/coverage/511825?requirement={requirement}").json()
        assert told["requirement"] == requirement
        assert told["window_seconds"] > 0
        assert told["ratio"] <= told["ratio_max"]
