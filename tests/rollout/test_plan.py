"""The plan as a document: its hash, its file, and that nobody edits it unnoticed."""

import json
from dataclasses import replace

import pytest

from rollout.change import DeadMan
from rollout.errors import PlanRefusedError
from rollout.plan import (
    FORMAT,
    DevicePlan,
    Plan,
    PlannedHazard,
    PlannedWave,
    Readiness,
    Terms,
    canonical,
    file_text,
    human_diff,
    read,
    read_file,
    sha256,
)
from rollout.platform import PathClass, Platform

DEVICE = DevicePlan(
    "tq-a-cpe1", "tq-a", Platform.VRP, "ar651", "10.126.0.9", "tq-a-agg1", Readiness.READY, "", "ab" * 32,
    PathClass.PATH, DeadMan.REBOOT, 6, ("interface GigabitEthernet0/0/0", " description 新"), ("undo x",),
    (PlannedHazard("in-place", "ip address 10.0.0.2 30", "cuts the session", fatal=False),), ("aaa",),
    "-old\n+new\n", "sichuan-3121 2023",
)  # fmt: skip
REFUSED = replace(DEVICE, device="tq-b-cpe1", readiness=Readiness.REFUSED, reason="acl-denies-manager: locked out")
PLAN = Plan(
    FORMAT, "天全县: 511825", "511825", "wang", 1000.0, 605800.0, "cd" * 32, "ef" * 32, "", Terms(),
    (PlannedWave("canary", ("tq-a-cpe1",)),), (DEVICE, REFUSED),
)  # fmt: skip


def test_a_plan_is_the_same_after_its_text_was_read() -> None:
    document = canonical(PLAN)
    assert read(document) == PLAN
    assert canonical(read(document)) == document


def test_a_plan_file_is_read_back_with_its_hash() -> None:
    assert read_file(file_text(PLAN), "plan.json") == (sha256(canonical(PLAN)), PLAN)


@pytest.mark.parametrize(
    "edit",
    [
        lambda told: told["plan"]["devices"][0]["commands"].append("undo shutdown"),
        lambda told: told["plan"]["terms"].update(soak_s=0.0),
        lambda told: told["plan"].update(author="li"),
    ],
    ids=["a command more", "no soak", "another author"],
)
def test_a_plan_edited_by_hand_is_refused(edit: object) -> None:
    told = json.loads(file_text(PLAN))
    edit(told)  # type: ignore[operator]
    with pytest.raises(PlanRefusedError, match=r"plan\.json was edited after it was made"):
        read_file(json.dumps(told), "plan.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sha256": 1}', "nonsense"])
def test_what_is_no_plan_file_is_refused(text: str) -> None:
    with pytest.raises(PlanRefusedError, match="is no plan file"):
        read_file(text, "plan.json")


def test_a_plan_of_another_format_is_refused() -> None:
    with pytest.raises(PlanRefusedError, match="has format 2"):
        read(canonical(replace(PLAN, format=2)))


def test_the_diff_for_people_names_waves_nets_hazards_and_what_is_left_out() -> None:
    assert human_diff(PLAN) == (
        "=== wave 1 of 1: canary (1)\n"
        "--- tq-a-cpe1 10.126.0.9 (vrp, path path, reboot, 6 min)\n"
        "-old\n+new\n"
        "  ! in-place: ip address 10.0.0.2 30: cuts the session\n"
        "=== tq-b-cpe1: refused: acl-denies-manager: locked out\n"
        "  ! in-place: ip address 10.0.0.2 30: cuts the session\n"
    )
