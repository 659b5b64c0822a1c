"""`cuntong remediate` as people and programs call it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BASES = Path(__file__).resolve().parent.parent / "rollout" / "corpus" / "bases"
RUNNING = BASES / "appendix.txt"


def called(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cuntong", "remediate", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def intended(tmp_path: Path) -> Path:
    file = tmp_path / "intended.txt"
    file.write_text("vlan batch 10 30\n", "utf-8")
    return file


def test_programs_get_one_document(intended: Path) -> None:
    done = called("--platform", "vrp", RUNNING, intended, "--manager", "10.1.2.3", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["commands"] == ["vlan batch 30", "undo vlan batch 20"]
    assert answer["rollback"] == ["vlan batch 20", "undo vlan batch 30"]
    assert answer["hazards"] == []
    assert "aaa" in answer["unmanaged"]
    assert "vlan batch 10 20" not in answer["unmanaged"]
    assert answer["path_class"] == "local"


def test_people_get_lines(intended: Path) -> None:
    done = called("--platform", "vrp", RUNNING, intended)
    assert done.stdout == "vlan batch 30\nundo vlan batch 20\n"


def test_a_fatal_hazard_empties_the_commands_and_says_why(tmp_path: Path) -> None:
    intended = tmp_path / "intended.txt"
    intended.write_text("ip route-static 10.0.0.0 255.0.0.0 NULL0\n", "utf-8")
    done = called("--platform", "vrp", RUNNING, intended, "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == 1
    assert answer["commands"] == answer["rollback"] == []
    assert [hazard["id"] for hazard in answer["hazards"]] == ["path-route-gap"]
    assert answer["hazards"][0]["line"] == "undo ip route-static 0.0.0.0 0.0.0.0 10.9.0.1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no line of configuration"),
        ("#\n sysname a\n  ---- More ----\n", "cut by paging at line 3"),
        ("Error: Unrecognized command found at '^' position.\n", "error of the device at line 1"),
        ("hostname a\n", "is no vrp configuration"),
        ("<html><body>502</body></html>\n", "holds no line"),
        ('#\n header login information "never ends\n', "cut off"),
        ("sysname a\n  ip address 10.0.0.1 24\n", "cut or damaged"),
        ("sysname a\x01\n", "control character"),
    ],
)
def test_a_running_configuration_that_cannot_be_read_is_one_clear_line(
    tmp_path: Path, intended: Path, text: str, said: str
) -> None:
    running = tmp_path / "running.txt"
    running.write_text(text, "utf-8")
    done = called("--platform", "vrp", running, intended, "--json")
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_wrong_words_are_one_clear_line(tmp_path: Path, intended: Path) -> None:
    missing = called("--platform", "vrp", tmp_path / "nowhere.txt", intended)
    platform = called("--platform", "ios", RUNNING, intended)
    manager = called("--platform", "vrp", RUNNING, intended, "--manager", "noc")
    assert [missing.returncode, platform.returncode, manager.returncode] == [2, 2, 2]
    assert "nowhere.txt: No such file" in missing.stderr
    assert "vrp, comware, rgos, frr" in platform.stderr
    assert "'noc'" in manager.stderr


def test_descriptions_in_gbk_are_read(tmp_path: Path) -> None:
    running, intended = tmp_path / "running.txt", tmp_path / "intended.txt"
    running.write_bytes("#\n sysname a\n#\ninterface Vlanif10\n description 村委会\n#\nreturn\n".encode("gb18030"))
    intended.write_text("interface Vlanif10\n description 便民服务室\n", "utf-8")
    done = called("--platform", "vrp", running, intended)
    assert done.stdout == "interface Vlanif10\ndescription 便民服务室\nquit\n"
