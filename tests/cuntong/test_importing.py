"""`cuntong import`: spreadsheets into the inventory, or every bad row by name."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cuntong.demo import EXAMPLE

if TYPE_CHECKING:
    from tests.cuntong.conftest import Command

GOOD = "区划代码,区划名称,运营商\n511825100208,梅子村委会,中国移动\n"
BAD = GOOD + "511825100209,梅子村委会,中国移动\n511825100210,,铁通\n"


@pytest.fixture
def folder(home: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, home / "inventory"))


def test_a_dry_run_shows_the_diff_and_writes_nothing(cuntong: "Command", home: Path, folder: Path) -> None:
    (home / "a.csv").write_text(GOOD, "utf-8")
    before = (folder / "sites" / "chengxiang.yml").read_bytes()
    said = cuntong("import", home / "a.csv", folder, "--dry-run")
    assert said.code == 0
    assert "-        is: 梅子村委会\n+        is: 梅子村委会 - - mobile\n" in said.out
    assert "dry run, nothing was written" in said.out
    assert (folder / "sites" / "chengxiang.yml").read_bytes() == before
    assert cuntong("import", home / "a.csv", folder).code == 0
    assert cuntong("check", folder).code == 0
    assert "nothing changes" in cuntong("import", home / "a.csv", folder).out


def test_bad_rows_are_told_in_both_languages_and_end_with_two(cuntong: "Command", home: Path, folder: Path) -> None:
    (home / "a.csv").write_text(BAD, "utf-8")
    said = cuntong("import", home / "a.csv", folder)
    assert said.code == 2
    assert "a.csv 第3行 B列“区划名称”：511825100209 是“龙尾村委会”，不是“梅子村委会”" in said.out
    assert "B3: 511825100209 is 龙尾村委会, not 梅子村委会." in said.out
    assert "2 rows are wrong, nothing was written" in said.out
    told = json.loads(cuntong("import", home / "a.csv", folder, "--json").out)
    assert (told["ok"], told["written"]) == (False, False)
    assert [(one["row"], one["column"]) for one in told["faults"]] == [(3, "B"), (4, "C")]


def test_a_template_that_was_written_imports_as_it_is(cuntong: "Command", home: Path, folder: Path) -> None:
    assert cuntong("import", "template", "all", folder, "--xlsx", home / "t.xlsx", "--filled").code == 0
    said = cuntong("import", home / "t.xlsx", folder)
    assert (said.code, "0 rows, nothing changes" in said.out) == (0, True)
    assert cuntong("import", "template", "all", folder, "--csv", home / "t.csv").code == 2
    assert cuntong("import", home / "missing.xlsx", folder).code == 2
