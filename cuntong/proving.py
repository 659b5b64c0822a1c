"""``cuntong demo --check``: runs the demo county, breaks it in two ways, and compares what users then see."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from cuntong import demo, http
from cuntong.changing.scope import routers_in
from cuntong.collect import is_asked
from cuntong.errors import StartError
from cuntong.watching import County, samples
from inventory.devices import Device
from inventory.errors import CuntongError
from inventory.model import Inventory
from rollout.change import ChangeState
from simulator.control import request

_INTERVAL_S: Final = 2.0
_PATIENCE_S: Final = 20.0
_UPLINK: Final = "511825101000"  # 始阳镇 of the example


@dataclass(frozen=True, slots=True)
class Proof:
    """One expectation and what was seen."""

    id: str
    expected: Any
    actual: Any

    @property
    def ok(self) -> bool:
        return bool(self.expected == self.actual)


@dataclass
class Report:
    """What ``--check`` prints; ``failed`` is empty when everything held."""

    sites: int = 0
    devices: int = 0
    devices_up: int = 0
    first_sweep_seconds: float | None = None
    coverage: dict[str, Any] = field(default_factory=dict)
    acceptance: list[Proof] = field(default_factory=list)
    failed: str = ""

    def expect(self, id: str, expected: Any, actual: Any) -> None:
        self.acceptance.append(Proof(id, expected, actual))

    def as_json(self) -> dict[str, Any]:
        document = asdict(self)
        document["acceptance"] = [{**asdict(proof), "ok": proof.ok} for proof in self.acceptance]
        if not self.failed:
            del document["failed"]
        return document


def prove(folder: Path, inventory: Inventory, scope: str | None = None) -> Report:
    """Run the county on free ports and collect the proofs. Never raises for what the county does.

    Args:
        scope: whose routers come new from the bench and are provisioned first; None leaves that out.
    """
    report = Report(sites=len(inventory.sites), devices=len(inventory.devices))
    try:
        new = routers_in(inventory, scope) if scope else []
        bare = (inventory, new) if new else None
        with demo.stage(folder, http.free_port(), "calm", interval_s=_INTERVAL_S, bare=bare) as running:
            if scope:
                _provision(report, inventory, running, scope, new)
            _play(report, inventory, running, folder == demo.EXAMPLE)
    except CuntongError as error:
        report.failed = str(error)
    missed = [proof.id for proof in report.acceptance if not proof.ok]
    if missed and not report.failed:
        report.failed = f"Not as expected: {', '.join(missed)}."
    return report


def _play(report: Report, inventory: Inventory, running: demo.Stage, example: bool) -> None:
    county = County(inventory, running.page, running.metrics)
    figures = demo.wait_for_sweep(running, county)
    denominator = figures.coverage["denominator"]
    if example:
        report.expect("sites", 1 + 35 + 10 + 96, len(inventory.sites))
        report.expect("devices", 375, len(inventory.devices))
        report.expect("villages", 96, denominator)
    asked = sum(map(is_asked, inventory.devices))
    report.expect("every device answers", asked, _settled(lambda: _devices_up(county), asked))
    figures = county.figures() or figures
    report.devices_up, report.first_sweep_seconds = figures.devices_up, round(figures.first_sweep_s or 0.0, 3)
    coverage = figures.coverage
    report.coverage = {
        key: coverage[key]
        for key in ("code", "numerator", "denominator", "villages", "communities", "unknown", "as_of")
    }
    series = {name for name, _, _ in samples(county.metrics_text())}
    report.expect("Prometheus text", True, {"cuntong_site_up", "cuntong_device_up", "cuntong_site_info"} <= series)
    if not denominator:
        return
    _cut_power(report, inventory, running, county, denominator)
    _cut_uplink(report, inventory, running, county)


def _provision(report: Report, inventory: Inventory, running: demo.Stage, scope: str, new: Sequence[Device]) -> None:
    """Routers as the bench leaves them: not one village behind them is reached; then waves, and evidence of it."""
    county = County(inventory, running.page, running.metrics)
    demo.wait_for_sweep(running, county)
    sites = sorted({inventory.sites.ids[device.site] for device in new})
    dark = {"reachable": 0, "sites": len(sites)}
    report.expect("behind new routers", dark, _settled(lambda: _reached(county, sites), dark))
    result = demo.provision(inventory, running, scope, new)
    done = {"confirmed": len(new), "stopped": ""}
    confirmed = sum(one.state is ChangeState.CONFIRMED for one in result.outcomes.values())
    report.expect("provisioned in waves", done, {"confirmed": confirmed, "stopped": result.stopped})
    lit = {"reachable": len(sites), "sites": len(sites)}
    report.expect("behind provisioned routers", lit, _settled(lambda: _reached(county, sites), lit))


def _reached(county: County, sites: Sequence[str]) -> dict[str, int]:
    told = county.get("/v1/sites?reachable=yes&limit=1000")["data"]
    return {"reachable": len({one["id"] for one in told} & set(sites)), "sites": len(sites)}


def _cut_power(report: Report, inventory: Inventory, running: demo.Stage, county: County, denominator: int) -> None:
    """A village without electricity: the claim stays, the measurement does not."""
    site = next(
        site
        for site, (kind, node) in enumerate(zip(inventory.sites.types, inventory.sites.nodes, strict=True))
        if kind == "village_site" and inventory.nodes.kinds[int(node)] in ("village", "community")
    )
    village = inventory.sites.ids[site]
    says = sum(
        any(said.claim.says_connected for said in inventory.claims(other)[-1:])
        for other, kind in enumerate(inventory.sites.types)
        if kind == "village_site"
    )
    contradicted = any(said.claim.says_connected for said in inventory.claims(site)[-1:])
    whole = {"claimed": f"{says}/{denominator}", "measured": f"{denominator}/{denominator}", "contradictions": 0}
    cut = {**whole, "measured": f"{denominator - 1}/{denominator}", "contradictions": int(contradicted)}
    _tell(running, {"do": "inject", "fault": {"fault": "power_cut", "target": village}})
    report.expect("power cut at one village", cut, _settled(lambda: _measured(county), cut))
    _tell(running, {"do": "clear", "target": village})
    report.expect("power back", whole, _settled(lambda: _measured(county), whole))


def _cut_uplink(report: Report, inventory: Inventory, running: demo.Stage, county: County) -> None:
    """A township's line: one incident, not one for each village."""
    nodes, sites = inventory.nodes, inventory.sites
    townships = [node for node, level in enumerate(nodes.levels) if level == 4]
    node = nodes.index.get(_UPLINK) or max(townships, key=lambda node: sites.span(node)[1] - sites.span(node)[0])
    low, high = sites.span(node)
    target = sites.ids[low]
    expected = {"incidents": 1, "node": target, "sites": high - low}
    _tell(running, {"do": "inject", "fault": {"fault": "uplink_cut", "target": target}})
    report.expect("uplink of one township cut", expected, _settled(lambda: _incidents(county), expected))
    _tell(running, {"do": "clear", "target": target})
    healed = {"incidents": 0, "node": None, "sites": 0}
    report.expect("uplink back", healed, _settled(lambda: _incidents(county), healed))


def _settled(look: Callable[[], Any], expected: Any) -> Any:
    """What is seen once it is as expected; else what was seen last before patience ended."""
    deadline = time.monotonic() + _PATIENCE_S
    while (seen := look()) != expected and time.monotonic() < deadline:
        time.sleep(0.2)
    return seen


def _devices_up(county: County) -> int:
    figures = county.figures()
    return figures.devices_up if figures else 0


def _measured(county: County) -> dict[str, Any]:
    coverage = county.get("/v1/coverage/" + county.top)
    claimed, works = coverage["claimed"], coverage["works_now"]
    return {
        "claimed": f"{claimed['numerator']}/{claimed['denominator']}",
        "measured": f"{works['numerator']}/{works['denominator']}",
        "contradictions": len(coverage["contradictions"]),
    }


def _incidents(county: County) -> dict[str, Any]:
    outages = county.get("/v1/outages?open=true&limit=1000")["data"]
    widest = max(outages, key=lambda outage: outage["sites_affected"], default=None)
    return {
        "incidents": len(outages),
        "node": widest["node"] if widest else None,
        "sites": widest["sites_affected"] if widest else 0,
    }


def _tell(running: demo.Stage, message: dict[str, Any]) -> None:
    answer = asyncio.run(request(running.control, message))
    if not answer.get("ok"):
        raise StartError(f"The simulator refused {message}: {answer.get('error')}")
