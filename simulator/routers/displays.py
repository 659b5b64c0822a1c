"""What ``display`` and ``show`` commands print: functions of a router, no state of their own."""

import difflib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from simulator.routers.device import SimulatedRouter
from simulator.routers.editing import Place
from simulator.routers.timers import hours_and_minutes
from simulator.routers.tree import Tree

Display = Callable[[SimulatedRouter, Place | None, Sequence[str]], list[str]]
_EPOCH: Final = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


def clock_after(router: SimulatedRouter, minutes: float) -> str:
    """The box's clock in so many minutes: made up, but going."""
    when = _EPOCH + timedelta(minutes=router.uptime_s / router.options.minute_s + minutes)
    return when.strftime("%H:%M:%S %Y/%m/%d")


def _running(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    return router.running.rstrip("\n").split("\n")


def _saved(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    return router.startup.rstrip("\n").split("\n")


def _section(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    """``... interface NAME``, ``... configuration WORD``: the root entries that begin so."""
    name = " ".join(words[2:]).removeprefix("configuration ")
    part = Tree({line: below for line, below in router.tree.items() if line == name or line.startswith(f"{name} ")})
    return [*router.editor.show(part), router.language.last]


def _this(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    stop, last = router.language.breaks[0], router.language.last
    if place is None or not place.path:
        lines = [f" {line}" for line, below in router.tree.items() if below is None] if place is not None else []
        return [stop, *lines, stop, last] if lines else []
    node = router.tree.section(*place.path)
    below = [] if node is None else router.editor.show(Tree({place.path[-1]: node}))[1:-1]
    return [stop, *below, stop, last]


def _difference(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    """The saved configuration against the running one, as a unified difference."""
    saved, running = _saved(router, place, words), _running(router, place, words)
    return [line.rstrip("\n") for line in difflib.unified_diff(saved, running, "Startup", "Current", lineterm="")]


def _compare(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    if not router.unsaved:
        return ["The current configuration is the same as the next startup configuration file."]
    return ["Warning: The current configuration is not the same as the next startup configuration file."]


def _version(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    minutes = int(router.uptime_s / router.options.minute_s)
    fields = {
        "weeks": minutes // 10_080,
        "days": minutes // 1440 % 7,
        "hours": minutes // 60 % 24,
        "minutes": minutes % 60,
        "name": router.name,
    }
    return [line.format(**router.fields, **fields) for line in router.language.version]


def _routes_json(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    table: dict[str, list[dict[str, object]]] = {}
    for one in router.reading.interfaces:
        for address in one.addresses:
            if not one.down:
                table.setdefault(str(address.network), []).append(_route(address.network, "connected", None, one.name))
    for _, network, via in router.reading.routes():
        if (out := out_of(router, via)) is not None:
            table.setdefault(str(network), []).append(_route(network, "static", via, out))
    return json.dumps(table, indent=2).split("\n")


def _route(network: IPv4Network, protocol: str, via: str | None, out: str) -> dict[str, object]:
    hop: dict[str, object] = {"interfaceName": out, "active": True, "fib": True}
    hop |= {"directlyConnected": True} if via is None else {"ip": via, "afi": "ipv4"}
    return {"prefix": str(network), "protocol": protocol, "selected": True, "installed": True, "nexthops": [hop]}


def _interfaces_json(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    table = {
        one.name: {
            "administrativeStatus": "down" if one.down else "up",
            "operationalStatus": "down" if one.down else "up",
            "ipAddresses": [{"address": str(address)} for address in one.addresses],
        }
        for one in router.reading.interfaces
    }
    return json.dumps(table, indent=2).split("\n")


def _startup(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    file = router.language.startup_file
    if router.language.platform.value == "comware":
        return [
            "MainBoard:",
            f" Current startup saved-configuration file: {file}",
            f" Next main startup saved-configuration file: {file}",
            " Next backup startup saved-configuration file: NULL",
        ]
    return [
        "MainBoard:",
        f"  Startup system software:                   flash:/{router.fields['chip']}.cc",
        f"  Next startup system software:              flash:/{router.fields['chip']}.cc",
        f"  Startup saved-configuration file:          {file}",
        f"  Next startup saved-configuration file:     {file}",
        "  Startup paf file:                          default",
    ]


def _serial(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    serial = router.fields["serial"]
    if router.language.platform.value == "comware":
        return [
            "Slot 0 CPU 0:",
            f"DEVICE_NAME          : {router.fields['chip']}",
            f"DEVICE_SERIAL_NUMBER : {serial}",
            "MAC_ADDRESS          : 0000-5E00-5301",
            "MANUFACTURING_DATE   : 2024-05-01",
            "VENDOR_NAME          : H3C",
        ]
    return [f"ESN of device: {serial}"]


def _clock(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    return [clock_after(router, 0)]


def _schedule(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    minutes = router.reboot_in_minutes
    if minutes is None:
        return [
            "No reboot schedule is set."
            if router.language.platform.value == "comware"
            else "Info: There is no reboot schedule."
        ]
    hours, left = hours_and_minutes(minutes)
    return [f"System will reboot at {clock_after(router, minutes)} (in {hours} hours and {left} minutes)."]


def _jobs(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name, minutes in router.jobs.items():
        hours, left = hours_and_minutes(minutes)
        found += [
            f"Schedule name        : {name.rpartition(' ')[2]}",
            f"Schedule type        : Run once after {hours} hours {left} minutes",
            f"Start time           : {clock_after(router, minutes)}",
        ]
    return found


def _routes(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    """The routes whose next hops lie in a network of ours, and those networks themselves."""
    reading = router.reading
    lines = [
        "Routing Tables: Public",
        f"{'Destination/Mask':<20}{'Proto':<8}{'Pre':<5}{'Cost':<6}{'NextHop':<17}Interface",
    ]
    for one in reading.interfaces:
        for address in one.addresses:
            if not one.down:
                lines.append(f"{address.network!s:<20}{'Direct':<8}{0:<5}{0:<6}{address.ip!s:<17}{one.name}")
    for _, network, via in reading.routes():
        out = out_of(router, via)
        if out is not None:
            lines.append(f"{network!s:<20}{'Static':<8}{60:<5}{0:<6}{via:<17}{out}")
    return lines


def _route_entry(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    """One destination as FRR shows it; nothing where it has no usable route (measured on FRR 8.4.4)."""
    wanted, lines = words[-1], list[str]()
    for _, network, via in router.reading.routes():
        out = out_of(router, via)
        if str(network) == wanted and out is not None:
            lines += [f"Routing entry for {network}", '  Known via "static", distance 1, metric 0, best']
            lines += ["  Last update 00:01:00 ago", f"  * {via}, via {out}, weight 1", ""]
    return lines


def out_of(router: SimulatedRouter, via: str) -> str | None:
    """The interface that a next hop lies behind; None where the route is not usable."""
    for one in router.reading.interfaces:
        if one.down:
            continue
        if one.name == via:
            return one.name
        try:
            hop = IPv4Address(via)
        except ValueError:
            continue
        if any(hop in address.network for address in one.addresses):
            return one.name
    return None


def _addresses(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    lines = [f"{'Interface':<34}{'IP Address/Mask':<21}{'Physical':<11}Protocol"]
    for one in router.reading.interfaces:
        state = "*down" if one.down else "up"
        address = str(one.addresses[0]) if one.addresses else "unassigned"
        protocol = "up" if one.addresses and not one.down else "down"
        lines.append(f"{one.name:<34}{address:<21}{state:<11}{protocol}")
    return lines


def _interfaces(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    lines = [f"{'Interface':<34}{'PHY':<7}{'Protocol':<9}InUti OutUti   inErrors  outErrors"]
    for one in router.reading.interfaces:
        lines.append(
            f"{one.name:<34}{'*down' if one.down else 'up':<7}{'up' if one.addresses else 'down':<9}"
            f"0.01%  0.01%          0          0"
        )
    return lines


def _users(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    return [
        "  User-Intf    Delay    Type   Network Address     AuthenStatus",
        "+ 129 VTY 0    00:00:00  SSH    127.0.0.1              pass",
    ]


def _holder(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    """After the command references of S switches and USG; what it says where nobody holds it is a guess."""
    if router.holder is None:
        return ["Info: No user has locked the configuration."]
    return [
        "  User Index: 129",
        "  User Session Name: VTY0",
        f"  User Name: {router.holder[1]}",
        "  IP Address: 127.0.0.1",
        f"  Locked Time: {clock_after(router, 0)}",
        "  The time out value of configuration right locked is: 30 second(s)",
    ]


def _engine(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    return [f"   SNMP local EngineID: 800007DB03{router.spec.ordinal:012X}"]


def _autosave(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    return ["  Auto save function status: disable", "  Auto save time interval: 120 minutes"]


def _nothing(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    """A command that exists, about something that a make-believe box does not have."""
    return []


def _ping(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    target = words[-1] if "-c" not in words or words[-1] != words[words.index("-c") + 1] else words[-3]
    count = int(words[words.index("-c") + 1]) if "-c" in words else 5
    heard = answers(router, target)
    lines = [f"  PING {target}: 56  data bytes, press CTRL_C to break"]
    for sequence in range(1, count + 1):
        lines.append(
            f"    Reply from {target}: bytes=56 Sequence={sequence} ttl=254 time=2 ms"
            if heard
            else "    Request time out"
        )
    received = count if heard else 0
    lines += [
        "",
        f"  --- {target} ping statistics ---",
        f"    {count} packet(s) transmitted",
        f"    {received} packet(s) received",
        f"    {100 * (count - received) / count:.2f}% packet loss",
    ]
    if heard:
        lines.append("    round-trip min/avg/max = 2/2/2 ms")
    return lines


def answers(router: SimulatedRouter, target: str) -> bool:
    """Whether a ping from the box is answered: by itself, its neighbour, and what lies behind while it is reached."""
    try:
        address = IPv4Address(target)
    except ValueError:
        return False
    if any(address == mine.ip for one in router.reading.interfaces for mine in one.addresses):
        return True
    if router.faults.unanswered and re.search(router.faults.unanswered, target):
        return False
    path = router.spec.path
    if path is not None and (address == path.manager or any(address == peer.ip for peer in path.peers)):
        return router.reachable
    out = any(address in net and out_of(router, via) is not None for _, net, via in router.reading.routes())
    return out and router.reachable


def _directory(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    startup = router.language.startup_file.removeprefix("flash:/")
    names = [startup, *router.files]
    lines = ["Directory of flash:/", ""]
    lines += [
        f"  {at:<4}-rw-  {len(router.startup):>9}  Nov 21 2026 10:00:00   {name}" for at, name in enumerate(names)
    ]
    return [*lines, "", "512,000 KB total (301,440 KB free)"]


def _more_file(router: SimulatedRouter, place: Place | None, words: Sequence[str]) -> list[str]:
    tree = router.file(words[-1])
    return (
        [f"Error: File {words[-1]} does not exist."] if tree is None else router.text_of(tree).rstrip("\n").split("\n")
    )


DISPLAYS: Final[Mapping[str, Display]] = {
    "show_running": _running,
    "show_section": _section,
    "show_saved": _saved,
    "show_this": _this,
    "show_difference": _difference,
    "compare": _compare,
    "show_version": _version,
    "show_startup": _startup,
    "show_serial": _serial,
    "show_clock": _clock,
    "show_schedule": _schedule,
    "show_jobs": _jobs,
    "show_routes": _routes,
    "show_routes_json": _routes_json,
    "show_route_entry": _route_entry,
    "show_interfaces_json": _interfaces_json,
    "show_addresses": _addresses,
    "show_interfaces": _interfaces,
    "show_users": _users,
    "show_holder": _holder,
    "show_engine": _engine,
    "show_autosave": _autosave,
    "show_nothing": _nothing,
    "ping": _ping,
    "directory": _directory,
    "more_file": _more_file,
}
"""Names that personalities use, to what they print."""
