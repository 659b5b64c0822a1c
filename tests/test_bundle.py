"""deploy/bundle: what the offline bundle holds, and what its installer refuses. `make bundle-test` does it for real."""

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest

REPO = Path(__file__).parents[1]
BUNDLE = REPO / "deploy" / "bundle"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A small one for this Python, whole."""
    root = tmp_path / f"cuntong-0.1.0-py3{sys.version_info[1]}-linux"
    (root / "wheels").mkdir(parents=True)
    (root / "source").mkdir()
    (root / "wheels" / "a-1.0-py3-none-any.whl").write_bytes(bytes(range(256)) * 40)
    (root / "source" / "README.md").write_text("Cuntong")
    shutil.copy(BUNDLE / "install", root / "install")
    files = sorted(file for file in root.rglob("*") if file.is_file())
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  ./{file.relative_to(root)}\n" for file in files]
    (root / "SHA256SUMS").write_text("".join(sums))
    return root


def install(root: Path, prefix: Path, python: str = sys.executable) -> str:
    """What it says on refusing: one line, and nothing is there."""
    before = sorted(prefix.parent.rglob("*"))
    done = subprocess.run([root / "install", prefix, python], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert sorted(prefix.parent.rglob("*")) == before
    return done.stderr


@pytest.mark.parametrize("way", ["cut off", "altered", "missing", "no sums"])
def test_a_bundle_that_is_not_whole_is_refused_in_one_line_and_nothing_is_changed(
    way: str, bundle: Path, tmp_path: Path
) -> None:
    wheel = bundle / "wheels" / "a-1.0-py3-none-any.whl"
    if way == "cut off":
        wheel.write_bytes(wheel.read_bytes()[:-1])
    elif way == "altered":
        wheel.write_bytes(b"x" + wheel.read_bytes()[1:])
    elif way == "missing":
        wheel.unlink()
    else:
        (bundle / "SHA256SUMS").unlink()
    (tmp_path / "opt").mkdir()
    said = install(bundle, tmp_path / "opt" / "cuntong")
    assert "The bundle is not whole" in said
    assert way == "no sums" or "a-1.0-py3-none-any.whl" in said


def test_a_bundle_whose_file_was_cut_off_is_refused_too(bundle: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "bundle.tar", "w") as tar:
        for name in ("SHA256SUMS", "install", "source", "wheels"):
            tar.add(bundle / name, f"{bundle.name}/{name}")
    data = (tmp_path / "bundle.tar").read_bytes()
    (tmp_path / "cut.tar").write_bytes(data[: data.index(b"a-1.0-py3") + 4000])
    (tmp_path / "opt").mkdir()
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    assert subprocess.run(
        ["tar", "-xf", tmp_path / "cut.tar"], cwd=unpacked, capture_output=True, check=False
    ).returncode
    assert "The bundle is not whole" in install(unpacked / bundle.name, tmp_path / "opt" / "cuntong")


def test_a_folder_that_is_not_ours_is_not_replaced(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "opt" / "cuntong").mkdir(parents=True)
    (tmp_path / "opt" / "cuntong" / "mine").write_text("mine")
    assert "no link of ours" in install(bundle, tmp_path / "opt" / "cuntong")


def test_another_python_than_that_of_the_wheels_is_refused(bundle: Path, tmp_path: Path) -> None:
    other = bundle.rename(tmp_path / "cuntong-0.1.0-py399-linux")
    (tmp_path / "opt").mkdir()
    said = install(other, tmp_path / "opt" / "cuntong")
    assert f"for Python 3.99, and {sys.executable} is 3.{sys.version_info[1]}" in said


def test_the_bundles_lock_has_what_runs_and_nothing_of_the_tests() -> None:
    run = [sys.executable, str(BUNDLE / "runtime_lock.py"), str(REPO / "requirements.lock")]
    blocks = subprocess.run(run, capture_output=True, text=True, timeout=60, check=True).stdout
    locked = {re.split(r"[=\[]", line)[0].lower() for line in blocks.splitlines() if line[:1].isalnum()}
    project = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))
    direct = {re.split(r"[<>=\[]", one)[0].lower() for one in project["project"]["dependencies"]}
    assert direct <= locked
    assert {"hatchling", "psycopg-binary", "cffi"} <= locked
    assert not {"pytest", "mypy", "playwright", "hypothesis", "annet"} & locked
    assert blocks.count("--hash=sha256:") >= len(locked)
