"""Alertmanager's configuration: who hears of what, how often, and what keeps silent because its cause is known.

Checked with amtool 0.25. Our own API stands first and hears everything that is not inhibited. ``notify`` of an alert
says whether it may come at any hour (its expression knows service hours), waits for the office, or is only kept.
"""

from typing import Any, Final

import yaml

from exporter.alertmanager.hours import closed_days, open_hours
from exporter.alertmanager.settings import JOBS, Alerting, Hook
from inventory.calendars import Calendar

PLACE: Final = ["province", "county"]
DEADMAN, API, NOBODY, PAGE, NOC, COUNTY = "deadman", "cuntong", "nobody", "noc-page", "noc", "county-ops"
OPEN, HOLIDAYS = "office-hours", "holidays"
_SITES: Final = "site|link|device|kiosk|peripheral"
_BELOW: Final = f"{_SITES}|slo|service"

_USUAL: Final = Calendar.model_validate({"title": "Office", "weekly": {"mon-fri": ["09:00-12:00", "13:00-17:00"]}})
"""Where the inventory has no calendar of the name that the settings give."""

INHIBITIONS: Final[tuple[dict[str, Any], ...]] = tuple(
    {"source_matchers": source, "target_matchers": target, "equal": [*PLACE, *equal]}
    for source, target, equal in (
        (['alertname=~"CollectorDown|CollectorCycleStale"'], [f'scope=~"county|uplink|township|{_BELOW}"'], []),
        (['alertname="CollectorDown"'], ['alertname=~"CollectorCycleStale|CollectorLagging|CollectorCycleSlow"'], []),
        (['alertname="CollectorCycleStale"'], ['alertname=~"CollectorLagging|CollectorCycleSlow"'], []),
        (['alertname="CountyCoreDown"'], [f'scope=~"uplink|township|{_BELOW}"'], []),
        (['alertname="UplinkNodeDown"'], [f'scope=~"{_SITES}"'], ["uplink"]),
        (['alertname="UplinkNodeDown"', 'evidence=""'], [f'scope=~"{_SITES}"'], ["site"]),
        (['alertname=~"UplinkNodeDown|TownshipSitesDownMany"'], ['scope="slo"'], []),
        (['alertname="TownshipSitesDownMany"'], ['alertname="SiteDown"'], ["township"]),
        (['alertname="SiteDown"'], ['scope=~"link|device|kiosk|peripheral"'], ["site"]),
        (['alertname="KioskDown"'], ['alertname=~"KioskAppDown|PeripheralDown|KioskDiskFull"'], ["site", "device"]),
        (['alertname="CarrierAvailabilityBudgetFast"'], ['alertname="CountyAvailabilityBudgetFast"'], []),
        (['alertname="CountyAvailabilityBudgetFast"'], ['alertname="CountyAvailabilityBudgetSlow"'], []),
        (
            ['alertname="CarrierAvailabilityBudgetFast"'], ['alertname="CarrierAvailabilityBudgetSlow"'], ["carrier"],
        ),
    )
)  # fmt: skip
"""What is not said because its cause is. The linter sees that every source and target carries the labels of ``equal``:
a label that both sides lack counts as equal and would silence a stranger."""


def configuration(settings: Alerting, calendar: Calendar | None = None) -> dict[str, Any]:
    """The document of alertmanager.yml.

    Args:
        calendar: the office's; Monday to Friday where there is none.
    """
    hours = calendar or _USUAL
    # People on our channels are told by us: whoever has any hears by way of our own receiver.
    ours = {job: (settings.api,) if names else () for job, names in settings.tell.items()}
    told_by_us = {job: ours.get(job, ()) for job in JOBS}
    counties = {
        code: (*settings.counties.get(code, ()), *ours.get(code, ()))
        for code in {*settings.counties, *(ours.keys() - set(JOBS))}
    }
    county = [
        _digests([f'county="{code}"'], f"{COUNTY}-{code}") for code in sorted(counties)
    ]  # before everybody's, whose routes take the rest
    routes = [
        _route(['alertname="Watchdog"'], DEADMAN, ["alertname"], "0s", "1m", "1m"),
        _route([], API, ["alertname", *PLACE], "5s", "30s", "4h") | {"continue": True},
        {"matchers": ['notify=~"ledger|none"'], "receiver": NOBODY},
        _route(['scope=~"county|collector"', 'notify="now"'], PAGE, ["alertname", "province"], "1m", "5m", "4h"),
        _route(['scope="uplink"', 'notify="now"'], PAGE, [*PLACE, "uplink"], "30s", "5m", "4h"),
        _route(
            ['severity="critical"', 'notify="now"'], PAGE, ["alertname", *PLACE, "carrier", "platform"],
            "30s", "5m", "4h",
        ),
        _route(['scope="township"', 'notify="now"'], NOC, [*PLACE, "township"], "1m", "10m", "12h"),
        *(route for both in county for route in both),
        *_digests([], COUNTY),
        _route(['notify="office"'], NOC, ["alertname", *PLACE], "5m", "1h", "24h") | _in_office(),
        _route([], NOC, ["alertname", *PLACE], "1m", "10m", "12h"),  # the root is not asked: our receiver took it
    ]  # fmt: skip
    hooks = {
        API: [settings.api], NOBODY: [], DEADMAN: [settings.api, *settings.deadman],
        PAGE: [*settings.page, *told_by_us["page"]], NOC: [*settings.noc, *told_by_us["noc"]],
        COUNTY: [*settings.county, *told_by_us["county"]],
        **{f"{COUNTY}-{code}": told for code, told in sorted(counties.items())},
    }  # fmt: skip
    return {
        "route": {
            "receiver": NOC,
            "group_by": ["alertname", *PLACE],
            "group_wait": "1m",
            "group_interval": "10m",
            "repeat_interval": "12h",
            "routes": routes,
        },
        "inhibit_rules": [dict(rule) for rule in INHIBITIONS],
        "time_intervals": [
            {"name": OPEN, "time_intervals": open_hours(hours)},
            # Without a date it would be empty, and Alertmanager refuses that: the first day of our time.
            {"name": HOLIDAYS, "time_intervals": closed_days(hours) or [{"years": ["1970"]}]},
        ],
        "receivers": [_receiver(name, told) for name, told in hooks.items()],
    }


def render(settings: Alerting, calendar: Calendar | None = None) -> str:
    """``alertmanager.yml`` as text."""
    head = "# Written by `cuntong rules` from the inventory's alerting.yml. Change that, not this.\n"
    return head + yaml.safe_dump(configuration(settings, calendar), sort_keys=False, allow_unicode=True, width=120)


def _digests(more: list[str], receiver: str) -> list[dict[str, Any]]:
    """One notification a township: of what people wait for now, and of what can wait for the office."""
    by = [*PLACE, "township"]
    return [
        _route([*more, f'scope=~"{_SITES}"', 'notify="now"'], receiver, by, "5m", "30m", "24h"),
        _route([*more, f'scope=~"{_SITES}"', 'notify="office"'], receiver, by, "10m", "1h", "24h") | _in_office(),
    ]


def _route(
    matchers: list[str], receiver: str, group_by: list[str], wait: str, interval: str, repeat: str
) -> dict[str, Any]:
    named: dict[str, Any] = {"matchers": matchers} if matchers else {}
    return named | {
        "receiver": receiver, "group_by": group_by,
        "group_wait": wait, "group_interval": interval, "repeat_interval": repeat,
    }  # fmt: skip


def _in_office() -> dict[str, Any]:
    return {"active_time_intervals": [OPEN], "mute_time_intervals": [HOLIDAYS]}


def _receiver(name: str, hooks: Any) -> dict[str, Any]:
    told = [_webhook(hook) for hook in hooks]
    return {"name": name, "webhook_configs": told} if told else {"name": name}


def _webhook(hook: Hook) -> dict[str, Any]:
    token = {"authorization": {"type": "Bearer", "credentials_file": str(hook.token_file)}} if hook.token_file else {}
    return {"url": hook.url, "send_resolved": True, "max_alerts": 0} | ({"http_config": token} if token else {})
