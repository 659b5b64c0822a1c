"""The little brother of `benchmarks/alert_quality.py`: two counties for a day, through all the same parts."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest

from benchmarks.alert_quality import MONTH, Quality, World, judge, rules_that_speak
from benchmarks.prefecture import CHINA
from benchmarks.rule_replay import replay, replay_in_pieces, values
from exporter.alertmanager.config import configuration
from exporter.alertmanager.grouping import Alert, Alertmanager
from exporter.alertmanager.settings import Alerting
from exporter.registry import OUTAGE_OPEN

# A Tuesday, and a holiday that would be a Thursday.
TUESDAY: Final = replace(MONTH, title="a day", days=1)
HOLIDAY: Final = replace(TUESDAY, begins=datetime(2026, 10, 1, tzinfo=CHINA))


def told(world: World, alerts: list[Alert]) -> Quality:
    config = configuration(Alerting(), world.counties[0].calendar)
    return judge(world, Alertmanager(config).send(alerts, world.scenario.since + 86400))


def ours(program: Any, world: World) -> list[Alert]:
    scenario = world.scenario
    return replay(
        program.path("promtool"), rules_that_speak(), world.series(), scenario.steps, scenario.step_s, scenario.since
    )


@pytest.fixture(scope="module")
def tuesday(tmp_path_factory: pytest.TempPathFactory) -> World:
    """So many things fail on this day that each kind is there."""
    return World(tmp_path_factory.mktemp("prefecture"), TUESDAY, 80, 7, 12.0)


def test_people_hear_of_every_long_outage_and_of_little_else(program: Any, tuesday: World) -> None:
    quality = told(tuesday, ours(program, tuesday))
    assert quality.outages >= 5
    assert quality.missed == []
    assert quality.messages_right == 1.0
    plain = told(tuesday, list(tuesday.baseline()))
    assert plain.named_per_day > 4 * quality.named_per_day
    assert plain.alerts_right is not None
    assert plain.alerts_right < 0.5


def test_on_a_holiday_only_what_carries_others_is_told(program: Any, tmp_path: Path) -> None:
    world = World(tmp_path, HOLIDAY, 40, 3, 4.0)
    assert world.hours == [[]]
    named = {alert.labels["alertname"] for alert in ours(program, world) if alert.labels["notify"] == "now"}
    assert named <= {"UplinkNodeDown", "CountyCoreDown", "CollectorDown"}


def test_the_arithmetic_of_the_baseline_is_what_promtool_makes_of_its_rule(
    program: Any, tuesday: World, tmp_path: Path
) -> None:
    rule = tmp_path / "mixin.yml"
    rule.write_text("groups: [{name: snmp, rules: [{alert: SNMPTargetDown, expr: up != 1, for: 5m}]}]", "utf-8")
    step, steps = TUESDAY.step_s, TUESDAY.steps
    county, away = tuesday.counties[0], tuesday.away[0]
    series = {}
    for device in county.inventory.devices:
        runs: list[tuple[int, float | None]] = [(0, 1.0)]
        for first, end in away.sampled(device.ordinal, TUESDAY.since, step):
            runs += [(first, 0.0), (end, 1.0)] if end < steps else [(first, 0.0)]
        series[f'up{{instance="{device.id}"}}'] = runs
    real = replay(program.path("promtool"), [rule], series, steps, step, TUESDAY.since)
    model = [one for one in tuesday.baseline() if one.labels["county"] == county.code]
    assert len(model) > 50
    assert {(one.labels["instance"], one.since, one.until) for one in real} == {
        (one.labels["instance"], one.since, one.until) for one in model
    }


def test_a_long_time_in_pieces_gives_the_alerts_that_it_gives_at_once(program: Any, tmp_path: Path) -> None:
    world = World(tmp_path, replace(TUESDAY, days=3), 40, 11, 10.0)
    pieces = world.pieces()
    assert [(one.first, one.end) for one in pieces] == [(0, 288), (288, 576), (576, 864)]
    scenario, promtool = world.scenario, program.path("promtool")
    series = world.series()
    parts = replay_in_pieces(
        promtool, rules_that_speak(), series, pieces, scenario.step_s, scenario.since, OUTAGE_OPEN.name
    )
    whole = replay(promtool, rules_that_speak(), series, scenario.steps, scenario.step_s, scenario.since)

    def sent(alerts: list[Alert]) -> set[tuple[str, float, float | None]]:
        return {
            (str(sorted(one.labels.items())), one.since, one.until)
            for one in alerts
            if one.labels["notify"] != "ledger"
        }

    assert len(sent(whole)) > 20
    assert sent(parts) == sent(whole)


def test_runs_are_written_as_promtool_reads_them() -> None:
    assert values([(3, 1.0), (6, None), (11, 2.0)], 15) == "_x3 1x2 stale _x4 2x3"
    assert values([], 4) == "_x4"
