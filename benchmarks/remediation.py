"""Hazardous lines over the corpus: ours beside hier_config as it comes and annet; and what a device costs us.

    python benchmarks/remediation.py

The referee is our device model, for all three alike: a line is hazardous when, on the device, it loses something that
both configurations hold or that nobody asked to touch, cuts the last usable route to the manager, keeps the manager
from logging in, contradicts an `undo`/`no` line unasked, or changes the SNMP engine id. hier_config and annet get the
configurations with their noise already off, which they would otherwise stumble over; hier_config has no driver for
Comware 7, RGOS and FRR (it runs as HP_COMWARE5, CISCO_IOS and CISCO_IOS), annet none for RGOS and FRR (as Cisco).
"""

import re
import statistics
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import yaml
from hier_config import Platform as Library
from hier_config import get_hconfig
from hier_config.exceptions import DuplicateChildError
from hier_config.root import HConfig

from rollout.device_model import Device, ModelRefusedError
from rollout.logins import manager_may_enter
from rollout.meaning import meaning_of
from rollout.path import Facts
from rollout.platform import Platform
from rollout.remediation import remediate
from rollout.rules import RULES
from rollout.running import normalise
from rollout.tree import Items, parse, text_of

CORPUS = Path(__file__).resolve().parent.parent / "tests" / "rollout" / "corpus"
LIBRARY = {
    Platform.VRP: Library.HUAWEI_VRP,
    Platform.COMWARE: Library.HP_COMWARE5,
    Platform.RGOS: Library.CISCO_IOS,
    Platform.FRR: Library.CISCO_IOS,
}
HARDWARE = {
    Platform.VRP: "Huawei AR",
    Platform.COMWARE: "H3C",
    Platform.RGOS: "Cisco Catalyst",
    Platform.FRR: "Cisco Catalyst",
}
LIMIT_MS = 20.0

Tool = Callable[[Platform, str, str, str | None], list[str]]


def ours(platform: Platform, running: str, intended: str, manager: str | None) -> list[str]:
    return list(remediate(platform, running, intended, manager=manager).commands)


def bare_hier_config(platform: Platform, running: str, intended: str, manager: str | None) -> list[str]:
    have, want = (_bare(platform, text) for text in (running, intended))
    return [line.strip() for line in have.config_to_get_to(want).dump_simple(sectional_exiting=True)]


def _bare(platform: Platform, text: str) -> HConfig:
    try:
        return get_hconfig(LIBRARY[platform], _plain(platform, text))
    except DuplicateChildError:  # it knows no section twice: it gets the two mentions as one
        merged = "\n".join(text_of(parse(platform, text)))
        return get_hconfig(LIBRARY[platform], _plain(platform, merged))


def annet(platform: Platform, running: str, intended: str, manager: str | None) -> list[str]:
    # Imported late: what it loads would slow the garbage collector while our own speed is measured.
    import annet.api as annet_api
    from annet.annlib.netdev.views.hardware import HardwareView
    from annet.hardware import AnnetHardwareProvider, hardware_connector
    from annet.rulebook import DefaultRulebookProvider, rulebook_provider_connector

    if hardware_connector.is_default():
        rulebook_provider_connector.set(DefaultRulebookProvider)
        hardware_connector.set(AnnetHardwareProvider)
    hardware = HardwareView(HARDWARE[platform], "")
    old, new, hardware = annet_api._read_old_new_hw(
        "", _plain(platform, running), "", _plain(platform, intended), hardware
    )
    tree = annet_api._read_old_new_diff_patch(old, new, hardware, False)[3]
    return list(_left(platform, annet_api._format_patch_blocks(tree, hardware, " ")))


def _left(platform: Platform, text: str) -> Iterator[str]:
    """Annet's indented patch as lines that leave their sections."""
    depth, leave = 0, RULES[platform].leave
    for line in text.splitlines():
        if not line.strip():
            continue
        here = len(line) - len(line.lstrip())
        for _ in range(depth - here):
            yield leave
        if line.strip() not in RULES[platform].exits:
            yield line.strip()
        depth = here
    for _ in range(depth):
        yield leave


def _plain(platform: Platform, text: str) -> str:
    """Noise off, and banners and keys out: neither library reads them in these languages."""
    skipping = False
    kept = []
    for line in normalise(platform, text).splitlines():
        if re.match(r"(?:header|banner|rsa peer-public-key)", line):
            skipping = True
        elif skipping and not re.match(r"(?:Do not|# Only| Do not|Go away| ?public-key|peer-public| {2}\d)", line):
            skipping = False
        if not skipping and line.strip() not in RULES[platform].exits:
            kept.append(line)
    return "\n".join(kept) + "\n"


# --- the referee ----------------------------------------------------------------------------------------------------


def hazardous(case: dict[str, Any], platform: Platform, running: str, commands: list[str]) -> list[str]:
    """The commands that do harm on the device, in order."""
    root, wanted = parse(platform, running), parse(platform, case["intended"])
    families = {" ".join(item.value.split()[:2]) for item in wanted.values() if item.items is None}
    kept = set(_said(wanted)) & set(_said(root))
    for key, item in root.items():
        if key not in wanted and (item.items is not None or " ".join(item.value.split()[:2]) not in families):
            kept |= set(_said({key: item}))
    asked = set(_said(wanted))
    contrary = {line for line in _negations(platform, root) if line not in asked}
    manager = ip_address(case["manager"]) if "manager" in case else None
    device = Device(platform, root)
    facts = Facts(platform, root, manager)
    reached, entered = facts.reaches(), manager_may_enter(facts)
    held = set(_said(root)) & kept
    bad = []
    for command in commands:
        try:
            device.take(command)
        except ModelRefusedError:
            if re.match(r"(?:undo|no) ", command.strip()):
                bad.append(command)
            continue
        facts = Facts(platform, root, manager)
        now = set(_said(root))
        cut = bool(reached) and not facts.reaches()
        shut = bool(entered) and manager_may_enter(facts) is False
        if held - now or cut or shut or "engineid" in command or contrary & now:
            bad.append(command)
        # Each harm counts once: what is lost already cannot be lost again.
        held, contrary = held & now, contrary - now
        reached, entered = facts.reaches(), manager_may_enter(facts)
    return bad


def _said(items: Items, above: str = "") -> Iterator[str]:
    for item in items.values():
        if item.negative:
            continue
        if item.items is not None:
            yield above + item.key
            yield from _said(item.items, f"{above}{item.key} / ")
        elif item.members:
            yield from (f"{above}{item.key} {one}" for one in item.members)
        else:
            yield above + item.value


def _negations(platform: Platform, items: Items, above: str = "", kind: str = "") -> Iterator[str]:
    """What would contradict each `undo`/`no` line of a configuration."""
    for item in items.values():
        if item.negative:
            yield above + meaning_of(platform, kind, item.text).value
        elif item.items is not None:
            yield from _negations(platform, item.items, f"{above}{item.key} / ", item.kind)


def corpus() -> Iterator[tuple[dict[str, Any], Platform, str]]:
    for path in sorted(CORPUS.glob("*/*.yml")):
        case = yaml.safe_load(path.read_text("utf-8"))
        base = (CORPUS / "bases" / f"{case['running']}.txt").read_text("utf-8")
        if "minus" in case:
            base = "".join(f"{line}\n" for line in base.splitlines() if not re.search(case["minus"], line))
        yield case, Platform(path.parent.name), base + case.get("plus", "")


def large(lines: int) -> str:
    """A VRP configuration of about so many lines, of the kinds that a village router has."""
    base = (CORPUS / "bases" / "vrp.txt").read_text("utf-8")
    text = "\n".join(text_of(parse(Platform.VRP, base))) + "\n"
    for i in range(1, 255):
        if text.count("\n") >= lines:
            break
        text += (
            f"interface GigabitEthernet0/0/1.{i}\n description line {i}\n dot1q termination vid {i}\n"
            f" ip address 10.128.{i}.1 255.255.255.252\nip route-static 10.64.{i}.0 255.255.255.0 10.9.0.1\n"
        )
    return text


def main() -> None:
    speed()
    cases = list(corpus())
    tools: dict[str, Tool] = {"cuntong": ours, "hier_config bare": bare_hier_config, "annet": annet}
    print(f"{len(cases)} cases, four platforms; lines that do harm on the device, for all tools by one referee")
    for name, tool in tools.items():
        lines = harm = failed = touched = 0
        for case, platform, running in cases:
            try:
                commands = tool(platform, running, case["intended"], case.get("manager"))
            except Exception:  # a tool that falls over on a case has emitted nothing
                failed += 1
                continue
            bad = hazardous(case, platform, running, commands)
            lines, harm, touched = lines + len(commands), harm + len(bad), touched + bool(bad)
        print(f"  {name:18} {harm:5} of {lines:5} lines, in {touched:3} of {len(cases)} cases; fell over in {failed}")


def speed() -> None:
    text = large(400)
    usual = text.replace("sysname tq", "sysname kd").replace("wan telecom 100M", "wan telecom 200M")
    usual = usual.replace("rule 100 deny", "rule 10 permit source 10.3.0.0 0.0.255.255\n rule 100 deny")
    moved = text.replace("10.9.0.1\n", "10.9.0.5\n").replace("ip address 10.9.0.2", "ip address 10.9.0.6")

    def library(device: tuple[str, str]) -> None:
        bare_hier_config(Platform.VRP, *device, None)

    def mine(device: tuple[str, str]) -> None:
        remediate(Platform.VRP, *device, manager="10.1.2.3")

    commands = len(remediate(Platform.VRP, text, moved, manager="10.1.2.3").commands)
    print(f"{len(text.splitlines())} lines of VRP, CPU of one device, median of 20")
    for what, devices in (
        ("nothing to do", [(text, text)] * 20),
        ("three lines", [(text, usual)] * 20),
        (f"{commands} commands", [(text, moved)] * 20),
        # What a line means is remembered; here no device says a line with an address or name that another one said.
        (f"{commands} commands, nothing alike", [(_another(text, n), _another(moved, n)) for n in range(20)]),
    ):
        yardstick, spent = _median_ms(library, devices), _median_ms(mine, devices)
        print(
            f"  {what:30} {spent:5.1f} ms, {spent / LIMIT_MS:.2f} of the {LIMIT_MS:.0f} ms allowed; "
            f"{spent / yardstick:.1f} times hier_config bare ({yardstick:.1f} ms), which orders and checks nothing"
        )


def _another(text: str, number: int) -> str:
    """The configuration of another device of the same make."""
    for old, new in (
        ("10.9.0.", f"10.{number}.0."),
        ("10.128.", f"10.{100 + number}."),
        ("10.64.", f"10.{50 + number}."),
    ):
        text = text.replace(old, new)
    return text.replace("description line", f"description device {number} line")


def _median_ms(work: Callable[[tuple[str, str]], None], devices: list[tuple[str, str]]) -> float:
    work(devices[0])
    spent = []
    for device in devices:
        start = time.process_time()
        work(device)
        spent.append((time.process_time() - start) * 1e3)
    return statistics.median(spent)


if __name__ == "__main__":
    main()
