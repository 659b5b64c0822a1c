"""What a site's devices add up to."""

import pytest

from health.device import DeviceHealth, DeviceState, after_poll
from health.reading import Extend, Interface, Printer, Readings
from health.site import Part, faults, lost_line, working
from inventory.vocabulary import Verdict

UP, SILENT, UNKNOWN, OFF = DeviceState.UP, DeviceState.SILENT, DeviceState.UNKNOWN, DeviceState.OFF_HOURS


def part(role: str, state: DeviceState = UP, *broken: str) -> Part:
    classes = {"cpe": "router", "kiosk": "kiosk", "prt": "printer"}
    return Part(role, classes[role.rstrip("12")], state, broken)


CASES = [
    pytest.param([part("cpe1"), part("kiosk1"), part("prt1")], Verdict.YES, "", id="everything answers"),
    pytest.param(
        [part("cpe1"), part("kiosk1", SILENT), part("kiosk2")], Verdict.YES, "kiosk1:silent", id="one of two kiosks"
    ),
    pytest.param([part("cpe1"), part("kiosk1", SILENT)], Verdict.NO, "kiosk1:silent", id="the only kiosk is silent"),
    pytest.param([part("cpe1"), part("prt1", UP, "no_paper")], Verdict.NO, "prt1:no_paper", id="no paper"),
    pytest.param([part("cpe1"), part("prt1", UP, "low_toner")], Verdict.YES, "", id="a warning stops nothing"),
    pytest.param(
        [part("kiosk1", UP, "document-camera")], Verdict.YES, "kiosk1:document-camera", id="a camera is not vital"
    ),
    pytest.param(
        [part("kiosk1", UP, "platform")], Verdict.NO, "kiosk1:platform", id="the platform as the kiosk sees it"
    ),
    pytest.param([part("kiosk1", UP, "rating")], Verdict.YES, "kiosk1:rating", id="people are served without ratings"),
    pytest.param([part("kiosk1", UP, "not_looked")], Verdict.UNKNOWN, "never_reported", id="nobody there looked"),
    pytest.param([part("cpe1"), part("kiosk1", OFF)], Verdict.UNKNOWN, "off_hours", id="closed for the night"),
    pytest.param([part("kiosk1", OFF), part("kiosk2")], Verdict.YES, "", id="one of two serves around the clock"),
    pytest.param(
        [part("prt1", UP, "jammed"), part("kiosk1", OFF)], Verdict.NO, "prt1:jammed", id="closed, and broken besides"
    ),
    pytest.param([part("kiosk1", UP, "id-card-reader")], Verdict.NO, "kiosk1:id-card-reader", id="a reader is"),
    pytest.param([part("cpe1"), part("kiosk1", UNKNOWN)], Verdict.UNKNOWN, "never_reported", id="not asked yet"),
    pytest.param([], Verdict.UNKNOWN, "not_monitored", id="nothing to ask"),
]


@pytest.mark.parametrize(("parts", "verdict", "reason"), CASES)
def test_a_site_works_when_of_each_class_one_device_does(parts: list[Part], verdict: Verdict, reason: str) -> None:
    assert working(parts) == (verdict, reason)


def test_faults_come_from_failed_scripts_and_printer_errors_and_unknown_is_no_fault() -> None:
    readings = Readings(
        extends=(
            Extend("screen", "off", 2),
            Extend("kiosk-app", "ok", 0),
            Extend("mine", "", 1),
            Extend("printer", None, None),
        ),
        printer=Printer("idle", ("no_paper",), (), ()),
    )
    assert faults(readings) == ("screen", "no_paper")


def test_a_script_that_does_not_know_reports_no_fault_of_its_part_and_no_proof() -> None:
    asleep = Readings(extends=(Extend("screen", "nobody has looked", 3), Extend("printer", "nobody has looked", 3)))
    assert faults(asleep) == ("not_looked",)


def port(name: str, oper_up: bool, admin_up: bool = True) -> Interface:
    return Interface(name, name, None, 1, admin_up, oper_up, *[None] * 7)


@pytest.mark.parametrize(
    ("ports", "lost"),
    [
        pytest.param([port("eth0", True), port("eth1", True)], None, id="both up"),
        pytest.param([port("eth0", True), port("eth1", False)], "eth1", id="the second is down"),
        pytest.param([port("eth0", True), port("eth1", False, False)], None, id="switched off on purpose"),
        pytest.param([port("eth0", True), port("eth9", False)], None, id="another port is no line"),
    ],
)
def test_a_lost_second_line_is_seen_at_its_port(ports: list[Interface], lost: str | None) -> None:
    assert lost_line(Readings(interfaces=tuple(ports)), ("eth0", "eth1")) == lost


def test_one_lost_poll_is_a_suspicion_two_are_silence_one_answer_ends_both() -> None:
    health = after_poll(DeviceHealth(), True, 100.0)
    assert (health.state, health.since) == (UP, 100.0)
    health = after_poll(health, False, 160.0)
    assert (health.state, health.since, health.settled) == (DeviceState.SUSPECT, 160.0, False)
    health = after_poll(health, False, 161.0)
    assert (health.state, health.since, health.last_answer) == (SILENT, 160.0, 100.0)
    health = after_poll(health, True, 220.0)
    assert (health.state, health.since, health.failures) == (UP, 220.0, 0)
    assert after_poll(health, True, 280.0).since == 220.0
