"""The real Ansible reads the county: its command line, and its runner as programs use it."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import ansible_runner
import pytest

import inventory
from inventory.ansible_view import Group, View, view
from inventory.loader import load

EXAMPLE: Final = Path(inventory.__file__).parent / "examples" / "tianquan"
PLAYBOOKS: Final = Path(inventory.__file__).parents[1] / "playbooks"
BIN: Final = Path(sys.executable).parent
XIAOHE: Final = "511825104"


@pytest.fixture
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment in which Ansible knows nothing of this user and leaves nothing behind."""
    for name in [name for name in os.environ if name.startswith("ANSIBLE_")]:
        monkeypatch.delenv(name)
    ours = {
        "ANSIBLE_HOME": str(tmp_path / "home"),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path / "temp"),
        "ANSIBLE_NOCOLOR": "1",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",  # Ansible refuses to start in a locale that is not UTF-8
    }
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    return ours


def ansible_inventory(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / "ansible-inventory"), *arguments]
    return subprocess.run(command, cwd=PLAYBOOKS, capture_output=True, text=True, check=False, timeout=60)


def pointing_at(folder: Path, tmp_path: Path, more: str = "") -> str:
    file = tmp_path / "mine.cuntong.yml"
    file.write_text(f"plugin: cuntong\nfolder: {os.path.relpath(folder, tmp_path)}\n{more}", "utf-8")
    return str(file)


def untrusted(text: str) -> Any:
    """JSON of ``ansible-inventory``, which marks each text that it will not expand as a template: here, all of them."""

    def bare(given: dict[str, Any]) -> Any:
        return given["__ansible_unsafe"] if given.keys() == {"__ansible_unsafe"} else given

    return json.loads(text, object_hook=bare)


def as_listed(listed: dict[str, Any]) -> View:
    """What ``ansible-inventory --list`` says, less Ansible's own two groups."""
    groups = {
        name: Group(tuple(group.get("hosts", ())), tuple(group.get("children", ())))
        for name, group in listed.items()
        if name not in ("_meta", "all", "ungrouped")
    }
    return View(listed["_meta"]["hostvars"], groups)


@pytest.mark.usefixtures("surroundings")
def test_ansible_sees_exactly_what_the_view_says() -> None:
    run = ansible_inventory("--list")
    assert (run.returncode, run.stderr) == (0, "")
    listed = untrusted(run.stdout)
    expected, seen = view(load(EXAMPLE)), as_listed(listed)
    assert seen.hosts == expected.hosts
    # Ansible leaves groups without anybody out of its list.
    assert seen.groups == {name: group for name, group in expected.groups.items() if group.hosts or group.children}
    townships = set(expected.groups["d_511825"].children)
    assert set(listed["all"]["children"]) - {"ungrouped"} == expected.groups.keys() - townships
    assert "hosts" not in listed.get("ungrouped", {})


@pytest.mark.usefixtures("surroundings")
def test_one_division_of_an_inventory_can_be_chosen(tmp_path: Path) -> None:
    run = ansible_inventory("-i", pointing_at(EXAMPLE, tmp_path, f"division: {XIAOHE}\n"), "--list")
    assert as_listed(untrusted(run.stdout)).hosts == view(load(EXAMPLE), XIAOHE).hosts


@pytest.mark.usefixtures("surroundings")
def test_a_broken_inventory_stops_ansible_with_file_and_line(tmp_path: Path) -> None:
    folder = shutil.copytree(EXAMPLE, tmp_path / "county")
    text = (folder / "county.yml").read_text("utf-8")
    (folder / "county.yml").write_text(text.replace("profile: linux-kiosk", "profile: linux-kisok"), "utf-8")
    line = next(n for n, one in enumerate(text.splitlines(), 1) if "profile: linux-kiosk" in one)
    run = ansible_inventory("-i", pointing_at(folder, tmp_path), "--list")
    assert run.returncode != 0
    assert f"the inventory in {folder} cannot be used" in run.stderr
    assert f"county.yml:{line}: models.kiosk-uos.profile: there is no profile 'linux-kisok'." in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.usefixtures("surroundings")
def test_an_unknown_division_is_named_with_its_mend(tmp_path: Path) -> None:
    file = pointing_at(EXAMPLE, tmp_path, "division: 519999\n")
    run = ansible_inventory("-i", file, "--list")
    assert run.returncode != 0
    assert f"{file}: division: there is no 519999 in 天全县电子政务外网." in run.stderr


def play(source: str, private: Path, surroundings: dict[str, str], limit: str) -> Any:
    """Run show.yml as programs do. An event handler must say True, else the event is not kept."""
    private.mkdir()
    return ansible_runner.run(
        private_data_dir=str(private),
        project_dir=str(PLAYBOOKS),
        playbook="show.yml",
        inventory=[source],
        limit=limit,
        envvars=surroundings,
        ident="show",
        quiet=True,
        suppress_env_files=True,
        event_handler=lambda event: True,
    )


def test_show_yml_runs_over_one_township_and_leaves_no_secret_behind(
    tmp_path: Path, surroundings: dict[str, str]
) -> None:
    folder = shutil.copytree(EXAMPLE, tmp_path / "county")
    text = (folder / "county.yml").read_text("utf-8")
    (folder / "county.yml").write_text(text.replace("community://public", "community://q7canary"), "utf-8")
    expected = view(load(folder))
    private = tmp_path / "private"
    run = play(pointing_at(folder, tmp_path), private, surroundings, f"d_{XIAOHE}")
    assert (run.status, run.rc) == ("successful", 0), run.stdout.read()

    answers = [event["event_data"] for event in run.events if event["event"] == "runner_on_ok"]
    lines = {answer["host"]: answer["res"]["msg"] for answer in answers}
    assert lines.keys() == set(expected.groups[f"d_{XIAOHE}"].hosts)
    assert run.stats["ok"] == dict.fromkeys(lines, 1)
    assert not any(run.stats[other] for other in ("changed", "dark", "failures", "skipped"))
    for host, line in lines.items():
        assert f" at {expected.hosts[host]['ansible_host']}, below " in line
        assert "\n" not in line
    assert "below tq-center-core1 and tq-center-core2; " in lines["tq-xiaohe-agg1"]
    assert "小河镇便民服务中心 agg1: H3C msr3610 " in lines["tq-xiaohe-agg1"]

    kept = [file for file in private.rglob("*") if file.is_file()]
    assert any("job_events" in file.parts for file in kept)
    assert not [file for file in kept if b"q7canary" in file.read_bytes() or b"community:" in file.read_bytes()]


def test_a_name_that_looks_like_a_template_stays_text(tmp_path: Path, surroundings: dict[str, str]) -> None:
    folder = shutil.copytree(EXAMPLE, tmp_path / "county")
    township = folder / "sites" / "xiaohe.yml"
    text = township.read_text("utf-8")
    township.write_text(text.replace("    villages:", '    site_name: "{{ 6 * 7 }}"\n    villages:', 1), "utf-8")
    run = play(pointing_at(folder, tmp_path), tmp_path / "private", surroundings, "tq-xiaohe-agg1")
    (answer,) = [event["event_data"]["res"] for event in run.events if event["event"] == "runner_on_ok"]
    assert answer["msg"].startswith("{{ 6 * 7 }} agg1: H3C msr3610 at 10.126.0.90, ")


def test_a_host_without_an_address_fails_with_what_to_do(tmp_path: Path, surroundings: dict[str, str]) -> None:
    private = tmp_path / "private"
    run = play("newcomer,", private, surroundings, "newcomer")
    assert (run.status, run.stats["failures"]) == ("failed", {"newcomer": 1})
    (failure,) = [event["event_data"]["res"] for event in run.events if event["event"] == "runner_on_failed"]
    assert failure["msg"].startswith("newcomer has no address, so that nothing can be done with it.")
    assert "cuntong check DIR --allocate" in failure["msg"]


@pytest.mark.usefixtures("surroundings")
def test_the_readme_s_commands_work_as_written() -> None:
    """As they stand there, in a shell; a trailing comment is a comment in a shell, too."""
    readme = (PLAYBOOKS / "README.md").read_text("utf-8").partition("## Changing routers")[0]  # tests/cuntong has those
    commands = [line for line in readme.splitlines() if line.startswith("../.venv/bin/ansible")]
    assert len(commands) == 3
    runs = [  # all at once: most of the time is Ansible starting
        subprocess.Popen(
            ["bash", "-c", command.replace("../.venv/bin", shlex.quote(str(BIN)))],
            cwd=PLAYBOOKS, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for command in commands
    ]  # fmt: skip
    answers = [run.communicate(timeout=60) for run in runs]
    assert [(run.returncode, errors) for run, (_, errors) in zip(runs, answers, strict=True)] == [(0, "")] * 3
    for said, (text, _) in zip(("--tq-shiyang-agg1", '"10.126.0.53"', "始阳镇便民服务中心 agg1"), answers, strict=True):
        assert said in text
