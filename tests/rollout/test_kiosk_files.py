"""The files of a kiosk: what the inventory says of it, in the words of each program."""

import ast
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import inventory
from inventory.kiosks import Peripheral
from inventory.loader import load
from inventory.model import Inventory
from rollout.bundle import File, allowed, fill, read_files
from rollout.compliance import Mark
from rollout.errors import TemplateError
from rollout.kiosk_baseline import Answer, Question, judge_kiosk, load_kiosk_baseline
from rollout.kiosk_facts import KioskFacts, engine_id, kiosk_facts, why_not

EXAMPLE = Path(inventory.__file__).parent / "examples" / "tianquan"
ROLE = EXAMPLE.parents[2] / "playbooks" / "roles" / "kiosk"
KEYS = {"auth_key": "a1" * 32, "priv_key": "b2" * 32}


@pytest.fixture(scope="module")
def county() -> Inventory:
    return load(EXAMPLE)


@pytest.fixture(scope="module")
def facts(county: Inventory) -> KioskFacts:
    return kiosk_facts(county, county.devices.find("tq-chengxiang-xuyu-kiosk1"))


@pytest.fixture(scope="module")
def declared() -> tuple[File, ...]:
    return read_files(yaml.safe_load((ROLE / "defaults" / "main.yml").read_text("utf-8"))["kiosk_files"])


def texts(declared: tuple[File, ...], facts: KioskFacts) -> dict[str, dict[str, Any]]:
    return {one["path"]: one for one in fill(ROLE, declared, facts, KEYS)}


def test_every_path_stands_once_and_every_file_of_the_role_is_used(declared: tuple[File, ...]) -> None:
    assert len({one.path for one in declared}) == len(declared)
    assert {one.template for one in declared} - {None} == {path.name for path in (ROLE / "templates").iterdir()}
    # What runs from here is sent with its question and never stays on a kiosk.
    copies = {path.name for path in (ROLE / "files").glob("*.*")} - {"kiosk_target.py"}
    assert {one.source for one in declared} - {None} == copies


def test_the_browser_opens_what_the_firewall_lets_out(declared: tuple[File, ...], facts: KioskFacts) -> None:
    made = texts(declared, facts)
    policy = json.loads(made["/etc/chromium/policies/managed/cuntong.json"]["text"])
    assert policy["URLBlocklist"][0] == "*"
    assert policy["URLAllowlist"] == ["https://.zwfw.example", "https://.si.example/kiosk"]
    rules = made["/etc/nftables.conf"]["text"]
    assert 'ip daddr { 10.126.20.0/28 } tcp dport { 443 } accept comment "services"' in rules
    assert rules.count("policy drop") == 3
    assert "ip daddr { 10.125.17.16 } tcp dport { 631, 9100 } accept" in rules
    settings = json.loads(made["/etc/cuntong/kiosk.json"]["text"])
    assert settings["queues"] == [{"name": "prt1", "uri": "ipp://10.125.17.16/ipp/print"}]
    assert settings["parts"] == [
        "kiosk-app", "platform", "screen", "document-camera", "id-card-reader", "printer", "print-queue", "rating",
        "session-reset",
    ]  # fmt: skip
    assert [line for line in made["/etc/usbguard/rules.conf"]["text"].splitlines() if "id " in line] == [
        "allow id 0400:c35a", "allow id 1d6c:0103", "allow id 222a:0001",
    ]  # fmt: skip


def test_keys_stand_in_the_one_file_that_is_secret(declared: tuple[File, ...], facts: KioskFacts) -> None:
    holding = [path for path, one in texts(declared, facts).items() if any(key in one["text"] for key in KEYS.values())]
    assert holding == ["/etc/snmp/snmpd.local.conf"]
    secret = texts(declared, facts)[holding[0]]
    assert (secret["secret"], secret["mode"], secret["owner"]) == (True, "0600", "root")


def test_a_template_that_is_not_secret_cannot_name_a_key(tmp_path: Path, facts: KioskFacts) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "x.j2").write_text("{{ auth_key }}")
    files = read_files([{"path": "/etc/x", "template": "x.j2"}])
    with pytest.raises(TemplateError, match=r"x\.j2: 'auth_key' is undefined"):
        fill(tmp_path, files, facts, KEYS)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([{"path": "/etc/x"}], "give one of template, copy, link and absent"),
        ([{"path": "etc/x", "absent": True}], "should match pattern"),
        ([{"path": "/etc/x", "template": "x", "secret": True}], "a secret is its owner's alone"),
        ([{"path": "/etc/x", "absent": True, "modus": "0600"}], "Extra inputs are not permitted"),
        ("/etc/x", "is no list"),
    ],
)
def test_a_list_of_files_that_cannot_be_meant_is_refused(given: Any, says: str) -> None:
    with pytest.raises(TemplateError, match=says):
        read_files(given)


def test_what_a_kiosk_no_longer_needs_is_removed(declared: tuple[File, ...], facts: KioskFacts) -> None:
    made = texts(declared, replace(facts, queues=(), printers=()))
    assert made["/etc/systemd/system/cuntong-queues.service"]["absent"]
    assert "printers" not in made["/etc/nftables.conf"]["text"]
    assert made["/usr/lib/cuntong/kiosk-ups"]["absent"]
    ups = Peripheral(part="ups", usb="0463:ffff")
    fitted = texts(declared, replace(facts, peripherals=(ups,), parts=("ups",)))
    assert not fitted["/usr/lib/cuntong/kiosk-ups"]["absent"]
    assert "extend ups " in fitted["/etc/snmp/snmpd.conf"]["text"]


def test_a_peripheral_with_a_socket_is_allowed_in_that_one(declared: tuple[File, ...], facts: KioskFacts) -> None:
    one = Peripheral(part="id-card-reader", usb="0400:c35a", port="1-1.4")
    rules = texts(declared, replace(facts, peripherals=(one,)))["/etc/usbguard/rules.conf"]["text"]
    assert 'allow id 0400:c35a via-port "1-1.4"\n' in rules


@pytest.mark.parametrize(
    ("url", "filter_"),
    [
        ("https://zwfw.example/kiosk", "https://.zwfw.example/kiosk"),
        ("http://10.126.20.1:8080/a", "http://10.126.20.1:8080/a"),
    ],
)
def test_a_filter_of_chromium_keeps_subdomains_out(url: str, filter_: str) -> None:
    assert allowed(url) == filter_


def test_engines_differ_and_fit_their_format(county: Inventory) -> None:
    ids = [engine_id(device.id) for device in county.devices]
    assert len(set(ids)) == len(ids)
    assert {(id[:10], len(id)) for id in ids} == {("80001f8805", 42)}


def test_only_kiosks_on_linux_that_are_ours_are_set_up(county: Inventory) -> None:
    device = county.devices.find("tq-chengxiang-xuyu-kiosk1")
    assert why_not(county, device) == ""
    assert why_not(county, replace(device, profile="windows")) == "not provisioned: Windows is watched only"
    assert why_not(county, replace(device, monitored="partner")) == "a partner looks after it"
    assert "no address" in why_not(county, replace(device, address=""))
    with pytest.raises(TemplateError, match="is no kiosk that we set up"):
        kiosk_facts(county, county.devices.find("tq-chengxiang-xuyu-cpe1"))


@pytest.mark.parametrize("path", sorted((ROLE / "files").glob("*.py")), ids=lambda path: path.name)
def test_what_runs_on_kiosks_is_python_3_7(path: Path) -> None:
    # Kylin and UOS come with 3.7 and 3.8. Annotations are text there, so that newer ones may stand in them.
    tree = ast.parse(path.read_text("utf-8"), feature_version=(3, 7))
    assert any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)


def silent(facts: KioskFacts) -> Answer:
    asked = Question.of(load_kiosk_baseline(), facts)
    commands = {" ".join(words): (127, f"{words[0]}: not found") for words in asked.commands}
    return Answer(dict.fromkeys(asked.paths), commands, dict.fromkeys(asked.modes, ""), 0.99)


def test_a_bare_machine_fails_every_item_that_a_program_can_check(facts: KioskFacts) -> None:
    results = judge_kiosk(load_kiosk_baseline(), facts, silent(facts))
    assert [one.item for one in results] == [f"B{n}" for n in range(30, 46)]
    assert {one.item for one in results if one.mark is Mark.NOT_APPLICABLE} == {"B43", "B44", "B45"}
    assert {one.mark for one in results if one.item not in ("B43", "B44", "B45")} == {Mark.FAIL}
    assert all(one.evidence for one in results)


def test_the_files_as_rendered_pass_and_each_line_taken_away_shows(
    declared: tuple[File, ...], facts: KioskFacts
) -> None:
    document = load_kiosk_baseline()
    made = {path: one["text"] for path, one in texts(declared, facts).items() if one["text"]}
    rules = made["/etc/nftables.conf"].replace("{{", "{")
    well = {f"/run/cuntong-health/{part}": "0\nok\n" for part in facts.parts}
    answer = Answer(
        {
            **made, **well, "/proc/sys/kernel/sysrq": "0\n", "/proc/self/mounts": "tmpfs /tmp tmpfs rw 0 0\n",
            "/etc/passwd": "kiosk:x:999:999::/run/cuntong-kiosk/home:/usr/sbin/nologin\n",
            "/sys/module/apparmor/parameters/enabled": "Y\n", "/sys/class/watchdog/watchdog0/identity": "iTCO\n",
        },
        {"passwd --status kiosk": (0, "kiosk L 2026-11-21 -1 -1 -1 -1\n"), "nft list table inet cuntong": (0, rules)},
        {
            "/etc/usbguard/rules.conf": "root:root 0600", "/etc/snmp/snmpd.local.conf": "root:root 0600",
            "/etc/systemd/system/ctrl-alt-del.target": "/dev/null",
        },
        0.4,
    )  # fmt: skip

    def failed(answer: Answer) -> set[str]:
        return {one.item for one in judge_kiosk(document, facts, answer) if one.mark is Mark.FAIL}

    assert failed(answer) == set()
    for item, path, line in (
        ("B31", "/etc/systemd/system/cuntong-kiosk.service", "Restart=always"),
        ("B33", "/etc/cups/cupsd.conf", "PreserveJobFiles No"),
        ("B35", "/etc/X11/xorg.conf.d/50-cuntong.conf", '  Option "BlankTime" "0"'),
        ("B36", "/etc/usbguard/usbguard-daemon.conf", "ImplicitPolicyTarget=block"),
        ("B39", "/etc/systemd/system.conf.d/cuntong.conf", "RuntimeWatchdogSec=30"),
        ("B40", "/etc/snmp/snmpd.conf", "extend screen /usr/lib/cuntong/kiosk-say screen"),
        ("B42", "/run/cuntong-health/print-queue", "0"),
    ):
        text = str(answer.files[path])
        assert f"{line}\n" in text
        assert failed(replace(answer, files={**answer.files, path: text.replace(f"{line}\n", "", 1)})) == {item}, item
    assert failed(replace(answer, disk_ratio=0.9)) == {"B41"}


@pytest.mark.parametrize(
    "check", ["{file: /etc/x}", "{json: /etc/x}", "{mode: /etc/x}", "{run: [true]}", "{disk: 0.5, file: /x, all: [x]}"]
)
def test_a_check_that_cannot_fail_is_no_check(check: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    path.write_text(f"name: x\nversion: '1'\ntitle: x\nitems: {{B1: {{title: x, zh: x, checks: [{check}]}}}}\n")
    with pytest.raises(TemplateError, match="is no baseline"):
        load_kiosk_baseline(path)
