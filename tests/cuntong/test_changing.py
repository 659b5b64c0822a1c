"""Plan, approve, apply and roll back as people call them, against simulated routers over real SSH.

The routers of one township (兴业乡 of the example, all four platforms) come bare from the bench; the rest is there
but not touched. Runs are blind here: the demo's own test has a collector that measures.
"""

import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ansible_runner
import pytest
from sqlalchemy.exc import OperationalError

from cuntong.changing import rehearsal
from cuntong.changing.planning import templates_of
from cuntong.secrets import Resolver
from inventory.loader import load
from ledger import audit, rollouts
from ledger.database import open_ledger, sqlite_url
from rollout.running import redact
from rollout.standing import Landmarks, Standing
from simulator.routers.device import Options, SimulatedRouter
from simulator.routers.editing import Done, Place
from simulator.routers.fleet import Fleet, serving
from simulator.routers.wiring import specs

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command, Said

EXAMPLE = Path(__file__).resolve().parents[2] / "inventory" / "examples" / "tianquan"
PLAYBOOKS = EXAMPLE.parents[2] / "playbooks"
TOWN = "511825212"
ROUTERS = 9
PASSWORD = "Long-enough-9"  # noqa: S105  of accounts that live as long as a test
SECRETS = ("ssh/cuntong", "ssh/enable", "snmp/auth", "snmp/priv", "ipsec/psk")


@dataclass
class Bench:
    """Bare routers that answer, accounts, and the command line of whoever is logged in."""

    fleet: Fleet
    call: "Command"
    place: Path

    def log_in(self, name: str) -> None:
        assert self.call("login", name, "--password-file", self.place / "pw").code == 0

    def planned(self, scope: str = TOWN, *options: str, code: int = 0) -> dict[str, Any]:
        self.log_in("wang")
        said = self.call("plan", scope, "--soak", "0", "--json", *options)
        assert said.code == code, said.err
        told: dict[str, Any] = json.loads(said.out)
        return told

    def approved(self, scope: str = TOWN) -> dict[str, Any]:
        told = self.planned(scope)
        self.log_in("li")
        said = self.call("approve", told["sha256"][:8], "--reason", "ticket 7")
        assert said.code == 0, said.err
        return told

    def apply(self, plan: dict[str, Any]) -> "Said":
        return self.call("apply", plan["sha256"], "--blind", "--json")

    def routers(self, scope: str = TOWN) -> list[str]:
        return [device for wave in self.planned(scope)["waves"] for device in wave["devices"]]

    @property
    def ledger(self) -> str:
        return sqlite_url(self.place / "ledger.sqlite3")


@pytest.fixture
def bench(cuntong: "Command", home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A ledger with two engineers, and every router of the county answering SSH as the bench left it."""
    inventory = load(EXAMPLE)
    told = rehearsal.lay_out(inventory, home, list(inventory.devices))
    told |= {"CUNTONG_LEDGER": sqlite_url(home / "ledger.sqlite3"), "CUNTONG_INVENTORY": str(EXAMPLE)}
    told["CUNTONG_MINUTE_S"] = "0.5"
    (home / "pw").write_text(PASSWORD + "\n")
    routers = specs(inventory, templates_of(inventory), Resolver(home / "secrets").secret)
    with serving(routers, Options(minute_s=0.5, boot_s=1.0, restless=True)) as fleet:
        (home / "known_hosts").write_text("".join(f"{id} {fleet.host_key(id)}\n" for id in fleet))
        for name, value in {**told, "CUNTONG_SIMULATED_SSH": str(fleet.port)}.items():
            monkeypatch.setenv(name, value)
        made = Bench(fleet, cuntong, home)
        for name in ("root", "sec", "wang", "li"):
            assert cuntong("user", "add", name, "--password-file", home / "pw").code == 0
            if name == "root":
                cuntong("user", "grant", "root", "sys_admin", "511825")
                made.log_in("root")
        cuntong("user", "grant", "sec", "sec_admin", "511825")
        made.log_in("sec")
        for name in ("wang", "li"):
            cuntong("user", "grant", name, "network_engineer", "511825")
        yield made


def test_bare_routers_are_brought_up_in_waves_and_then_there_is_nothing_left_to_do_and_the_way_back_leads_back(
    bench: Bench,
) -> None:
    before = {id: bench.fleet[id].running for id in bench.routers()}
    assert len(before) == ROUTERS
    plan = bench.approved()
    assert [len(wave["devices"]) for wave in plan["waves"]] == [1, 7, 1]
    said = bench.apply(plan)
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert {one["state"] for one in told["devices"]} == {"confirmed"}
    assert bench.planned()["devices"] == {"in_sync": ROUTERS}
    for id in before:
        router = bench.fleet[id]
        assert router.running != before[id]
        assert redact(router.spec.platform, router.startup) == redact(router.spec.platform, router.running)
        assert router.reboots == 0
    _no_secret_was_written(bench)
    _every_step_is_in_the_ledger(bench, told["run"])

    bench.log_in("li")
    back = bench.call("rollback", told["run"], "--blind", "--json")
    assert back.code == 0, back.err
    for id, text in before.items():
        # A router shows some of the `no` lines that it was told: what it says is the same.
        there = Landmarks(bench.fleet[id].spec.platform, before=text, after=text)
        assert there.of(bench.fleet[id].running) is not Standing.BETWEEN


def test_what_is_sealed_in_the_vault_changes_routers_and_is_written_nowhere(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = bench.place / "secrets"
    opened = {name: Resolver(folder).secret(f"secret://{name}").encode() for name in SECRETS}
    said = ""
    for name, text in opened.items():
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text + b"\n")))
        told = bench.call("secret", "set", name)
        assert told.code == 0, told.err
        said += told.out + told.err
    monkeypatch.setenv("CUNTONG_SECRETS", str(bench.place / "empty"))  # the simulated routers go on reading theirs
    plan = bench.approved("tq-xingye-xiakou")
    code, events = _playbook(bench, "-e", f"cuntong_plan={plan['sha256']}")
    assert code == 0, events[-3:]
    assert _told(events)["cuntong_state"] == "confirmed"
    wrong = bench.place / "passphrase"
    wrong.write_text("a mule, a well and four lanterns")
    for arguments in (
        ("secret", "list"), ("secret", "list", "--json"),
        ("plan", "tq-xingye-xiakou", "--diff"), ("doctor", "--no-ask"),
        ("dump", bench.place / "dump", "--inventory", EXAMPLE, "--passphrase-file", wrong),
    ):  # fmt: skip
        told = bench.call(*arguments)
        said += told.out + told.err
    assert (bench.place / "dump").stat().st_size > 1000
    assert [name for name, text in opened.items() if text.decode() in said + json.dumps(events)] == []
    _none_of_these_was_written(bench, opened)


def _no_secret_was_written(bench: Bench) -> None:
    _none_of_these_was_written(
        bench, {name: Resolver(bench.place / "secrets").secret(f"secret://{name}").encode() for name in SECRETS}
    )


def _none_of_these_was_written(bench: Bench, opened: dict[str, bytes]) -> None:
    """Plans, diffs, the ledger with its log, and whatever else stands in the user's folders."""
    looked = 0
    memory = Path("/dev/shm")  # noqa: S108  where runs keep their files
    left = [path for folder in memory.glob("cuntong-run-*") for path in folder.rglob("*")]
    for path in [*bench.place.rglob("*"), *left]:
        if path.is_file() and (bench.place / "secrets") not in path.parents:
            data = path.read_bytes()
            looked += 1
            assert [name for name, value in opened.items() if value in data] == [], path
    assert looked > 3


def _every_step_is_in_the_ledger(bench: Bench, run: str) -> None:
    engine = open_ledger(bench.ledger)
    with engine.connect() as connection:
        events = [event for _, event in rollouts.events(connection, run)]
        told = [entry.action for entry in audit.entries(connection)]
        assert audit.first_broken(connection) is None
    engine.dispose()
    assert told.count("device.change") == ROUTERS
    assert {"plan.make", "plan.approve", "run.start", "run.end"} <= set(told)
    for device in {event.device for event in events if event.device}:
        steps = [event.what for event in events if event.device == device and event.kind == "step"]
        assert steps[0] == "connect"
        if "arm" in steps:  # the arm is on record before anything is sent
            assert steps.index("arm") < steps.index("send")
        assert steps.index("backup") < steps.index("send") < steps.index("prove") < steps.index("save")


def test_nobody_approves_his_own_plan_and_without_approval_nothing_runs(bench: Bench) -> None:
    plan = bench.planned("tq-xingye-xiakou")
    own = bench.call("approve", plan["sha256"][:8], "--reason", "mine")
    assert own.code == 1
    assert "somebody else has to approve it" in own.err
    early = bench.apply(plan)
    assert early.code == 1
    assert "is not approved: nobody but its author has seen it" in early.err
    bench.log_in("li")
    assert bench.call("approve", plan["sha256"][:8], "--reject", "--reason", "not tonight").code == 0
    refused = bench.apply(plan)
    assert "li rejected it: not tonight" in refused.err
    assert bench.fleet["tq-xingye-xiakou-cpe1"].commands == []


def test_where_nobody_measures_no_run_is_begun(bench: Bench) -> None:
    plan = bench.approved("tq-xingye-xiakou")
    refused = bench.call("apply", plan["sha256"])
    assert refused.code == 1
    assert "nobody would notice that a village was lost" in refused.err
    assert json.loads(bench.call("runs", "--json").out) == []


def test_a_full_disk_under_the_ledger_ends_a_run_in_one_line(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = bench.approved("tq-xingye-xiakou")

    def full(*_: object) -> None:
        raise OperationalError("INSERT", None, sqlite3.OperationalError("database or disk is full"))

    monkeypatch.setattr("cuntong.changing.applying.rollouts.tell", full)
    stopped = bench.apply(plan)
    assert stopped.code == 1
    assert "The ledger stopped working (database or disk is full)" in stopped.err
    assert "`cuntong apply --resume" in stopped.err
    assert "Traceback" not in stopped.err
    assert bench.fleet["tq-xingye-xiakou-cpe1"].commands == []


def test_a_plan_file_that_was_edited_is_refused(bench: Bench) -> None:
    plan = bench.approved("tq-xingye-xiakou")
    file = Path(plan["file"])
    told = json.loads(file.read_text("utf-8"))
    told["plan"]["devices"][0]["commands"].append("undo ip route-static all")
    file.write_text(json.dumps(told), "utf-8")
    said = bench.call("apply", file, "--blind")
    assert said.code == 1
    assert "was edited after it was made" in said.err


def _by_hand(router: SimulatedRouter) -> None:
    """Somebody at the console changes the name, and does not save."""
    done = router.editor.enter(router.tree, Place(), "sysname somebody-else", router.ports)
    assert isinstance(done, Done)


def test_a_router_that_was_changed_by_hand_since_is_stale_and_nothing_is_sent_to_it(bench: Bench) -> None:
    plan = bench.approved("tq-xingye-xiakou")
    router = bench.fleet["tq-xingye-xiakou-cpe1"]
    _by_hand(router)
    said = bench.apply(plan)
    assert said.code == 1
    (one,) = json.loads(said.out)["devices"]
    assert one["state"] == "stale"
    assert router.commands == []
    assert "sysname somebody-else" in router.running


def test_a_run_stops_at_the_wave_in_which_devices_fail_and_touches_nothing_after_it(bench: Bench) -> None:
    plan = bench.approved()
    canary, others, router = (wave["devices"] for wave in plan["waves"])
    for id in others:
        bench.fleet[id].inject(reject="lldp|log syslog|hostname")
    said = bench.apply(plan)
    assert said.code == 1
    states = {one["device"]: one["state"] for one in json.loads(said.out)["devices"]}
    assert states[canary[0]] == "confirmed"
    assert "confirmed" not in {states[id] for id in others}
    assert {states[id] for id in router} == {"waiting"}
    assert all(bench.fleet[id].commands == [] for id in router)


def _started(bench: Bench, plan: dict[str, Any]) -> subprocess.Popen[str]:
    """``cuntong apply`` in a process of its own, which can be killed."""
    command = [sys.executable, "-m", "cuntong", "apply", plan["sha256"], "--blind"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(os.environ))


def _first_run(bench: Bench) -> str:
    return str(json.loads(bench.call("runs", "--json").out)[0]["run"])


def _wait_for_step(bench: Bench, name: str, seconds: float = 40.0) -> None:
    engine = open_ledger(bench.ledger)
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            with engine.connect() as connection:
                told = rollouts.every_run(connection)
                steps = {one.what for _, one in rollouts.events(connection, told[0].id)} if told else set()
            if name in steps:
                return
            time.sleep(0.05)
    finally:
        engine.dispose()
    pytest.fail(f"no device came to the step {name!r}")


@pytest.mark.parametrize("moment", ["backup", "send", "save"])
def test_a_run_whose_controller_was_killed_goes_on_and_every_router_ends_old_or_new(bench: Bench, moment: str) -> None:
    plan = bench.approved()
    process = _started(bench, plan)
    _wait_for_step(bench, moment)
    process.kill()
    process.wait(10)
    assert process.stdout is not None
    process.stdout.close()
    run = _first_run(bench)
    said = bench.call("apply", "--resume", run, "--blind", "--json")  # waits for the lease that the dead one left
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert {one["state"] for one in told["devices"]} <= {"confirmed", "rolled_back"}
    assert bench.planned()["devices"].get("in_sync", 0) >= ROUTERS - 1


def test_a_run_whose_controller_lives_stays_its_own(bench: Bench) -> None:
    process = _started(bench, bench.approved())
    _wait_for_step(bench, "backup")
    run = _first_run(bench)
    said = bench.call("apply", "--resume", run, "--blind", "--json")
    process.communicate(timeout=90)
    assert said.code == 1
    assert re.search("lease runs for another|has ended", said.err), said.err
    assert process.returncode == 0
    engine = open_ledger(bench.ledger)
    with engine.connect() as connection:
        assert rollouts.find_run(connection, run).epoch == 1
    engine.dispose()


def test_ctrl_c_starts_nothing_new_and_lets_what_is_under_way_end(bench: Bench) -> None:
    plan = bench.approved()
    process = _started(bench, plan)
    _wait_for_step(bench, "send")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=90)
    assert process.returncode == 1
    assert "Stopped by the operator." in out
    engine = open_ledger(bench.ledger)
    with engine.connect() as connection:
        run = rollouts.every_run(connection)[0]
        events = [event for _, event in rollouts.events(connection, run.id)]
    engine.dispose()
    assert run.state is rollouts.RunState.ENDED
    sent = {event.device for event in events if event.what == "send"}
    ended = {event.device for event in events if event.kind == "device"}
    assert sent <= ended
    assert len(sent) < ROUTERS


def _playbook(bench: Bench, *options: str, name: str = "extranet_link.yml") -> tuple[int, list[dict[str, Any]]]:
    """What an engineer runs by hand: the playbook itself; its events."""
    source = bench.place / "mine.cuntong.yml"
    source.write_text(f"plugin: cuntong\nfolder: {json.dumps(str(EXAMPLE))}\n", "utf-8")
    private = bench.place / "runner"
    private.mkdir(exist_ok=True)
    ended = ansible_runner.run(
        private_data_dir=str(private), project_dir=str(PLAYBOOKS), playbook=name,
        inventory=str(source), limit="tq-xingye-xiakou-cpe1", cmdline=" ".join(options), quiet=True,
        envvars={
            "ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg"),
            "ANSIBLE_HOME": str(private / "home"),
            "LC_ALL": "C.UTF-8",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        },
    )  # fmt: skip
    return ended.rc, list(ended.events)


def _told(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The result of the one task of ours that succeeded."""
    good = [one["event_data"] for one in events if one["event"] == "runner_on_ok"]
    (result,) = [one["res"] for one in good if one["task_action"].startswith("cuntong_")]
    told: dict[str, Any] = result
    return told


def test_the_playbook_by_hand_shows_the_difference_in_check_mode_and_changes_nothing(bench: Bench) -> None:
    code, events = _playbook(bench, "--check", "--diff")
    assert code == 0
    result = _told(events)
    assert result["changed"]
    assert "snmp-agent" not in result["diff"][0]["before"]
    assert "snmp-agent" in result["diff"][0]["after"]
    assert bench.fleet["tq-xingye-xiakou-cpe1"].commands == []


def test_the_playbook_by_hand_needs_an_approved_plan_and_its_events_hold_no_secret(bench: Bench) -> None:
    code, events = _playbook(bench)
    assert code == 2
    (said,) = [one["event_data"]["res"]["msg"] for one in events if one["event"] == "runner_on_failed"]
    assert said.startswith("Nothing is changed without an approved plan")
    plan = bench.approved("tq-xingye-xiakou")
    code, events = _playbook(bench, "-e", f"cuntong_plan={plan['sha256']}")
    assert code == 0
    result = _told(events)
    assert result["cuntong_state"] == "confirmed"
    assert [name for name, _ in result["cuntong_steps"]][:2] == ["connect", "read"]
    _no_secret_was_written(bench)


def test_a_run_by_hand_is_undone_by_hand_and_backups_and_the_baseline_have_playbooks_too(bench: Bench) -> None:
    plan = bench.approved("tq-xingye-xiakou")
    before = bench.fleet["tq-xingye-xiakou-cpe1"].running
    assert _playbook(bench, "-e", f"cuntong_plan={plan['sha256']}")[0] == 0
    run = _first_run(bench)
    assert _playbook(bench, name="backup.yml")[0] == 0
    code, events = _playbook(bench, name="baseline_audit.yml")
    assert code == 0
    assert len(_told(events)["results"]) == 19
    strict = ("-e", "baseline_strict=true")
    assert _playbook(bench, *strict, name="baseline_audit.yml")[0] == 0  # what we render passes what we ask for
    assert _playbook(bench, name="rollback.yml")[0] == 2  # it does not say what
    code, events = _playbook(bench, "-e", f"cuntong_reverses={run}", name="rollback.yml")
    assert code == 0, events[-3:]
    platform = bench.fleet["tq-xingye-xiakou-cpe1"].spec.platform
    now = bench.fleet["tq-xingye-xiakou-cpe1"].running
    assert redact(platform, now) == redact(platform, before)
    assert _playbook(bench, name="backup.yml")[0] == 0
    assert _playbook(bench, *strict, name="baseline_audit.yml")[0] == 2  # a bare router does not


def _judged(bench: Bench, scope: str) -> dict[str, str]:
    (judged,) = json.loads(bench.call("baseline", scope, "--json").out)
    return {one["item"]: one["mark"] for one in judged["results"]}


def test_a_router_that_does_not_reach_what_the_operator_names_is_left_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ``network.reaches`` names, such as the hub: nobody answers under the second, so nothing is begun."""
    folder = bench.place / "inventory"
    shutil.copytree(EXAMPLE, folder)
    text = (folder / "county.yml").read_text("utf-8")
    (folder / "county.yml").write_text(text.replace("  dns: [10", "  reaches: [10.126.12.10, 192.0.2.1]\n  dns: [10"))
    monkeypatch.setenv("CUNTONG_INVENTORY", str(folder))
    router = bench.fleet["tq-xingye-xiakou-cpe1"]
    before = router.running
    router.inject(unanswered=r"192\.0\.2\.1")
    said = bench.apply(bench.approved("tq-xingye-xiakou"))
    (ended,) = json.loads(said.out)["devices"]
    assert (said.code, ended["state"]) == (1, "failed"), ended
    assert "before the change already: it does not reach 192.0.2.1" in ended["reason"]
    assert redact(router.spec.platform, router.running) == redact(router.spec.platform, before)


def test_backups_drift_and_baseline_speak_of_what_was_read(bench: Bench) -> None:
    scope = "tq-xingye-xiakou"
    bench.apply(bench.approved(scope))
    assert bench.call("backup", scope).code == 0
    assert _judged(bench, scope)["B11"] == "pass"
    (same,) = json.loads(bench.call("drift", scope, "--json").out)
    assert (same["since_applied"], same["against_intended"]) == ("same", "in_sync")
    _by_hand(bench.fleet["tq-xingye-xiakou-cpe1"])
    assert json.loads(bench.call("backup", scope, "--json").out)[0]["changed"]
    (drifted,) = json.loads(bench.call("drift", scope, "--json").out)
    assert (drifted["since_applied"], drifted["against_intended"]) == ("changed", "ready")
    marks = _judged(bench, scope)
    assert marks["B1"] == "fail"
    assert marks["B11"] == "fail"  # what runs was not saved
    assert marks["B6"] == "pass"
    assert set(marks.values()) == {"pass", "fail", "n/a"}
    file = bench.place / "restored.cfg"
    assert bench.call("unseal", "tq-xingye-xiakou-cpe1", file).code == 0
    assert "sysname somebody-else" in file.read_text("utf-8")
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("host key", "host key"),
        ("password", "does not let .cuntong. in"),
        ("silent", "tq-xingye-xiakou-cpe1"),
    ],
)
def test_what_keeps_a_router_from_being_read_is_one_line_in_the_plan(bench: Bench, broken: str, said: str) -> None:
    router = bench.fleet["tq-xingye-xiakou-cpe1"]
    if broken == "host key":
        router.replace_box()
        while not router.takes_sessions:  # it boots
            time.sleep(0.1)
    elif broken == "password":
        assert "local-user cuntong" in router.running  # it was set up with the right one
        (bench.place / "secrets" / "ssh" / "cuntong").write_text("another-one\n")
    else:
        router.inject(cut=True)
    told = bench.planned("tq-xingye-xiakou", code=1)
    (one,) = told["not_ready"]
    assert one["readiness"] == "unreadable"
    assert re.search(said, one["reason"])
    assert "\n" not in one["reason"]
    assert told["waves"] == []
