"""``cuntong circuit``: what lines have, and how one gets another circuit."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cuntong.demo import EXAMPLE
from inventory.circuits import circuits
from inventory.loader import load

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command

SCALAR, MAPPING = "tq-chengxiang-juncheng", "tq-chengxiang"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "county"))


def of(folder: Path, site: str) -> list[tuple[str | None, str, str, str, str]]:
    inventory = load(folder)
    at = inventory.sites.index[site]
    return [
        (one.number, one.carrier, one.link_type, str(one.since), str(one.until))
        for one in circuits(inventory)
        if one.site == at
    ]


@pytest.mark.parametrize("site", [SCALAR, MAPPING])
def test_a_line_gets_another_circuit_and_keeps_the_old_ones_dates(folder: Path, site: str, cuntong: "Command") -> None:
    (before,) = of(folder, site)
    told = cuntong(
        "circuit", "change", site, folder, "--in-place", "--circuit", "MOB-1", "--carrier", "mobile",
        "--since", "2026-12-01", "--until", "2029-12-01",
    )  # fmt: skip
    assert told.code == 0, told.err
    assert "circuit: MOB-1" in told.out
    assert of(folder, site) == [
        (before[0] or "unnumbered", before[1], before[2], "None", "2026-12-01"),
        ("MOB-1", "mobile", before[2], "2026-12-01", "None"),
    ]
    assert cuntong("check", folder).code == 0
    again = cuntong(
        "circuit", "change", site, folder, "--in-place", "--circuit", "TEL-2", "--carrier", "telecom", "--type", "mstp",
        "--since", "2027-12-01", "--until", "2030-12-01",
    )  # fmt: skip
    assert "path change" in again.out
    assert [one[0] for one in of(folder, site)][1:] == ["MOB-1", "TEL-2"]
    comments = [line for line in (EXAMPLE / "sites" / "chengxiang.yml").read_text("utf-8").splitlines() if "#" in line]
    kept = (folder / "sites" / "chengxiang.yml").read_text("utf-8")
    assert all(line in kept for line in comments)


def test_a_dry_run_and_a_broken_law_write_nothing(folder: Path, cuntong: "Command") -> None:
    before = (folder / "sites" / "chengxiang.yml").read_bytes()
    told = cuntong("circuit", "change", SCALAR, folder, "--in-place", "--circuit", "X-1", "--dry-run")
    assert (told.code, "Nothing was written" in told.out) == (0, True)
    for more, said in (
        (("--carrier", "nobody"), "the carrier 'nobody'"),
        (("--service-level", "golden"), "the service level 'golden'"),
        (("--line", "2"), "has no line 2"),
        (("--since", "soon"), "is no day"),
        (("--since", "2027-01-01", "--until", "2026-01-01"), "ends before it begins"),
    ):
        refused = cuntong("circuit", "change", SCALAR, folder, "--in-place", "--circuit", "X-1", *more)
        assert (refused.code, said in refused.err) == (2, True), refused.err
    assert cuntong("circuit", "change", "tq-nowhere", folder, "--circuit", "X").code == 2
    missing = cuntong("circuit", "change", MAPPING, folder, "--in-place", "--circuit", "X-1")
    assert (missing.code, "--until" in missing.err) == (2, True)
    assert (folder / "sites" / "chengxiang.yml").read_bytes() == before


def test_circuits_are_listed_and_those_that_end_soon_are_named(folder: Path, cuntong: "Command") -> None:
    listed = json.loads(cuntong("circuit", "list", folder, "--json", "--carrier", "telecom").out)
    assert {row["carrier"] for row in listed} == {"telecom"}
    assert {row["service_level"] for row in listed} == {"standard"}
    assert cuntong("circuit", "list", folder, "--ending").out.strip() == "None."
    cuntong(
        "circuit",
        "change",
        SCALAR,
        folder,
        "--in-place",
        "--circuit",
        "OLD",
        "--since",
        "2020-01-01",
        "--until",
        "2021-01-01",
    )
    (row,) = json.loads(cuntong("circuit", "list", folder, "--ending", "--json").out)
    assert (row["site"], row["circuit"]) == (SCALAR, "OLD")
    assert f"OLD of {SCALAR} ended on 2021-01-01" in cuntong("check", folder).out
