"""What holds for the whole repository: nothing of the workplace in it, and its front page tells the truth."""

import ipaddress
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import typer

from api.app import create_app
from cuntong.commands import app
from exporter import registry

REPO: Final = Path(__file__).resolve().parent.parent
README: Final = (REPO / "README.md").read_text("utf-8")

# Put together here, so that this file does not hold what it forbids.
FORBIDDEN: Final = (
    "pypi" + ".org", "pypi" + ".python", "python" + "hosted", "npmjs" + ".org", "npmjs" + ".com",
    "index" + "-url", "index" + "_url", "find" + "-links", "trusted" + "-host",
    "/" + "work/", "/" + "root/",
)  # fmt: skip


@cache
def tracked() -> tuple[Path, ...]:
    """Files that belong to the repository: what git knows, else everything that is no tool's."""
    try:
        listed = subprocess.run(
            ["git", "-C", str(REPO), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        folders = (path for path in REPO.iterdir() if not path.name.startswith(".") or path.name == ".ci")
        inside = (file for path in folders for file in ([path] if path.is_file() else path.rglob("*")))
        return tuple(file for file in inside if file.is_file() and "__pycache__" not in file.parts)
    files = (REPO / name for name in listed.decode().split("\0") if name)
    return tuple(file for file in files if file.is_file())


def texts() -> Iterator[tuple[str, str]]:
    """Each tracked text file: its path and its text. What is no UTF-8 is a test's own bad input."""
    for file in tracked():
        try:
            yield file.relative_to(REPO).as_posix(), file.read_text("utf-8")
        except UnicodeDecodeError:
            continue


def test_no_file_names_a_package_registry_or_a_place_on_one_machine() -> None:
    found = []
    for path, text in texts():
        lines = text.splitlines()
        found += [
            f"{path}:{number}: {word}"
            for word in FORBIDDEN
            if word in text
            for number, line in enumerate(lines, 1)
            if word in line
        ]
    assert found == []


_ADDRESS: Final = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d]|\.\d)")
_OWN: Final = [
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
        "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15", "255.255.0.0/16",  # the last: masks
    )
]  # fmt: skip


def shown_to_people(path: str) -> bool:
    return path.startswith(("inventory/examples/", "docs/", "playbooks/")) or path.endswith("README.md")


def test_addresses_in_examples_and_documents_belong_to_nobody() -> None:
    found = []
    for path, text in texts():
        if not shown_to_people(path):
            continue
        for match in _ADDRESS.finditer(text):
            if match[0].startswith("1.3.6."):  # an object identifier
                continue
            address = ipaddress.ip_address(match[0])
            if not any(address in network for network in _OWN):
                found.append(f"{path}: {address}")
    assert found == []


def test_every_locked_package_is_held_by_a_hash_and_comes_from_nowhere_in_particular() -> None:
    text = (REPO / "requirements.lock").read_text("utf-8").replace("\\\n", " ")
    entries = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(entries) > 20
    for entry in entries:
        assert re.match(r"[a-zA-Z0-9][\w.-]*(\[[\w,]+\])?==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry
        assert "://" not in entry, entry


def test_every_dependency_is_locked() -> None:
    lock = (REPO / "requirements.lock").read_text("utf-8").lower()
    project = (REPO / "pyproject.toml").read_text("utf-8")
    wanted = re.findall(r'^\s+"([a-zA-Z0-9-]+)[>=<~!"]', project.partition("[project.scripts]")[0], re.M)
    assert len(wanted) >= 15
    for name in wanted:
        assert f"\n{name}==" in f"\n{lock}", name


def test_every_folder_that_the_readme_names_is_there() -> None:
    named = set(re.findall(r"(?<![\w/.-])([a-z]+)/(?=[\s,|`\]])", README.partition("## The folders")[2]))
    picture = re.search(r"```\n(cuntong .*?)```", README, re.S)
    assert picture is not None
    named |= {line.split()[0] for line in picture[1].splitlines()}
    assert {"inventory", "collectors", "exporter", "api"} <= named
    for name in named:
        assert (REPO / name).is_dir(), name


def test_every_file_that_the_readme_links_is_there() -> None:
    linked = re.findall(r"\]\(([^)#]+)\)", README)
    assert linked
    for path in linked:
        assert "://" in path or (REPO / path).exists(), path


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in getattr(group, "commands", {}).items():
        yield (*path, name)
        yield from commands(command, (*path, name))


def test_every_command_that_the_readme_shows_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):.*##", (REPO / "Makefile").read_text("utf-8"), re.M))
    made = set(re.findall(r"\bmake ([a-z]+)", README)) - {"for"}
    assert {"demo", "test"} <= made <= targets
    known = set(commands(typer.main.get_command(app)))
    blocks = re.findall(r"```sh\n(.*?)```", README, re.S) + re.findall(r"`(cuntong [^`\n]+)`", README)
    shown = [words for block in blocks for words in re.findall(r"\bcuntong ([a-z]+(?: [a-z]+)*)", block)]
    assert shown
    for words in shown:
        path = tuple(words.split())
        assert any(path[:length] in known for length in (1, 2)), words
        if path[0] == "simulate":
            assert path[:2] in known, words


def test_every_path_of_the_api_that_the_readme_shows_is_there() -> None:
    standing: Any = None
    offered = [re.compile(re.sub(r"\{\w+\}", "[^/]+", path)) for path in create_app(standing).openapi()["paths"]]
    shown = set(re.findall(r"(/v1/[\w/]+)", README))
    assert shown
    for path in shown:
        assert any(pattern.fullmatch(path) for pattern in offered), path


def test_the_changelog_has_a_place_for_what_comes() -> None:
    text = (REPO / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"^## \[(.+?)\]", text, re.M)
    assert headings[0] == "Unreleased"
    assert re.search(r"^### (Added|Changed|Fixed|Removed|Deprecated|Security)$", text, re.M)
    assert re.search(r"^- ", text, re.M)


METRICS: Final = [metric for metric in registry.METRICS.values() if metric not in registry.PROCESS_METRICS]
_UNITS: Final = (
    "_percent",
    "_ms",
    "_milliseconds",
    "_kb",
    "_mb",
    "_kbps",
    "_mbps",
    "_bits",
    "_minutes",
    "_hours",
    "_days",
)


def test_every_metric_has_a_name_of_its_own() -> None:
    lists = (registry.COUNTY_METRICS, registry.COLLECTOR_METRICS, registry.API_METRICS, registry.PROCESS_METRICS)
    names = [metric.name for metrics in lists for metric in metrics if metric is not registry.BUILD_INFO]
    assert len(set(names)) == len(names)
    assert {*names, registry.BUILD_INFO.name} == set(registry.METRICS)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_follows_the_conventions(metric: Any) -> None:
    assert re.fullmatch(r"cuntong_[a-z0-9]+(_[a-z0-9]+)*", metric.name)
    assert (metric.type == "counter") == metric.name.endswith("_total")
    assert (metric.kind == "info") == metric.name.endswith("_info")
    assert bool(metric.buckets) == (metric.kind == "histogram")
    assert len(metric.buckets) <= 8
    assert list(metric.buckets) == sorted(metric.buckets)
    assert not metric.name.removesuffix("_total").endswith(_UNITS)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", label) for label in metric.labels)
    assert {"province", "county", "job", "instance", "le", "quantile"}.isdisjoint(metric.labels)
    assert metric.help.endswith(".")
    assert "\n" not in metric.help
    assert metric.help_zh.endswith("。")
    if "name" in metric.labels:
        assert metric.name.endswith("_info"), "names belong on _info alone"


def test_no_test_folder_is_a_package() -> None:
    assert list((REPO / "tests").rglob("__init__.py")) == []
