"""The hazard corpus: what each case says, and the laws that hold for all of them."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollout.device_model import Device, align
from rollout.logins import manager_may_enter
from rollout.path import Facts
from rollout.platform import Platform
from rollout.remediation import Remediation, predict, remediate
from rollout.rules import RULES
from rollout.tree import Items, parse, text_of

CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Case:
    name: str
    platform: Platform
    running: str
    intended: str
    manager: str | None
    children: bool
    laws: dict[str, Any]

    def solved(self) -> Remediation:
        return remediate(self.platform, self.running, self.intended, manager=self.manager, children=self.children)


def load(path: Path) -> Case:
    said = yaml.safe_load(path.read_text("utf-8"))
    base = (CORPUS / "bases" / f"{said['running']}.txt").read_text("utf-8")
    if "minus" in said:
        base = "".join(f"{line}\n" for line in base.splitlines() if not re.search(said["minus"], line))
    return Case(
        f"{path.parent.name}/{path.stem}",
        Platform(path.parent.name),
        base + said.get("plus", ""),
        said["intended"],
        said.get("manager"),
        said.get("children", False),
        said["laws"],
    )


CASES = [load(path) for path in sorted(CORPUS.glob("*/*.yml"))]
each = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
safe = pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.laws["exit"] == 0],
    ids=[case.name for case in CASES if case.laws["exit"] == 0],
)


def said_lines(platform: Platform, items: Items, above: str = "") -> set[str]:
    """Every line with the sections above it, in the form that comparison uses; absences are nothing said."""
    found: set[str] = set()
    for item in items.values():
        stored = item.meaning.line is not None and item.meaning.line.stored
        if item.negative:
            found |= {f"{above}{RULES[platform].negation} {item.value}"} if stored else set()
        elif item.items is not None:
            found.add(f"{above}{item.key} {item.args}")
            found |= said_lines(platform, item.items, f"{above}{item.key} / ")
        else:
            found |= {f"{above}{item.key} {one}" for one in item.members} or {f"{above}{item.value}"}
    return found


@each
def test_a_case_says_what_it_says(case: Case) -> None:
    answer, laws = case.solved(), case.laws
    shown = "\n".join(answer.commands)
    assert (1 if answer.refused else 0) == laws["exit"], (answer.hazards, shown)
    found = [hazard.id for hazard in answer.hazards]
    assert sorted(set(laws.get("hazards", []))) == sorted(set(found)), answer.hazards
    if laws["exit"]:
        assert answer.commands == answer.rollback == ()
        return
    if "path_class" in laws:
        assert answer.path_class == laws["path_class"], shown
    if laws.get("empty"):
        assert answer.commands == ()
        return
    assert answer.commands
    for pattern in laws.get("never", []):
        assert not any(re.search(pattern, line) for line in answer.commands), f"{pattern!r} in\n{shown}"
    at = 0
    for pattern in laws.get("in_order", []):
        hit = next((i for i in range(at, len(answer.commands)) if re.search(pattern, answer.commands[i])), None)
        assert hit is not None, f"{pattern!r} is not in, or not in order:\n{shown}"
        at = hit + 1


@safe
def test_what_is_predicted_needs_no_more_commands(case: Case) -> None:
    answer = case.solved()
    after = predict(case.platform, case.running, answer.commands)
    again = remediate(case.platform, after, case.intended, manager=case.manager, children=case.children)
    assert again.commands == ()
    assert not again.refused


@safe
def test_the_way_back_leads_back(case: Case) -> None:
    answer = case.solved()
    after = predict(case.platform, predict(case.platform, case.running, answer.commands), answer.rollback)
    start, end = parse(case.platform, case.running), parse(case.platform, after)
    align(case.platform, start, end)
    assert said_lines(case.platform, end) == said_lines(case.platform, start)


@safe
def test_nothing_unmanaged_moves_and_the_manager_gets_in_after_every_line(case: Case) -> None:
    answer = case.solved()
    manager = ip_address(case.manager) if case.manager else None
    for running, commands in (
        (case.running, answer.commands),
        (predict(case.platform, case.running, answer.commands), answer.rollback),
    ):
        root = parse(case.platform, running)
        start = Facts(case.platform, root, manager)
        reached, entered = start.reaches(), manager_may_enter(start)
        still = {item.text: list(text_of({key: item})) for key, item in root.items() if item.text in answer.unmanaged}
        assert len(still) == len(set(answer.unmanaged))
        device = Device(case.platform, root)
        for line in commands:
            device.take(line)
            now = {item.text: list(text_of({key: item})) for key, item in device.root.items() if item.text in still}
            assert now == still, line
            start.refresh({*device.root, *device.touched})
            assert not reached or start.reaches() is not False, line
            assert not entered or manager_may_enter(start), line


@safe
def test_sections_are_entered_and_left(case: Case) -> None:
    answer = case.solved()
    device = Device(case.platform, parse(case.platform, case.running))
    device.run(answer.commands)
    assert device.view == ()


def test_children_make_a_path_shared_and_nothing_else() -> None:
    for case in CASES:
        if case.laws["exit"] == 0:
            alone = remediate(case.platform, case.running, case.intended, manager=case.manager)
            above = remediate(case.platform, case.running, case.intended, manager=case.manager, children=True)
            assert above.commands == alone.commands
            assert above.path_class == ("shared" if alone.path_class == "path" else alone.path_class)


def test_the_corpus_covers_the_four_platforms() -> None:
    assert len(CASES) >= 80
    assert {case.platform for case in CASES} == set(Platform)


# --- properties -----------------------------------------------------------------------------------------------------

BASES = {platform: (CORPUS / "bases" / f"{platform}.txt").read_text("utf-8") for platform in Platform}


@st.composite
def subsets(draw: st.DrawFn) -> tuple[Platform, str, str]:
    """A running configuration, and some of its own sections and lines as what is intended."""
    platform = draw(st.sampled_from(list(Platform)))
    root = parse(platform, BASES[platform])
    chosen = draw(st.lists(st.sampled_from(list(root)), unique=True, min_size=1, max_size=6))
    lines: list[str] = []
    for key in chosen:
        item = root[key]
        text = list(text_of({key: item}))
        deep = [line for line in text[1:] if draw(st.booleans()) or line.startswith("  ")]
        nested = item.items is not None and any(one.items is not None for one in item.items.values())
        lines += text if "\n" in item.text or nested else [text[0], *deep]
    return platform, BASES[platform], "\n".join(lines) + "\n"


@given(subsets())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_part_of_a_configuration_as_intention_converges_and_touches_nothing_else(
    drawn: tuple[Platform, str, str],
) -> None:
    platform, running, intended = drawn
    answer = remediate(platform, running, intended, manager="10.1.2.3")
    assert not [
        hazard for hazard in answer.hazards if hazard.id in ("prediction", "unmanaged-touched", "negated-negation")
    ]
    if answer.refused:
        assert answer.commands == ()
        return
    after = predict(platform, running, answer.commands)
    assert remediate(platform, after, intended, manager="10.1.2.3").commands == ()
    back = parse(platform, predict(platform, after, answer.rollback))
    assert said_lines(platform, back) == said_lines(platform, parse(platform, running))


@given(subsets(), subsets())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_two_parts_laid_over_each_other_converge_as_well(
    one: tuple[Platform, str, str], other: tuple[Platform, str, str]
) -> None:
    platform, _, base = one
    if other[0] is not platform:
        return
    answer = remediate(platform, base, other[2])
    assert not [hazard for hazard in answer.hazards if hazard.id in ("prediction", "unmanaged-touched")]
    if not answer.refused:
        after = predict(platform, base, answer.commands)
        assert remediate(platform, after, other[2]).commands == ()


def test_a_password_that_comware_keeps_to_itself_is_no_difference() -> None:
    """With password control on, `display current-configuration` leaves local users' passwords out."""
    running = "sysname a\n#\npassword-control enable\n#\nlocal-user ops class manage\n service-type ssh\n#\n"
    intended = running.replace(" service-type", " password simple secret://ssh/ops\n service-type")
    assert remediate(Platform.COMWARE, running, intended).commands == ()
    shown = remediate(Platform.COMWARE, running.replace("password-control enable", "dhcp enable"), intended)
    assert [one.strip() for one in shown.commands if "secret://" in one] == ["password simple secret://ssh/ops"]
    new = remediate(Platform.COMWARE, running.split("local-user")[0], intended)
    assert any("secret://ssh/ops" in one for one in new.commands)
