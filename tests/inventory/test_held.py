"""Addresses as routers were found with them: kept, reserved, claimed once."""

import shutil
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from inventory import lockfile
from inventory.addresses import Lock
from inventory.errors import InventoryError
from inventory.held import Held
from inventory.loader import allocate_missing, load

EXAMPLE = Path(__file__).resolve().parents[2] / "inventory" / "examples" / "tianquan"
SITE = "tq-chengxiang-wenbi"
FOUND = (
    f"held {SITE} cpe1 wan mgmt 172.20.9.2/30 172.20.9.1 GigabitEthernet0/0/0",
    f"held {SITE} cpe1 lan gov_public 192.168.77.1/24 - Vlanif100",
    f"held {SITE} cpe1 lan vrf:ops 192.168.77.1/24 - GigabitEthernet 0/3",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The example without what `held` lines replace: the wenbi router was found, not planned."""
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    return tmp_path


def hold(folder: Path, *lines: str, prefix: str = "192.168.77.0/24") -> None:
    file = folder / "addresses.lock"
    text = file.read_text("utf-8")
    (mine,) = [line for line in text.splitlines() if line.startswith(f"site {SITE} ")]
    words = mine.split(" ")
    words[5], words[7] = prefix, "cpe1:172.31.0.9:"
    file.write_text(text.replace(mine, " ".join(words)) + "".join(f"{line}\n" for line in lines), "utf-8")


def test_the_lock_reads_back_what_it_wrote() -> None:
    lock = Lock(held=[Held("a-b", "cpe1", "wan", "mgmt", "10.0.0.2/30", "10.0.0.1", "GigabitEthernet 0/0")])
    again, problems = lockfile.parse(lockfile.render(lock))
    assert problems == []
    assert [one[:7] for one in again.held] == [one[:7] for one in lock.held]


def test_what_was_found_is_what_the_site_has(folder: Path) -> None:
    hold(folder, *FOUND)
    county = load(folder)
    site = county.sites.index[SITE]
    router = county.devices.find(f"{SITE}-cpe1")
    assert county.prefixes(site) == {"gov_public": IPv4Network("192.168.77.0/24")}
    assert router.address == "172.31.0.9"
    assert [str(network) for _, network in county.p2p(router.ordinal)] == ["172.20.9.0/30"]


def test_an_allocation_moves_nothing_of_it_and_gives_it_to_nobody(folder: Path) -> None:
    hold(folder, *FOUND, "held tq-chengxiang-wenbi cpe1 other mgmt 10.126.40.1/24 - GigabitEthernet0/0/9")
    before = (folder / "addresses.lock").read_text("utf-8")
    assert allocate_missing(folder) == []
    assert (folder / "addresses.lock").read_text("utf-8") == before


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param(
            "held tq-chengxiang-xuyu cpe1 wan mgmt 172.20.9.2/30 - eth1",
            "172.20.9.2 in the VRF mgmt is claimed by tq-chengxiang-xuyu-cpe1 and by tq-chengxiang-wenbi-cpe1",
            id="an address of two devices",
        ),
        pytest.param(
            "held tq-chengxiang-xuyu cpe1 lan gov_public 192.168.77.129/25 - eth2",
            "192.168.77.128 of tq-chengxiang-xuyu overlaps tq-chengxiang-wenbi in the VRF gov_public.",
            id="a network of two sites",
        ),
        pytest.param("held tq-nowhere cpe1 wan mgmt 172.20.9.9/30 - e1", "there is no site tq-nowhere.", id="no site"),
        pytest.param("held tq-nowhere cpe1 wan mgmt 172.20.9.999/30 - eth1", "cannot be read", id="no address"),
    ],
)
def test_what_two_claim_is_refused_in_one_line(folder: Path, line: str, said: str) -> None:
    hold(folder, *FOUND, line)
    with pytest.raises(InventoryError) as refusal:
        load(folder)
    (problem,) = refusal.value.problems
    assert said in str(problem)
