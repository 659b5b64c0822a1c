"""Loading: the cache, exceptions of single sites, own nodes, mergers."""

import json
import os
import shutil
import tracemalloc
from datetime import date
from pathlib import Path

import pytest

import inventory as inventory_package
from inventory import cache
from inventory.errors import InventoryError
from inventory.loader import allocate_missing, load
from inventory.model import Inventory
from inventory.scaffold_text import COUNTY
from inventory.vocabulary import Claim

BASE = Path(__file__).parent / "bad" / "base"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BASE, tmp_path / "county"))


def edit(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def change(folder: Path, old: str, new: str) -> Inventory:
    """Edit the sites file, allocate, load."""
    edit(folder, "sites/county.yml", old, new)
    allocate_missing(folder)
    return load(folder)


# --- cache


def test_the_cached_inventory_is_the_same(folder: Path, tmp_path: Path) -> None:
    edit(folder, "sites/county.yml", "文笔居委会\n", "{is: 文笔居委会, central: true, aliases: [文笔点]}\n")
    fresh = load(folder, cache=tmp_path / "cache")
    cached = load(folder, cache=tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 1
    assert cached.content_hash == fresh.content_hash
    assert list(cached.devices) == list(fresh.devices)
    assert [cached.site(i) for i in range(len(cached.sites))] == [fresh.site(i) for i in range(len(fresh.sites))]
    assert cached.coverage_rules == fresh.coverage_rules
    assert cached.calendars == fresh.calendars
    assert cached.county == fresh.county


def test_a_changed_byte_is_another_inventory(folder: Path) -> None:
    before = load(folder).content_hash
    edit(folder, "county.yml", "测试县", "测试市")
    assert load(folder).content_hash != before


@pytest.mark.parametrize(
    "damage", [b"", b"{}", b"garbage", b"[]\n" + b"0" * 64], ids=["empty", "short", "text", "hash"]
)
def test_a_damaged_cache_is_rebuilt(damage: bytes, folder: Path, tmp_path: Path) -> None:
    load(folder, cache=tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage)
    assert len(load(folder, cache=tmp_path / "cache").devices) == 17
    assert file.read_bytes() == whole


def test_a_column_of_few_words_is_kept_as_places_in_a_list_of_them_and_comes_back(tmp_path: Path) -> None:
    inventory = load(Path(inventory_package.__file__).parent / "examples" / "tianquan", cache=tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    lines = {name: packed for name, packed in map(json.loads, file.read_text("utf-8").splitlines()[:-1])}
    words, places = lines["site_types"]
    assert [words[place] for place in places] == inventory.sites.types
    assert len(set(words)) == len(words) < 10
    assert lines["site_ids"] == [inventory.sites.ids]
    again = load(inventory.folder, cache=tmp_path / "cache")
    assert again.sites.types == inventory.sites.types
    assert len({id(word) for word in again.sites.types}) == len(words)  # each word is in memory once


def test_a_cache_cut_in_the_middle_is_rebuilt(folder: Path, tmp_path: Path) -> None:
    load(folder, cache=tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    file.write_bytes(file.read_bytes()[:500])
    assert len(load(folder, cache=tmp_path / "cache").devices) == 17


def test_the_cache_belongs_to_its_user_alone(folder: Path, tmp_path: Path) -> None:
    load(folder, cache=tmp_path / "a" / "cache")
    (file,) = (tmp_path / "a" / "cache").iterdir()
    assert (tmp_path / "a" / "cache").stat().st_mode & 0o777 == 0o700
    assert file.stat().st_mode & 0o077 == 0


def test_a_cache_that_others_may_write_is_not_believed(folder: Path, tmp_path: Path) -> None:
    load(folder, cache=tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    file.chmod(0o666)
    digest = load(folder).content_hash
    assert cache.recall(tmp_path / "cache", digest) is None


def test_a_cache_that_cannot_be_written_is_no_error(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert len(load(folder, cache=tmp_path / "file" / "cache").devices) == 17


def test_only_the_newest_caches_are_kept(folder: Path, tmp_path: Path) -> None:
    for n in range(10):
        edit(folder, "county.yml", "title: 测试县", f"title: 测试县{n}")
        load(folder, cache=tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 8


def test_a_bad_inventory_is_not_cached(folder: Path, tmp_path: Path) -> None:
    edit(folder, "county.yml", "title", "titel")
    with pytest.raises(InventoryError):
        load(folder, cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_the_default_cache_follows_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/clerk/caches")
    assert cache.default_folder() == Path("/home/clerk/caches/cuntong")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache.default_folder() == Path.home() / ".cache" / "cuntong"


# --- exceptions of single sites


def test_a_guest_shares_the_line_of_its_host_which_is_counted_once(folder: Path) -> None:
    county = change(folder, "文笔居委会\n", "{is: 文笔居委会, host_site: 511825100}\n")
    guest, host = county.sites.index["tq-chengxiang-wenbi"], county.sites.index["tq-chengxiang"]
    assert county.site(guest).host_site == "tq-chengxiang"
    assert county.site_uplinks(guest) == (host,)
    assert county.devices.of(guest) == ()
    assert county.link(guest) is None
    assert len(county.devices) == 15


def test_a_unit_may_be_the_host_by_code_and_key(folder: Path) -> None:
    county = change(folder, "文笔居委会\n", "{is: 文笔居委会, host_site: 511825/fagai}\n")
    assert county.site(county.sites.index["tq-chengxiang-wenbi"]).host_site == "tq-fagai"


def test_an_uplink_may_be_another_site(folder: Path) -> None:
    county = change(folder, "文笔居委会\n", "{is: 文笔居委会, link: {uplink: tq-shiyang}}\n")
    site = county.sites.index["tq-chengxiang-wenbi"]
    assert county.site_uplinks(site) == (county.sites.index["tq-shiyang"],)


def test_a_second_line_is_a_second_uplink_with_addresses_of_its_own(folder: Path) -> None:
    county = change(
        folder,
        "文笔居委会\n",
        "{is: 文笔居委会, more_links: [{type: vpdn, carrier: unicom, role: backup, uplink: 511825}]}\n",
    )
    site = county.sites.index["tq-chengxiang-wenbi"]
    assert county.site_uplinks(site) == (county.sites.index["tq-chengxiang"], 0)
    assert [(link.link_type, link.role, link.uplink) for link in county.links(site)] == [
        ("pon", "primary", county.sites.index["tq-chengxiang"]),
        ("vpdn", "backup", 0),
    ]
    (router,) = county.devices.routers(site)
    assert len({network for _, network in county.p2p(router)}) == 2


def test_a_village_below_a_township_without_a_centre_goes_up_to_the_county(folder: Path) -> None:
    county = change(folder, "    is: 城厢镇\n", "")
    assert county.site_uplinks(county.sites.index["tq-chengxiang-wenbi"]) == (0,)


def test_stations_and_points_stand_beside_the_site_of_their_division(folder: Path) -> None:
    county = change(
        folder,
        "    is: 城厢镇\n",
        "    is: 城厢镇\n    more:\n      laojie: {type: township_station, is: 老街便民服务站 village mstp unicom}\n"
        "      che: {type: mobile, is: 流动服务车 none}\n",
    )
    node = county.nodes.find("511825100")
    assert [county.sites.ids[i] for i in county.sites.own(node)] == [
        "tq-chengxiang", "tq-chengxiang-laojie", "tq-chengxiang-che",
    ]  # fmt: skip
    station = county.site(county.sites.index["tq-chengxiang-laojie"])
    assert (station.type, station.name, station.code) == ("township_station", "老街便民服务站", "511825100000")
    assert county.site_uplinks(station.index) == (county.sites.index["tq-chengxiang"],)
    assert county.link(county.sites.index["tq-chengxiang-che"]) is not None
    assert county.devices.of(county.sites.index["tq-chengxiang-che"]) == ()


def test_devices_are_changed_dropped_and_added_by_role(folder: Path) -> None:
    county = change(
        folder,
        "文笔居委会\n",
        "{is: 文笔居委会, devices: {kiosk1: null, kiosk2: kiosk, kiosk3: {model: kiosk, owner: bank, "
        "monitored: partner, serial: S1, asset_no: A1, origin: reused:employment, themes: [tax], "
        "calendar: office, installed: 2021-05-01}}}\n",
    )
    devices = {device.role: device for device in county.devices.of(county.sites.index["tq-chengxiang-wenbi"])}
    assert list(devices) == ["cpe1", "kiosk2", "kiosk3"]
    bank = devices["kiosk3"]
    assert (bank.owner, bank.monitored, bank.serial, bank.asset_no) == ("bank", "partner", "S1", "A1")
    assert (bank.origin, bank.themes, bank.calendar, bank.installed) == (
        "reused:employment", ("tax",), "office", "2021-05-01",
    )  # fmt: skip
    assert county.devices.find("tq-chengxiang-wenbi-kiosk3") == bank


def test_claims_of_a_site_replace_those_of_its_file(folder: Path) -> None:
    path = folder / "sites" / "county.yml"
    path.write_text(
        path.read_text("utf-8") + "defaults: {claims: [{claim: in_service, on: 2021-06-10, by: 甲, proof: 乙}]}\n",
        "utf-8",
    )
    county = change(
        folder, "文笔居委会\n", "{is: 文笔居委会, claims: [{claim: built, on: 2021-01-02, by: 丙, proof: 丁}]}\n"
    )
    own = county.claims(county.sites.index["tq-chengxiang-wenbi"])
    assert [(claim.claim, claim.on, claim.by, claim.proof) for claim in own] == [
        (Claim.BUILT, date(2021, 1, 2), "丙", "丁")
    ]
    assert county.claims(0)[0].claim is Claim.IN_SERVICE


def test_a_name_outside_the_template_is_a_finding_and_no_error(folder: Path) -> None:
    county = change(folder, "文笔居委会\n", "{is: 文笔居委会, site_name: 文笔服务中心}\n")
    assert county.sites.names[county.sites.index["tq-chengxiang-wenbi"]] == "文笔服务中心"
    (finding,) = county.findings
    assert finding.path.endswith("site_name")
    assert "文笔社区便民服务室" in finding.message


def test_a_village_without_a_site_is_a_finding(folder: Path) -> None:
    county = change(folder, "      511825100004: 文笔居委会\n", "")
    told = [finding.message for finding in county.findings]
    assert any("511825100004 文笔居委会 has no site" in message for message in told)


# --- codes change, ids stay


def test_a_village_that_moves_to_another_code_keeps_its_id_and_addresses(folder: Path) -> None:
    before = load(folder)
    held = before.prefixes(before.sites.index["tq-chengxiang-wenbi"])
    edit(folder, "divisions.csv", "511825100004,文笔居委会,5,511825100000", "511825101004,文笔居委会,5,511825101000")
    edit(folder, "sites/county.yml", "      511825100004: 文笔居委会\n", "")
    county = change(
        folder,
        "      511825101002",
        "      511825101004: {is: 文笔居委会, id: tq-chengxiang-wenbi}\n      511825101002",
    )
    site = county.sites.index["tq-chengxiang-wenbi"]
    assert county.site(site).code == "511825101004"
    assert county.prefixes(site) == held
    assert len(county.sites) == len(before.sites)


def test_a_renamed_village_keeps_everything_but_its_name(folder: Path) -> None:
    before = load(folder)
    edit(folder, "divisions.csv", "文笔居委会", "文笔社区居委会")
    county = change(folder, "文笔居委会", "文笔社区居委会")
    assert county.sites.ids == before.sites.ids
    assert [d.address for d in county.devices] == [d.address for d in before.devices]


def test_a_village_that_is_gone_is_first_a_finding_and_then_retired(folder: Path) -> None:
    edit(folder, "sites/county.yml", "      511825100004: 文笔居委会\n", "")
    assert any(finding.file == "addresses.lock" for finding in load(folder).findings)
    assert allocate_missing(folder) == ["tq-chengxiang-wenbi is retired; its addresses stay reserved"]
    assert "\nretired tq-chengxiang-wenbi " in (folder / "addresses.lock").read_text("utf-8")
    assert not any(finding.file == "addresses.lock" for finding in load(folder).findings)


def test_rows_that_ended_are_remembered_with_their_successor(folder: Path) -> None:
    text = (folder / "divisions.csv").read_text("utf-8").replace("parent\n", "parent,until,successor\n")
    lines = text.splitlines()
    rows = [lines[0], *(f"{line},," for line in lines[1:]), "511825201000,大坪乡,4,511825000000,2020,511825101000"]
    (folder / "divisions.csv").write_text("\n".join(rows), "utf-8")
    county = load(folder)
    assert [(row.name, row.successor) for row in county.former] == [("大坪乡", "511825101000")]
    assert "511825201000" not in county.nodes.index


# --- nodes of the operator


def test_a_development_zone_adopts_townships_at_any_tier(folder: Path) -> None:
    path = folder / "county.yml"
    path.write_text(
        path.read_text("utf-8")
        + "nodes: [{code: 511825Z01, name: 经济开发区, parent: 511825, level: 4, adopts: [511825101]}]\n",
        "utf-8",
    )
    county_file = folder / "sites" / "county.yml"
    text = county_file.read_text("utf-8")
    at = text.index("  511825101:")
    county_file.write_text(text[:at], "utf-8")
    zone = "division: 511825Z01\nmore: {center: {type: township_center, is: 开发区便民服务中心 town}}\ntownships:\n"
    (folder / "sites" / "zone.yml").write_text(zone + text[at:], "utf-8")
    allocate_missing(folder)
    county = load(folder)
    node = county.nodes.find("511825Z01")
    low, high = county.sites.span(node)
    assert county.sites.ids[low:high] == [
        "tq-jingjikaifaqu-center", "tq-shiyang", "tq-shiyang-leba", "tq-shiyang-waping",
    ]  # fmt: skip
    assert county.nodes.ancestors(county.nodes.find("511825101002")) == [county.nodes.find("511825101"), node, 0]


def test_files_outside_the_format_do_not_matter(folder: Path) -> None:
    before = load(folder).content_hash
    (folder / "README.md").write_text("words")
    (folder / ".git").mkdir()
    (folder / ".git" / "x.yml").write_text("words")
    assert load(folder).content_hash == before


def test_the_lock_keeps_its_rights_when_it_is_replaced(folder: Path) -> None:
    (folder / "addresses.lock").chmod(0o640)
    change(folder, "  fagai: 发展和改革局\n", "  fagai: 发展和改革局\n  caizheng: 财政局\n")
    assert (folder / "addresses.lock").stat().st_mode & 0o777 == 0o640
    assert not [name for name in os.listdir(folder) if name.startswith(".addresses")]  # noqa: PTH208 (hidden ones too)


# --- memory

PLAN = """\
title: memory
top: "990000"
slug: mm
addresses:
  zones: {gov_public: 64.0.0.0/8}
  mgmt: {loopbacks: 16.0.0.0/12, p2p: 20.0.0.0/12}
"""


def many_villages(folder: Path, townships: int) -> None:
    """Townships with fifty villages each, a file for each, as the nation has one for each county."""
    (folder / "sites").mkdir(parents=True)
    (folder / "county.yml").write_text(PLAN + COUNTY, "utf-8")
    (folder / "sites" / "990000.yml").write_text('division: "990000"\ncenter: 测试县\n', "utf-8")
    rows = ["code,name,level,parent", "990000,测试县,3,"]
    for township in range(100, 100 + townships):
        code = f"990000{township}"
        rows.append(f"{code},第{township}镇,4,990000")
        lines = [f'division: "{code}"', "townships: {}", "villages:"]
        for village in range(200, 250):
            rows.append(f"{code}{village},第{township}镇第{village}村委会,5,{code}")
            lines.append(f"  {code}{village}: 第{township}镇第{village}村委会 village pon telecom")
        (folder / "sites" / f"{code}.yml").write_text("\n".join(lines) + "\n", "utf-8")
    (folder / "divisions.csv").write_text("\n".join(rows) + "\n", "utf-8")
    allocate_missing(folder)


def peak_bytes(folder: Path) -> int:
    tracemalloc.start()
    try:
        assert len(load(folder).sites) > 1000
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_village_takes_little_enough_memory_for_a_nation_in_one_process(tmp_path: Path) -> None:
    many_villages(tmp_path / "small", 30)
    many_villages(tmp_path / "large", 90)
    peak_bytes(tmp_path / "small")  # what is imported on first use
    more = peak_bytes(tmp_path / "large") - peak_bytes(tmp_path / "small")
    assert more / (60 * 50) < 1e9 / 620_572
