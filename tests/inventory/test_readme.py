"""The README names every field, and what it shows is true."""

import re
import shutil
from pathlib import Path

import pytest
from pydantic import BaseModel

import inventory
from inventory.county import AddressPlan, County, CoverageRules, Model, OwnNode, SiteClass, Waiver
from inventory.entries import Defaults, DeviceEntry, LinkEntry, Shared, SiteEntry, SiteFile
from inventory.errors import InventoryError
from inventory.kiosks import GovPlatform, Kiosks, Mirror, Peripheral
from inventory.loader import load
from inventory.milestones import Milestone, Scope
from inventory.network import Ipsec, Login, Network, Ports, SnmpUser, Vpn

FOLDER = Path(inventory.__file__).parent
README = (FOLDER / "README.md").read_text("utf-8")
BAD = Path(__file__).parent / "bad"


@pytest.mark.parametrize(
    "model",
    [
        AddressPlan, County, CoverageRules, Defaults, DeviceEntry, GovPlatform, Ipsec, Kiosks, LinkEntry, Login,
        Milestone, Mirror, Model, Network, OwnNode, Peripheral, Ports, Scope, Shared, SiteClass, SiteEntry, SiteFile,
        SnmpUser, Vpn, Waiver,
    ],
)  # fmt: skip
def test_every_field_is_in_the_readme(model: type[BaseModel]) -> None:
    words = set(re.findall(r"[a-z0-9_]+", README))
    assert {field.alias or name for name, field in model.model_fields.items()} - words == set()


def test_the_township_it_shows_is_read(tmp_path: Path) -> None:
    shutil.copytree(FOLDER / "examples" / "tianquan", tmp_path, dirs_exist_ok=True)
    (shown,) = (block for block in re.findall(r"```yaml\n(.*?)```", README, re.S) if "townships:" in block)
    (tmp_path / "sites" / "chengxiang.yml").write_text(shown, "utf-8")
    county = load(tmp_path)
    assert county.central(county.sites.index["tq-chengxiang-wenbi"])


def test_the_lock_lines_it_shows_are_those_of_the_example() -> None:
    lock = (FOLDER / "examples" / "tianquan" / "addresses.lock").read_text("utf-8").splitlines()
    shown = re.findall(r"^(?:pool|block|site) .*$", README, re.M)
    assert len(shown) == 3
    assert set(shown) <= set(lock)


def test_the_refusals_it_shows_are_real() -> None:
    real = {line for path in BAD.glob("*.txt") for line in path.read_text("utf-8").splitlines()}
    shown = re.findall(r"^(?:county|sites/\S+)\.yml:\d+: .*$", README, re.M)
    assert len(shown) == 3
    assert set(shown) <= real


def test_every_problem_says_where_and_how_to_mend_it() -> None:
    folder = Path(__file__).parent / "no such folder"
    with pytest.raises(InventoryError) as refusal:
        load(folder)
    assert all(problem.message and problem.mend for problem in refusal.value.problems)
