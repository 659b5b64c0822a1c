"""What the command line shows: tables drawn for people, the same rows for programs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table as Drawing
from rich.tree import Tree

from health.reading import Readings, Store, Supply
from inventory.circuits import ending
from inventory.errors import Problem
from inventory.laws import expired
from inventory.model import Inventory
from inventory.scaffold import ScaffoldReport
from inventory.utilisation import connection_modes, utilisation

_FREE_TEXT = 48  # columns for what somebody wrote on a port; everything else stays whole
_WIDE = 400


def wide(console: Console) -> Console:
    """The same output without a right edge: a row that is cut says less than one that the terminal wraps."""
    return Console(file=console.file, width=max(console.width, _WIDE), no_color=console.no_color)


@dataclass(frozen=True)
class Table:
    """Rows as plain values, and how they are drawn."""

    rows: Any
    picture: RenderableType | None = None
    title: str = ""

    def drawn(self) -> RenderableType:
        return self.picture if self.picture is not None else _draw(self.title, self.rows)


def _draw(title: str, rows: Sequence[Mapping[str, Any]], note: str = "") -> Drawing:
    table = Drawing(title=title, title_justify="left", title_style="bold", box=None, header_style="dim", caption=note)
    for name in rows[0] if rows else ():
        numbers = all(isinstance(row[name], int | float) for row in rows)
        table.add_column(
            name.replace("_", " "),
            justify="right" if numbers else "left",
            no_wrap=True,
            overflow="ellipsis",
            max_width=_FREE_TEXT if name in ("alias", "says") else None,
        )
    for row in rows:
        table.add_row(*("" if value is None else escape(str(value)) for value in row.values()))
    return table


def sites(inventory: Inventory, node: int) -> Table:
    low, high = inventory.sites.span(node)
    columns = inventory.sites
    rows = [
        {
            "id": columns.ids[site],
            "code": inventory.nodes.codes[int(columns.nodes[site])],
            "name": columns.names[site],
            "type": columns.types[site],
            "class": columns.classes[site],
            "link": columns.link_types[site],
            "carrier": columns.carriers[site],
            "devices": len(inventory.devices.ordinals(site)),
        }
        for site in range(low, high)
    ]
    return Table(rows, title=f"{inventory.nodes.names[node]}: {len(rows)} sites")


def devices(inventory: Inventory, node: int) -> Table:
    low, high = inventory.sites.span(node)
    rows = [
        {
            "id": device.id,
            "class": str(device.device_class),
            "model": inventory.models[device.model].title,
            "profile": device.profile,
            "address": device.address,
            "owner": device.owner,
            "monitored": device.monitored,
            "uplinks": " ".join(inventory.devices[uplink].id for uplink in device.uplinks),
        }
        for site in range(low, high)
        for device in inventory.devices.of(site)
    ]
    return Table(rows, title=f"{inventory.nodes.names[node]}: {len(rows)} devices")


def addresses(inventory: Inventory, node: int) -> Table:
    """Use of each pool and block, and how the sites of each tier are connected."""
    inside = {inventory.nodes.codes[below] for below in range(node, inventory.nodes.ends[node])}
    used = [
        {
            "vrf": use.vrf,
            "kind": use.kind,
            "prefix": use.prefix,
            "division": use.name,
            "used": use.used,
            "retired": use.reserved,
            "total": use.total,
            "percent": f"{100 * use.used_ratio:.0f}%",
        }
        for use in utilisation(inventory)
        if not use.code or use.code in inside
    ]
    modes = [
        {"tier": tier, "link": link, "sites": count}
        for tier, links in connection_modes(inventory).items()
        for link, count in links.items()
    ]
    picture = Group(_draw("Addresses", used), "", _draw("Connection mode per tier", modes))
    return Table({"addresses": used, "connection_modes": modes}, picture)


def tree(inventory: Inventory, node: int) -> Table:
    """The uplink tree beneath a division's first site, or beneath the top."""
    below: dict[int, list[int]] = {}
    for site in range(len(inventory.sites)):
        for above in inventory.site_uplinks(site)[:1]:
            below.setdefault(above, []).append(site)
    low, high = inventory.sites.span(node)
    roots = [site for site in range(low, high) if not inventory.site_uplinks(site)] if node == 0 else [low]

    def plain(site: int) -> dict[str, Any]:
        return {"site": inventory.sites.ids[site], "beneath": [plain(child) for child in below.get(site, ())]}

    def grow(branch: Tree, site: int) -> None:
        for child in below.get(site, ()):
            grow(branch.add(_leaf(inventory, child)), child)

    trunk = Tree(f"[bold]{escape(inventory.title)}[/bold]")
    for site in roots:
        grow(trunk.add(_leaf(inventory, site)), site)
    return Table([plain(site) for site in roots], trunk)


def _leaf(inventory: Inventory, site: int) -> str:
    columns = inventory.sites
    line = f"{columns.link_types[site]} {columns.carriers[site]}"
    return f"{columns.ids[site]} [dim]{escape(columns.names[site])} {line}[/dim]"


def problem(one: Problem) -> dict[str, Any]:
    return asdict(one)


def checked(inventory: Inventory, added: Sequence[str], today: date) -> RenderableType:
    kinds = Counter(inventory.sites.types)
    classes = Counter(str(device.device_class) for device in inventory.devices)
    lines = [
        f"[green]✓[/green] [bold]{escape(inventory.title)}[/bold]: nothing wrong",
        f"  {len(inventory.sites)} sites: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items()),
        f"  {len(inventory.devices)} devices: " + ", ".join(f"{count} {kind}s" for kind, count in classes.items()),
    ]
    lines += [f"  [cyan]allocated[/cyan] {escape(line)}" for line in added]
    lines += [f"  [yellow]finding[/yellow] {escape(str(finding))}" for finding in inventory.findings]
    lines += [f"  [yellow]expired[/yellow] {escape(sentence)}" for sentence in expired(inventory.county, today)]
    for one in ending(inventory, today):
        verb = "ended" if one.contract_until and one.contract_until < today else "ends"
        where, number = inventory.sites.ids[one.site], one.number or "a circuit without a number"
        lines.append(f"  [yellow]contract[/yellow] {escape(number)} of {escape(where)} {verb} on {one.contract_until}")
    return "\n".join(lines)


def scaffolded(report: ScaffoldReport, folder: Path) -> RenderableType:
    lines = [
        f"[green]✓[/green] [bold]{escape(report.title)}[/bold]: {report.townships} townships, {report.villages} "
        f"villages and communities, {report.sites} sites in {escape(str(folder))}",
        *(f"  {escape(note)}" for note in report.notes),
        f"  Next: read {escape(str(folder / 'county.yml'))}, then run: cuntong check {escape(str(folder))}",
    ]
    return "\n".join(lines)


def played(message: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    match message["do"]:
        case "inject":
            fault = message["fault"]
            return f"{fault['fault']} at {fault['target']}: {answer['devices']} devices concerned"
        case "clear":
            cleared = answer["cleared"]
            return (
                "\n".join(f"mended: {one['fault']} at {one['target']}" for one in cleared) or "nothing was broken there"
            )
        case _:
            faults = answer["faults"]
            return "\n".join(f"{one['fault']} {one['target']}" for one in faults) or "nothing is broken"


def readings(found: Readings) -> RenderableType:
    """One device for a person: identity first, then what it measured."""
    identity = found.identity
    head = {
        "vendor": identity.vendor,
        "model": identity.model,
        "system": " ".join(filter(None, (identity.os, identity.os_version))) or None,
        "serial": identity.serial,
        "name": identity.sys_name,
        "profile": identity.profile,
        "up for": None if found.uptime_seconds is None else _long(found.uptime_seconds),
    }
    grid = Drawing.grid(padding=(0, 2))
    for name, value in head.items():
        grid.add_row(f"[dim]{name}[/dim]", "[dim]unknown[/dim]" if value is None else escape(value))
    parts: list[RenderableType] = [grid]
    for title, rows in _sections(found):
        if rows:
            parts += ["", _draw(title, rows)]
    parts += [f"[yellow]! {escape(one)}[/yellow]" for one in found.problems]
    return Group(*parts)


def _sections(found: Readings) -> list[tuple[str, list[dict[str, Any]]]]:
    printer, ups = found.printer, found.ups
    return [
        ("Processors", [{"name": p.name, "used": _percent(p.usage_ratio)} for p in found.processors]),
        ("Memory", [_store(store) for store in found.memory]),
        ("Storage", [_store(store) for store in found.storage]),
        (
            "Interfaces",
            [
                {
                    "name": port.name,
                    "state": {True: "up", False: "down", None: None}[port.oper_up],
                    "speed": None if port.speed_bps is None else f"{port.speed_bps / 1e6:g}M",
                    "in": _bytes(port.in_octets),
                    "out": _bytes(port.out_octets),
                    "errors": None if port.in_errors is None else port.in_errors + (port.out_errors or 0),
                    "alias": port.alias,
                }
                for port in found.interfaces
            ],
        ),
        ("Sensors", [{"kind": s.kind, "name": s.name, "value": s.value, "unit": s.unit} for s in found.sensors]),
        ("Printer", [{"status": printer.status, "errors": ", ".join(printer.errors)}] if printer else []),
        ("Supplies", [_supply(one) for one in (*printer.supplies, *printer.trays)] if printer else []),
        ("UPS", [asdict(ups)] if ups else []),
        ("Cellular", [asdict(one) for one in found.cellular]),
        ("Scripts", [{"name": e.name, "exit code": e.result, "says": e.output} for e in found.extends]),
    ]


def _store(store: Store) -> dict[str, Any]:
    return {
        "name": store.name,
        "used": _percent(store.used_ratio),
        "of": _bytes(store.total_bytes),
    }


def _supply(one: Supply) -> dict[str, Any]:
    return {"name": one.name, "kind": one.kind, "left": _percent(one.ratio)}


def _percent(ratio: float | None) -> str | None:
    return None if ratio is None else f"{100 * ratio:.0f}%"


def _bytes(number: int | None) -> str | None:
    if number is None:
        return None
    size = float(number)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError("the last unit takes everything")


def _long(seconds: float) -> str:
    days, rest = divmod(int(seconds), 86_400)
    hours, rest = divmod(rest, 3600)
    return f"{days} d {hours} h" if days else f"{hours} h {rest // 60} min"
