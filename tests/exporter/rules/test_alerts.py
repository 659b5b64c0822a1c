"""Every alert fires for what it is for, ends when that is over, and stays silent beside the nearest miss."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import pytest

from exporter.linting.rule_files import RULES, alerts, files_of, read

if TYPE_CHECKING:
    from tests.exporter.rules.conftest import World

V1 = "t1-v1"
KIOSK = f"{V1}-kiosk"
ROUTER = f"{V1}-router"
LINE = {"site": V1, "link": ROUTER}
WEEK: Final = 7 * 86400

Tell = Callable[["World"], None]


@dataclass(frozen=True)
class Case:
    """One way in which an alert fires.

    Args:
        tell: puts the trouble into the world, from minute 30 on.
        firing: a minute at which it fires, and how many of it.
        over: a minute at which it no longer does.
        miss: puts the nearest miss into another world: nothing may fire then.
        by: labels that the firing alert must carry.
    """

    alert: str
    tell: Tell
    firing: int
    over: int
    miss: Tell
    by: dict[str, str]
    count: int = 1
    step: int = 2


def dark(*ids: str, cause: str = "line", first: int = 30, last: int = 100) -> Tell:
    def tell(world: "World") -> None:
        for id in ids:
            world.dark(id, first, last, cause)

    return tell


def beneath(world: "World", node: str, first: int, last: int) -> None:
    for number in range(1, 9):
        world.up(f"{node}-v{number}", (first, last, 0))
    world.up(node, (first, last, 0))


def node_lost(node: str, planned: str = "no", first: int = 30, last: int = 100) -> Tell:
    def tell(world: "World") -> None:
        world.outage("uplink", node, first, last, "aggregation", planned=planned, sites=9)
        beneath(world, node, first, last)

    return tell


def core_lost(world: "World", planned: str = "no") -> None:
    world.outage("uplink", "core", 30, 100, "aggregation", planned=planned, sites=19)
    world.up("core", (30, 100, 0))
    for node in ("t1", "t2"):
        beneath(world, node, 30, 100)


def all_dark_unexplained(world: "World") -> None:
    core_lost(world)
    world.outage("uplink", "core", 0, 0)
    world.put("cuntong_outage_sites", None, scope="uplink", node="core")


def node_dark_unexplained(last: int = 100) -> Tell:
    return lambda world: beneath(world, "t1", 30, last)


def value(
    metric: str, normal: float | None, wrong: float | None, first: int = 30, last: int = 120, /, **labels: str
) -> Tell:
    return lambda world: world.put(metric, normal, (first, last, wrong), **labels)


def also(*tells: Tell) -> Tell:
    def tell(world: "World") -> None:
        for one in tells:
            one(world)

    return tell


def growing(metric: str, a_minute: float, first: int = 30, last: int = 120, /, **labels: str) -> Tell:
    """A counter that grows in these minutes."""

    def tell(world: "World") -> None:
        spans: list[Any] = [
            (minute, minute + 1, a_minute * (min(minute, last) - first)) for minute in range(first, world.minutes + 1)
        ]
        world.put(metric, 0, *spans, **labels)

    return tell


def kiosk_out(
    kind: str = "kiosk", cause: str = "device", first: int = 30, last: int = 120, planned: str = "no"
) -> Tell:
    return lambda world: world.outage("device", f"{V1}-{kind}", first, last, cause, site=V1, planned=planned)


def shut(first: int, last: int) -> Tell:
    return lambda world: world.closed(first, last)


def maintained(first: int = 0, last: int = 240) -> Tell:
    return lambda world: world.put("cuntong_site_maintenance", 0, (first, last, 1), site=V1)


def on_backup(world: "World") -> None:
    world.put("cuntong_link_up", 1, (30, 120, 0), site=V1, link=ROUTER, role="primary")
    world.bad_line("primary_down", V1, 30, 120)
    world.put("cuntong_link_up", 1, site=V1, link=f"{ROUTER}-2", role="backup")


def both_lines_down(world: "World") -> None:
    on_backup(world)
    world.put("cuntong_link_up", 1, (30, 120, 0), site=V1, link=f"{ROUTER}-2", role="backup")


def bad_line(trouble: str, last: int = 120) -> Tell:
    return lambda world: world.bad_line(trouble, V1, 30, last)


def trouble(trouble: str, kind: str = "kiosk", part: str = "", last: int = 120) -> Tell:
    return lambda world: world.trouble(trouble, V1, kind, 30, last, part=part)


def covered(first: int, last: int, now: float) -> Tell:
    """Of 100 villages this many are covered in these minutes; all before and after."""

    def tell(world: "World") -> None:
        world.put("cuntong_coverage_villages", 100, (first, last, now), requirement="extranet", state="covered")
        world.put("cuntong_coverage_villages", 0, (first, last, 100 - now), requirement="extranet", state="lost")

    return tell


def milestone(met: float, deadline: float) -> Tell:
    def tell(world: "World") -> None:
        world.put("cuntong_coverage_milestone_sites", 10, (30, 1200, met), milestone="m1", state="met")
        world.put("cuntong_coverage_milestone_sites", 0, (30, 1200, 10 - met), milestone="m1", state="missing")
        world.put("cuntong_coverage_target_ratio", 0.9, milestone="m1", requirement="extranet")
        world.put("cuntong_coverage_milestone_deadline_timestamp_seconds", deadline, milestone="m1")

    return tell


def evidence(world: "World") -> None:
    world.put("cuntong_coverage_evidence_oldest_timestamp_seconds", -3600, (30, 240, -3.5 * 86400), requirement="kiosk")


def collector(metric: str, normal: float, wrong: float, first: int = 30, last: int = 120) -> Tell:
    return value(metric, normal, wrong, first, last, job="cuntong-process")


def refused(a_minute: float) -> Tell:
    return growing("cuntong_collector_polls_total", a_minute, result="refused", job="cuntong-process")


def of_prometheus(metric: str, a_minute: float, **labels: str) -> Tell:
    return growing(metric, a_minute, job="prometheus", instance="127.0.0.1:9090", **labels)


PLANNED = "yes"


def waiting(world: "World", since: int, until: int) -> None:
    """A channel of ours that has not taken a message between these minutes."""
    span = (since, until, since * 60.0)
    world.put("cuntong_notifications_oldest_timestamp_seconds", None, span, receiver="duty")


CASES: Final = [
    Case("CountyCoreDown", core_lost, 40, 130, node_lost("t1"), {"site": "core", "scope": "county"}),
    Case("CountyCoreDown", all_dark_unexplained, 60, 130, lambda w: core_lost(w, PLANNED), {"evidence": "ratio"}),
    Case("UplinkNodeDown", node_lost("t1"), 40, 130, node_lost("t1", PLANNED), {"site": "t1", "uplink": "t1"}),
    Case("UplinkNodeDown", node_dark_unexplained(), 60, 130, node_dark_unexplained(36), {"evidence": "ratio"}),
    Case(
        "TownshipSitesDownMany",
        dark(V1, "t1-v2", "t1-v3"),
        40,
        130,
        dark(V1, "t1-v2", "t2-v3"),
        {"township": "511825100"},
    ),
    Case(
        "SiteDown",
        dark(V1),
        60,
        130,
        also(dark(V1, cause="power"), shut(20, 200)),
        {"site": V1, "cause": "line", "township": "511825100"},
    ),
    Case(
        "SiteDown",
        dark("core", cause="unknown"),
        60,
        130,
        also(dark(V1), lambda w: w.outage("site", V1, 30, 100, planned=PLANNED), lambda w: w.outage("site", V1, 0, 0)),
        {"site": "core"},
    ),
    Case(
        "SiteLanDown",
        lambda w: w.outage("lan", V1, 30, 100, "lan"),
        60,
        130,
        also(lambda w: w.outage("lan", V1, 30, 100, "lan"), shut(20, 200)),
        {"site": V1, "cause": "lan", "township": "511825100"},
    ),
    Case("SiteDownLong", dark(V1, last=2000), 1520, 2100, dark(V1, last=1400), {"site": V1}, step=10),
    Case(
        "SiteUnknown",
        lambda w: w.up(V1, (30, 180, None)),
        170,
        220,
        lambda w: w.up(V1, (30, 130, None)),
        {"site": V1, "uplink": "t1"},
    ),
    Case(
        "CountyAvailabilityBudgetFast",
        dark(V1, "t1-v2", "t2-v1", "t2-v2"),
        60,
        130,
        dark(V1, "t2-v2"),
        {"window": "1h"},
    ),
    Case(
        "CountyAvailabilityBudgetFast",
        dark(V1, "t1-v2", "t2-v1", "t2-v2", last=200),
        120,
        220,
        dark(V1, "t2-v2", last=200),
        {"window": "6h"},
    ),
    Case("CountyAvailabilityBudgetSlow", dark(V1, last=200), 150, 450, dark(V1, last=32), {"window": "1d"}),
    Case(
        "CountyAvailabilityBudgetSlow",
        dark(V1, last=300),
        260,
        900,
        dark(V1, last=32),
        {"window": "3d"},
        step=2,
    ),
    Case(
        "CarrierAvailabilityBudgetFast",
        dark(V1, "t1-v2", "t1-v4"),
        60,
        130,
        dark(V1, "t1-v2", "t1-v4", cause="power"),
        {"carrier": "telecom", "window": "1h"},
    ),
    Case(
        "CarrierAvailabilityBudgetFast",
        dark(V1, "t1-v2", "t1-v4", last=200),
        120,
        220,
        dark(V1, "t1-v2", "t1-v4", cause="cpe", last=200),
        {"carrier": "telecom", "window": "6h"},
    ),
    Case(
        "CarrierAvailabilityBudgetSlow",
        dark(V1, last=200),
        150,
        450,
        dark(V1, cause="lan", last=200),
        {"carrier": "telecom", "window": "1d"},
    ),
    Case(
        "CarrierAvailabilityBudgetSlow",
        dark(V1, last=300),
        260,
        900,
        dark(V1, cause="power", last=300),
        {"carrier": "telecom", "window": "3d"},
        step=2,
    ),
    Case("PrimaryLinkDownOnBackup", on_backup, 60, 150, both_lines_down, LINE),
    Case("PrimaryLinkDownOnBackup", on_backup, 60, 150, also(on_backup, maintained()), {"township": "511825100"}),
    Case("LinkFlapping", bad_line("flapping"), 60, 170, bad_line("flapping", 38), LINE),
    Case("LinkPacketLossHigh", bad_line("packet_loss"), 60, 150, bad_line("packet_loss", 42), LINE),
    Case("LinkLatencyHigh", bad_line("latency"), 80, 150, bad_line("latency", 58), LINE),
    Case(
        "CircuitContractEnding",
        value("cuntong_link_contract_end_timestamp_seconds", 9e9, 59 * 86_400, 30, 200, **LINE),
        110,
        300,
        value("cuntong_link_contract_end_timestamp_seconds", 9e9, 62 * 86_400, 30, 200, **LINE),
        {"carrier": "telecom"},
    ),
    Case("LinkErrorsHigh", bad_line("errors"), 80, 150, bad_line("errors", 58), LINE),
    Case("LinkSaturated", bad_line("saturated"), 80, 150, bad_line("saturated", 58), LINE),
    Case("LinkSaturated", bad_line("saturated"), 80, 150, also(bad_line("saturated"), maintained()), LINE),
    Case(
        "RouterDown",
        kiosk_out("router", "cpe"),
        70,
        140,
        kiosk_out("router", planned=PLANNED),
        {"device": ROUTER, "class": "router"},
    ),
    Case("KioskDown", kiosk_out(), 80, 150, kiosk_out(planned=PLANNED), {"device": KIOSK, "township": "511825100"}),
    Case(
        "KioskDown",
        also(shut(0, 240), lambda w: w.device(V1, "kiosk"), kiosk_out()),
        80,
        150,
        also(shut(0, 240), kiosk_out()),
        {"device": KIOSK},
    ),
    Case(
        "KioskAppDown",
        trouble("kiosk_app"),
        60,
        150,
        also(trouble("kiosk_app"), shut(20, 130)),
        {"device": KIOSK, "township": "511825100"},
    ),
    Case(
        "KioskDiskFull",
        trouble("disk_full", part="/"),
        110,
        200,
        trouble("disk_full", part="/", last=86),
        {"device": KIOSK, "volume": "/"},
    ),
    Case(
        "PeripheralDown",
        trouble("peripheral", part="screen"),
        100,
        150,
        also(trouble("peripheral", part="screen"), maintained()),
        {"peripheral": "screen", "device": KIOSK},
    ),
    Case(
        "PeripheralDown",
        kiosk_out("printer"),
        100,
        150,
        also(kiosk_out("printer"), shut(20, 130)),
        {"device": f"{V1}-printer", "peripheral": "network-printer"},
    ),
    Case(
        "PrinterFault",
        trouble("printer_fault", "printer", "jammed"),
        80,
        150,
        also(trouble("printer_fault", "printer", "jammed"), shut(20, 130)),
        {"fault": "jammed"},
    ),
    Case(
        "PrinterSupplyLow",
        trouble("supply_low", "printer", "black"),
        110,
        200,
        trouble("supply_low", "printer", "black", 86),
        {"supply": "black"},
    ),
    Case(
        "DeviceRebootLoop",
        trouble("restarts", "router"),
        60,
        170,
        trouble("restarts", "router", last=38),
        {"device": ROUTER},
    ),
    Case(
        "DeviceTemperatureHigh",
        trouble("temperature", "router"),
        80,
        160,
        trouble("temperature", "router", last=48),
        {"device": ROUTER},
    ),
    Case(
        "DeviceClockSkew", trouble("clock", "router"), 100, 150, trouble("clock", "router", last=86), {"device": ROUTER}
    ),
    Case(
        "ConfigDrift",
        value("cuntong_provision_drifted_devices", 0, 2, 30, 1800, **{"class": "router"}),
        1600,
        1950,
        value("cuntong_provision_drifted_devices", 0, 2, 30, 1400, **{"class": "router"}),
        {"county": "511825"},
        step=5,
    ),
    Case(
        "ConfigBackupStale",
        value("cuntong_device_config_backup_timestamp_seconds", 0, -WEEK - 86400, 30, 600, site=V1, device=ROUTER),
        420,
        700,
        value("cuntong_device_config_backup_timestamp_seconds", 0, -WEEK + 43200, 30, 600, site=V1, device=ROUTER),
        {"county": "511825"},
        step=2,
    ),
    Case(
        "ConfigBackupMissing",
        value("cuntong_provision_devices_without_backup", 0, 1, 30, 1800),
        1600,
        1950,
        value("cuntong_provision_devices_without_backup", 0, 1, 30, 1400),
        {"county": "511825"},
        step=5,
    ),
    Case(
        "ProvisionRunFailing",
        growing("cuntong_provision_runs_total", 0.05, 30, 120, outcome="stopped"),
        140,
        1700,
        also(
            growing("cuntong_provision_runs_total", 0.05, 30, 120, outcome="stopped"),
            growing("cuntong_provision_runs_total", 0.5, 30, 240, outcome="done"),
        ),
        {"outcome": "stopped"},
        step=2,
    ),
    Case(
        "ProvisionRunAbandoned",
        value("cuntong_provision_runs_in_progress", 0, 1, state="abandoned"),
        60,
        150,
        value("cuntong_provision_runs_in_progress", 0, 1, state="running"),
        {"state": "abandoned"},
    ),
    Case(
        "ProvisionDeviceLost",
        value("cuntong_provision_device_changes_total", 0, 1, 30, 9999, state="lost"),
        60,
        180,
        value("cuntong_provision_device_changes_total", 0, 1, 30, 9999, state="rolled_back"),
        {"county": "511825"},
    ),
    Case(
        "CoverageBelowTarget",
        milestone(5, 86400 * 10),
        500,
        1400,
        milestone(5, 86400 * 60),
        {"milestone": "m1"},
        step=5,
    ),
    Case(
        "CoverageRegression",
        covered(1500, 2200, 90),
        1900,
        2600,
        covered(1500, 2200, 99),
        {"requirement": "extranet"},
        step=5,
    ),
    Case("CoverageEvidenceStale", evidence, 120, 320, also(evidence, shut(0, 400)), {"requirement": "kiosk"}),
    Case(
        "CoverageRollupStale",
        value("cuntong_coverage_snapshot_timestamp_seconds", 20_000, 0, 30, 120, job="cuntong-api"),
        60,
        150,
        value("cuntong_coverage_snapshot_timestamp_seconds", 20_000, 1800, 30, 40, job="cuntong-api"),
        {"scope": "coverage"},
    ),
    Case(
        "CollectorDown",
        lambda w: w.put("up", 1, (30, 120, 0)),
        50,
        140,
        lambda w: w.put("up", 1, (30, 32, 0)),
        {"county": "511825"},
    ),
    Case(
        "CollectorDown",
        lambda w: w.put("up", 1, (30, 120, None)),
        50,
        140,
        also(
            lambda w: w.put("up", 1, (30, 120, None)),
            lambda w: w.put("up", None, (28, 240, 1), instance="127.0.0.1:9999"),
        ),
        {"county": "511825"},
    ),
    Case(
        "CollectorCycleStale",
        lambda w: w.put("cuntong_collector_cycle_timestamp_seconds", 1800, (120, 240, 14_400), job="cuntong-process"),
        60,
        150,
        also(
            lambda w: w.put("cuntong_collector_interval_seconds", 3600, job="cuntong-process"),
            lambda w: w.put("cuntong_collector_cycle_timestamp_seconds", 1800, job="cuntong-process"),
        ),
        {"county": "511825"},
    ),
    Case(
        "CollectorLagging",
        collector("cuntong_collector_watching", 1, 0),
        60,
        150,
        collector("cuntong_collector_watching", 1, 0, 30, 38),
        {"county": "511825"},
    ),
    Case(
        "CollectorCycleSlow",
        collector("cuntong_collector_cycle_duration_seconds", 60, 120),
        80,
        180,
        collector("cuntong_collector_cycle_duration_seconds", 60, 80),
        {"county": "511825"},
    ),
    Case("CollectorSnmpAuthErrors", refused(1), 110, 235, refused(0.2), {"county": "511825"}),
    Case(
        "CollectorJournalStuck",
        collector("cuntong_collector_journal_pending", 0, 5),
        60,
        150,
        also(
            collector("cuntong_collector_journal_pending", 5, 0, 0, 0),
            lambda w: w.put(
                "cuntong_collector_journal_pending",
                5,
                *((n, n + 1, 0) for n in range(0, 240, 8)),
                job="cuntong-process",
            ),
        ),
        {"county": "511825"},
    ),
    Case(
        "PlatformUnreachable",
        value(
            "cuntong_collector_platform_reachable",
            1,
            0,
            platform="services",
            host="h",
            port="443",
            job="cuntong-process",
        ),
        60,
        150,
        also(
            value(
                "cuntong_collector_platform_reachable",
                1,
                0,
                platform="services",
                host="h",
                port="443",
                job="cuntong-process",
            ),
            lambda w: w.put(
                "cuntong_collector_platform_reachable",
                1,
                platform="services",
                host="h2",
                port="443",
                job="cuntong-process",
            ),
        ),
        {"platform": "services"},
    ),
    Case(
        "ApiDown",
        value("up", 1, 0, job="cuntong-api", instance="127.0.0.1:8080"),
        60,
        150,
        value("up", 1, 0, 30, 32, job="cuntong-api", instance="127.0.0.1:8080"),
        {"job": "cuntong-api"},
    ),
    Case(
        "ApiDown",
        value("up", 1, None, job="cuntong-api", instance="127.0.0.1:8080"),
        60,
        150,
        value("up", 1, None, 30, 32, job="cuntong-api", instance="127.0.0.1:8080"),
        {"job": "cuntong-api"},
    ),
    Case(
        "TimedWorkFailed",
        value("cuntong_work_failed", 0, 1, work="backup"),
        60,
        150,
        value("cuntong_work_failed", 0, 1, 30, 40, work="backup"),
        {"work": "backup"},
    ),
    Case(
        "TimedWorkOverdue",
        value("cuntong_work_due_timestamp_seconds", 20_000, 0, 30, 240, work="backup"),
        150,
        260,
        value("cuntong_work_due_timestamp_seconds", 20_000, 3_600, 30, 170, work="backup"),
        {"work": "backup"},
    ),
    Case(
        "SeriesBudgetExceeded",
        value("scrape_samples_post_metric_relabeling", 14_000, 90_000),
        110,
        200,
        value("scrape_samples_post_metric_relabeling", 14_000, 79_000),
        {"county": "511825"},
    ),
    Case(
        "SdRefreshFailing",
        of_prometheus("prometheus_sd_http_failures_total", 1),
        80,
        150,
        of_prometheus("prometheus_sd_http_failures_total", 0),
        {"instance": "127.0.0.1:9090"},
    ),
    Case(
        "RuleEvaluationFailing",
        of_prometheus("prometheus_rule_evaluation_failures_total", 1, rule_group="g"),
        80,
        150,
        of_prometheus("prometheus_rule_evaluation_failures_total", 0, rule_group="g"),
        {"instance": "127.0.0.1:9090"},
    ),
    Case(
        "NotificationsFailing",
        of_prometheus("alertmanager_notifications_failed_total", 1, integration="webhook"),
        80,
        150,
        of_prometheus("alertmanager_notifications_failed_total", 0, integration="webhook"),
        {"integration": "webhook"},
    ),
    Case(
        "NotificationsFailing",
        of_prometheus("prometheus_notifications_dropped_total", 1),
        80,
        150,
        of_prometheus("prometheus_notifications_dropped_total", 0),
        {"instance": "127.0.0.1:9090"},
    ),
    Case(
        "NotificationsFailing",
        lambda world: waiting(world, 30, 60),
        55,
        70,
        lambda world: waiting(world, 40, 52),
        {"receiver": "duty", "evidence": "queue"},
    ),
]


def found(case: Case) -> str:
    """How many alerts of the case's kind fire."""
    chosen = ",".join(f'{name}="{what}"' for name, what in sorted(case.by.items()))
    return f'count(ALERTS{{alertname="{case.alert}",alertstate="firing",{chosen}}})'


@cache
def file_of(alert: str) -> str:
    return next(path.stem for path in files_of(RULES) for rule in alerts(read(path)[0]) if rule.name == alert)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.alert}-{'-'.join(case.by.values())}")
def test_an_alert_fires_and_ends(case: Case, county: type["World"], judged: Callable[..., None]) -> None:
    world = county(case.over + 8, case.step)
    case.tell(world)
    expression = found(case)
    expected = [(25, expression, {}), (case.firing, expression, {"{}": case.count}), (case.over, expression, {})]
    judged(world, expected, file_of(case.alert))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.alert}-{'-'.join(case.by.values())}")
def test_an_alert_is_silent_beside_the_nearest_miss(
    case: Case, county: type["World"], judged: Callable[..., None]
) -> None:
    world = county(case.over + 8, case.step)
    case.miss(world)
    # Another rule of the same name may speak: that of this case must not.
    marks = {name: what for name, what in case.by.items() if name in ("evidence", "window", "peripheral", "carrier")}
    chosen = "".join(f',{name}="{what}"' for name, what in marks.items())
    quiet = f'ALERTS{{alertname="{case.alert}",alertstate="firing"{chosen}}}'
    judged(world, [(minute, quiet, {}) for minute in (case.firing, case.over)], file_of(case.alert))


def test_the_heartbeat_never_stops(county: type["World"], judged: Callable[..., None]) -> None:
    beats = 'count(ALERTS{alertname="Watchdog",alertstate="firing",severity="none"})'
    judged(county(60), [(minute, beats, {"{}": 1}) for minute in (1, 30, 59)], "70-*")


def test_every_alert_has_its_cases() -> None:
    named = {rule.name for path in files_of(RULES) for rule in alerts(read(path)[0])}
    assert named - {case.alert for case in CASES} == {"Watchdog"}


def test_in_a_county_that_is_well_nothing_fires(county: type["World"], judged: Callable[..., None]) -> None:
    world = county(240)
    world.put("up", 1, job="cuntong-api", instance="127.0.0.1:8080")
    judged(world, [(minute, 'ALERTS{alertname!="Watchdog"}', {}) for minute in (20, 120, 239)])
