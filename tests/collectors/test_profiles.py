"""The profile language, its files, and who is recognised by them."""

import csv
from pathlib import Path

import pytest

from collectors.decode import compile_profiles
from inventory.errors import InventoryError
from inventory.profiles import BUILT_IN, FIELDS, FirstOf, Profile, identify, load_profiles

PROFILES = load_profiles()


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_a_built_in_profile_compiles(name: str) -> None:
    compiled = compile_profiles(PROFILES).get(name)
    assert compiled.tables
    assert {table.kind for table in compiled.tables} <= set(FIELDS)


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_a_sensor_or_store_of_a_built_in_profile_says_what_it_is(name: str) -> None:
    for key, module in PROFILES[name].modules.items():
        needed = {"sensors": {"kind", "name", "value", "unit"}, "interfaces": set(FIELDS["interfaces"])}.get(
            module.gives, set()
        )
        assert needed <= set(module.columns), key
        if not module.rows:
            sources = [s for c in module.columns.values() for s in (c.first_of if isinstance(c, FirstOf) else (c,))]
            # The last number of an instance is its index; a scalar without one would be a column.
            assert all(source.oid is None or source.at is None for source in sources), key


IDENTITIES = [
    ("1.3.6.1.4.1.2011.2.224.62", "Huawei AR169F Huawei Versatile Routing Platform Software", (), "huawei-vrp"),
    ("1.3.6.1.4.1.2011.2.235", "Hardware management system", (), "generic"),
    ("1.3.6.1.4.1.2011.6.174.4.1.2.4", "SNMP Card for HUAWEI UPS2000", (), "ups-mib"),
    ("1.3.6.1.4.1.25506.1.578", "H3C Switch E528 Software Version 5.20", (), "h3c-comware"),
    ("1.3.6.1.4.1.255061.1", "another maker whose number only begins alike", (), "generic"),
    ("1.3.6.1.4.1.4881.1.1.10.1.41", "Ruijie 10G Routing Switch(S5750-24GT/12SFP)", (), "ruijie-rgos"),
    ("1.3.6.1.4.1.52642.1.1.10.1.805", "FS switch of Ruijie's make", (), "ruijie-rgos"),
    ("1.3.6.1.4.1.8072.3.2.10", "Linux gateway 6.1.0", (), "linux-router"),
    ("1.3.6.1.4.1.8072.3.2.10", "Linux gateway 6.1.0", ("certificate",), "linux-router"),
    ("1.3.6.1.4.1.8072.3.2.10", "Linux terminal 6.1.0", ("uptime", "kiosk-page"), "linux-kiosk"),
    ("1.3.6.1.4.1.11.2.3.9.1", "HP ETHERNET MULTI-ENVIRONMENT", (), "printer-mib"),
    ("1.3.6.1.4.1.40093.1.1", "Pantum", (), "printer-mib"),
    ("", "", (), "generic"),
]


@pytest.mark.parametrize(("object_id", "descr", "extends", "name"), IDENTITIES)
def test_a_device_is_recognised_by_what_it_says(
    object_id: str, descr: str, extends: tuple[str, ...], name: str
) -> None:
    assert identify(PROFILES, object_id, descr, extends) == name


OURS = {
    "vrp": {"huawei-vrp"},
    "comware": {"h3c-comware"},
    "ruijie": {"ruijie-rgos"},
    "linux": {"linux-router"},
    "fs-switch-dc": {"ruijie-rgos"},
    "huaweiups": {"ups-mib"},
    "generex-ups": {"ups-mib"},
    "canonprinter": {"printer-mib"},
    "dell-laser": {"printer-mib"},
    "gestetner": {"printer-mib"},
    "jetdirect": {"printer-mib"},
    "lanier": {"printer-mib"},
    "lexmarkprinter": {"printer-mib"},
    "ricoh": {"printer-mib"},
    "samsungprinter": {"printer-mib"},
    "xerox": {"printer-mib"},
}
MAY_BE_LINUX = {"1.3.6.1.4.1.8072.3.2.10"}
"""net-snmp's own number: appliances of many makers are Linux with net-snmp, and read as such."""


def test_ours_are_found_among_a_thousand_others_which_do_not_misfire(shared: Path) -> None:
    wrong = []
    rows = list(csv.DictReader((shared / "walks" / "identify.csv").read_text("utf-8").splitlines()))
    for row in rows:
        found = identify(PROFILES, row["sysObjectID"], row["sysDescr"])
        family = OURS.get(row["expected_os"])
        if family is not None:
            right = found in family or row["sysObjectID"] in ("", "<private>")
        elif found == "linux-router":
            right = row["sysObjectID"] in MAY_BE_LINUX
        elif found == "printer-mib":
            right = row["expected_type"] == "printer"
        elif found == "ups-mib":
            right = row["expected_type"] == "power"
        else:
            right = found == "generic"
        if not right:
            wrong.append(f"{row['recording']} ({row['expected_os']}, {row['sysObjectID']}): {found}")
    assert len(rows) > 1_000
    assert wrong == []


OWN = """\
# one line more than the built-in
vendor: Own
matches:
  - {object_id: 1.3.6.1.4.1.99999}
uses: [system]
"""


def test_an_operators_profile_overrides_the_built_in_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "huawei-vrp.yml").write_text(OWN, "utf-8")
    profiles = load_profiles(tmp_path)
    assert profiles["huawei-vrp"].vendor == "Own"
    assert profiles["h3c-comware"] == PROFILES["h3c-comware"]
    assert set(profiles["huawei-vrp"].modules) == set(load_profiles()["generic"].modules) & {
        "system-identity",
        "clocks",
    }


def test_a_part_may_be_overridden_for_the_operators_profiles(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "system.yml").write_text(
        "modules:\n  clocks:\n    gives: uptime\n    columns:\n      host: {oid: 1.3.6.1.2.1.25.1.1.0}\n", "utf-8"
    )
    (tmp_path / "own.yml").write_text(OWN, "utf-8")
    profile: Profile = load_profiles(tmp_path)["own"]
    assert set(profile.modules) == {"clocks"}


BAD = [
    pytest.param("vendr: Own\n", "own.yml:1: vendr: ", id="a misspelt key"),
    pytest.param("uses: [sistem]\n", "own.yml:1: uses[0]: there is no part 'sistem'.", id="a part that does not exist"),
    pytest.param(
        "modules:\n  m:\n    gives: sensors\n    columns:\n      value: {oid: 1.3.x}\n",
        "own.yml:5: modules.m.columns.value",
        id="no object identifier",
    ),
    pytest.param(
        "modules:\n  m:\n    gives: sensors\n    rows: [valeu]\n    columns:\n      value: {oid: 1.3.6.1}\n",
        "own.yml:2: modules.m: Value error, rows names 'valeu', which is no column.",
        id="rows of a column that is not there",
    ),
    pytest.param(
        'modules:\n  m:\n    gives: identity\n    columns:\n      model: {oid: 1.3.6.1, capture: "("}\n',
        "own.yml:5: modules.m.columns.model",
        id="no regular expression",
    ),
    pytest.param("- a\n- list\n", "own.yml:1: ", id="a list"),
    pytest.param("vendor: [\n", "own.yml:", id="no YAML"),
    pytest.param("vendor: A\nvendor: B\n", "own.yml:2: vendor", id="a key twice"),
]


@pytest.mark.parametrize(("text", "problem"), BAD)
def test_a_bad_profile_is_refused_with_its_line(text: str, problem: str, tmp_path: Path) -> None:
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "own.yml").write_text(text, "utf-8")
    with pytest.raises(InventoryError) as refusal:
        load_profiles(folder)
    assert str(refusal.value).startswith(f"profiles/{problem}")


def test_every_built_in_file_names_its_objects() -> None:
    """Each vendor file says in a comment where its numbers come from."""
    for file in BUILT_IN.glob("*.yml"):
        assert file.read_text("utf-8").startswith("# "), file.name
