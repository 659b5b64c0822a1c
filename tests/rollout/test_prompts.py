"""The table of questions: what it answers, and that it answers nothing else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.platform import Platform
from rollout.prompts import ROWS, Row, answer, login_answer, looks_like_a_question

SAVING = "The current configuration will be written to the device."
REBOOT = "Info: Reboot system at 02:02:02 2026/11/21 (in 0 hours and 10 minutes). confirm? [Y/N]:"
OSPF = "Warning: The OSPF process will be deleted. Continue? [Y/N]:"
REPLACE = "Current configuration will be lost, save current configuration? [Y/N]:"
MODULUS = "Input the bits in the modulus[default = 2048]:"
OUT_OF_STEP = "Error: Please choose 'YES' or 'NO' first before pressing 'Enter'. [Y/N]:"


@pytest.mark.parametrize(
    ("platform", "command", "question", "reply"),
    [
        (Platform.VRP, "save", f"{SAVING}\nAre you sure to continue?[Y/N]:", "Y"),
        (Platform.VRP, "save", f"Warning: {SAVING} Continue? [Y/N]:", "Y"),
        (Platform.VRP, "save", "Please input the file name(*.cfg, *.zip, *.dat):", "vrpcfg.zip"),
        (Platform.VRP, "schedule reboot delay 10", REBOOT, "Y"),
        (Platform.VRP, "schedule reboot delay 10", "Warning: It was changed. Save it now? [Y/N]:", None),
        (Platform.VRP, "undo ospf 1", OSPF, "Y"),
        (Platform.VRP, "undo ospf 1", "Warning: All of it will be deleted, and more. Continue? [Y/N]:", None),
        (Platform.VRP, "ospf 1", OSPF, None),
        (Platform.VRP, "undo dhcp enable", "Warning: All DHCP functions will be disabled. Continue? [Y/N]", "Y"),
        (
            Platform.VRP,
            "snmp-agent trap enable",
            "All switches of trap/notification will be open. Continue? [Y/N]:",
            "Y",
        ),
        (Platform.VRP, "rsa local-key-pair create", MODULUS, "2048"),
        (Platform.VRP, "undo aaa", "Continue? [Y/N]:", None),
        (Platform.VRP, "reboot", "System will reboot! Continue? [Y/N]:", None),
        (Platform.VRP, "undo ospf 1", OUT_OF_STEP, None),
        (Platform.COMWARE, "undo bgp", "Undo BGP process? [Y/N]:", "Y"),
        (Platform.COMWARE, "undo ospf 1", "Undo OSPF process? [Y/N]:", "Y"),
        (Platform.COMWARE, "peer 10.1.1.1 enable", "This might reset the peer session. Continue? [Y/N]:", "Y"),
        (Platform.COMWARE, "configuration replace file flash:/a.cfg", REPLACE, "N"),
        (Platform.RGOS, "reload", "Proceed with reload? [no]", None),
        (Platform.RGOS, "delete flash:/config.text", "Do you want to delete [flash:/config.text]? [Y/N]", None),
    ],
)
def test_only_the_question_that_belongs_to_a_command_is_answered(
    platform: Platform, command: str, question: str, reply: str | None
) -> None:
    assert looks_like_a_question(question.rpartition("\n")[2].strip())
    assert answer(platform, command, question) == reply


@given(st.sampled_from(list(Platform)), st.text(max_size=60), st.text(max_size=60))
def test_a_command_outside_the_table_gets_no_answer_whatever_is_asked(
    platform: Platform, command: str, asked: str
) -> None:
    known = any(re.fullmatch(rf"\s*{row.command}\s*", command) for row in ROWS if row.platform is platform)
    assert known or answer(platform, command, f"{asked} Continue? [Y/N]:") is None


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.platform.value} {row.command}")
def test_every_row_is_well_formed_and_none_answers_everything(row: Row) -> None:
    re.compile(row.command)
    assert not re.search(row.question, "") or row.question == ""
    assert not re.search(row.question, "Are you certain that you want this? [Y/N]:")


def test_no_row_says_yes_to_what_is_never_sent() -> None:
    for never in (
        "reset saved-configuration",
        "reboot",
        "reload",
        "format flash:",
        "delete flash:/a",
        "factory-default",
    ):
        assert not any(re.fullmatch(row.command, never) for row in ROWS)


@pytest.mark.parametrize(
    "line",
    ["V1#", "<V1>", "[V1-GigabitEthernet0/0/0]", "description x", "---- More ----", "interface GigabitEthernet0/0"],
)
def test_prompts_and_output_do_not_look_like_questions(line: str) -> None:
    assert not looks_like_a_question(line)


def test_the_offer_to_save_at_login_is_declined() -> None:
    assert login_answer(Platform.VRP, "There are security risks in the configuration file. Continue? [Y/N]:") == "N"
    assert login_answer(Platform.FRR, "Continue? [Y/N]:") is None
