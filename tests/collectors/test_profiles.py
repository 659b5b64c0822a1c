"""The profile language, its files, and who is recognised by them."""

import csv
import re
from pathlib import Path

import pytest

from collectors.decode import Survey, compile_profiles
from collectors.decode.survey import SYS_DESCR, SYS_OBJECT_ID
from collectors.snmp import ber
from collectors.snmp.message import Value
from collectors.snmp.poll import Findings
from health.reading import Identity
from inventory.errors import InventoryError
from inventory.profiles import BUILT_IN, FIELDS, FirstOf, Profile, Source, identify, load_profiles

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
            # The last number of an instance is its index; a scalar without one would be a column.
            assert all(s.oid is None or s.at is None for c in module.columns.values() for s in sources(c)), key


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
    ("1.3.6.1.4.1.8072.3.2.255", "Linux gateway 4.14.0", (), "linux-router"),
    ("1.3.6.1.4.1.8072.3.2.255", "Linux OpenWrt 4.14.0 #0", (), "openwrt"),
    ("1.3.6.1.4.1.8072.3.2.255", "Darwin Kernel Version 16", (), "generic"),
    ("1.3.6.1.4.1.8072.3.2.10", "Linux terminal 6.1.0", ("uptime", "kiosk-page"), "linux-kiosk"),
    ("1.3.6.1.4.1.11.2.3.9.1", "HP ETHERNET MULTI-ENVIRONMENT", (), "printer-mib"),
    ("1.3.6.1.4.1.40093.1.1", "Pantum", (), "printer-mib"),
    ("", "", (), "generic"),
    ("1.3.6.1.4.1.3902.3.100.20", "ZXR10 ROS Version V4.08.23 ZXR10_5928 Software", (), "zte-zxr10"),
    ("1.3.6.1.4.1.3902.1082.1001.320.2.1", "C320 Version V2.1.0 Software", (), "zte-zxa10"),
    ("1.3.6.1.4.1.935.1.1.1", "My UPS", (), "phoenixtec"),
    ("1.3.6.1.4.1.935.10.1", "Network Management Card for UPS", (), "powerwalker"),
    ("1.3.6.1.4.1.8072.3.2.10", "Linux OpenWrt 5.4.137 #0 SMP", (), "openwrt"),
    ("1.3.6.1.4.1.8072.3.2.10", "Linux router 5.4.137 #0 SMP", ("clients-wlan0",), "openwrt"),
    ("1.3.6.1.4.1.39165.1", "another maker's clock", (), "generic"),
    ("", "Hardware: x86 Family 6 - Software: Windows 2000 Version 5.1 (Build 2600)", (), "windows"),
]


@pytest.mark.parametrize(("object_id", "descr", "extends", "name"), IDENTITIES)
def test_a_device_is_recognised_by_what_it_says(
    object_id: str, descr: str, extends: tuple[str, ...], name: str
) -> None:
    assert identify(PROFILES, object_id, descr, extends) == name


def test_an_object_tells_a_device_whose_number_is_everybodys() -> None:
    number, descr = "1.3.6.1.4.1.8072.3.2.10", "Linux gateway 5.4.259 #0 mips"
    assert "1.3.6.1.4.1.48690.1.1.0" in CATALOGUE.telling(number, descr)
    assert identify(PROFILES, number, descr, held=("1.3.6.1.4.1.48690.1.1.0",)) == "teltonika-rutos"
    assert identify(PROFILES, number, descr) == "linux-router"


def test_a_device_with_a_known_number_is_asked_for_nobody_elses_objects() -> None:
    """Old switches of ZTE stop answering after questions for objects that they lack."""
    assert CATALOGUE.telling("1.3.6.1.4.1.3902.3.100.20", "ZXR10 2928") == ()
    assert CATALOGUE.telling("", "") != ()
    assert identify(PROFILES, "", "", held=("1.3.6.1.4.1.39165.1.1.0",)) == "hikvision-cam"


OURS = {
    "apc": {"apc"},
    "apc-epdu": {"apc"},
    "apc-inrow": {"apc"},
    "apc-mgeups": {"eaton"},
    "bdcom": {"bdcom"},
    "brother": {"printer-mib"},
    "canonprinter": {"printer-mib"},
    "comware": {"h3c-comware"},
    "cyberpower": {"cyberpower"},
    "dcn-software": {"dcn"},
    "dell-laser": {"printer-mib"},
    "deltaups": {"delta-ups"},
    "developprinter": {"printer-mib"},
    "draytek": {"draytek"},
    "eaton-ats": {"eaton"},
    "eaton-matrix": {"powerwalker"},
    "eaton-mgeups": {"eaton"},
    "eaton-sc300": {"eaton"},
    "eatonpdu": {"eaton"},
    "eatonups": {"eaton"},
    "eatonupsm2": {"eaton"},
    "edgeos": {"ubiquiti"},
    "edgeos-ep": {"ubiquiti"},
    "edgeosolt": {"ubiquiti"},
    "edgeswitch": {"ubiquiti"},
    "epson": {"printer-mib"},
    "fiberhome": {"fiberhome-an"},
    "fiberhome-switch": {"fiberhome"},
    "fortigate": {"fortinet-fortigate"},
    "fs-bdcom": {"bdcom"},
    "fs-switch-dc": {"ruijie-rgos"},
    "fujifilmprinter": {"printer-mib"},
    "generex-ups": {"ups-mib"},
    "gestetner": {"printer-mib"},
    "hikvision-nvr": {"hikvision-nvr"},
    "hpe-rtups": {"eaton"},
    "huaweiups": {"ups-mib"},
    "ios": {"cisco"},
    "iosxe": {"cisco"},
    "iosxr": {"cisco"},
    "jetdirect": {"printer-mib"},
    "jetstream": {"tplink-jetstream"},
    "konica": {"printer-mib"},
    "lanier": {"printer-mib"},
    "lexmarkprinter": {"printer-mib"},
    "linux": {"linux-router"},
    "mypoweros": {"maipu-mypower"},
    "netagent2": {"phoenixtec"},
    "netmanplus": {"ups-mib"},
    "okilan": {"printer-mib"},
    "openwrt": {"openwrt"},
    "poweralert": {"ups-mib"},
    "powerwalker": {"powerwalker"},
    "powerwalker-vfi": {"cyberpower"},
    "raisecom": {"raisecom"},
    "raisecom-ros": {"raisecom"},
    "ricoh": {"printer-mib"},
    "routeros": {"mikrotik-routeros"},
    "ruijie": {"ruijie-rgos"},
    "samsungprinter": {"printer-mib"},
    "sharp": {"printer-mib"},
    "socomec-ups": {"ups-mib"},
    "stoneos": {"hillstone-stoneos"},
    "toshiba-tec": {"printer-mib"},
    "unifi": {"ubiquiti"},
    "vrp": {"huawei-vrp"},
    "windows": {"windows"},
    "xerox": {"printer-mib"},
    "zxa10": {"zte-zxa10"},
    "zxdsl": {"zte-zxa10"},
    "zxr10": {"zte-zxr10"},
    "zywall": {"zyxel"},
    "zyxelac": {"zyxel"},
    "zyxelnwa": {"zyxel"},
    "zyxelusg": {"zyxel"},
    "zyxelwlc": {"zyxel"},
}
SAME_MAKER = {
    # Other systems of a maker whose enterprise number is ours: its standard tables are read, its name is right.
    "airos": "ubiquiti",
    "aos-emu2": "apc",
    "apic": "cisco",
    "asa": "cisco",
    "ciscome1200": "cisco",
    "ciscosb": "cisco",
    "ciscosce": "cisco",
    "ciscosrp": "cisco",
    "ciscowlc": "cisco",
    "ftd": "cisco",
    "ies": "zyxel",
    "ies5000": "zyxel",
    "ies52xxM": "zyxel",
    "infinity": "ubiquiti",
    "ise": "cisco",
    "liebert": "ups-mib",
    "logmaster": "phoenixtec",
    "mgepdu": "eaton",
    "nxos": "cisco",
    "primeinfrastructure": "cisco",
    "sanos": "cisco",
    "swos": "mikrotik-routeros",
    "trippliteconsole": "ups-mib",
    "ucos": "cisco",
    "utax": "printer-mib",
    "waas": "cisco",
    "zynos": "zyxel",
}
MAY_BE_LINUX = {"1.3.6.1.4.1.8072.3.2.10"}
"""net-snmp's own number: appliances of many makers are Linux with net-snmp, and read as such."""
MASKED = {"", "<private>", "0", "1.2", "1.3.6.1.4.1.0", "1.3.6.1.2.1.1.2"}


def rows_to_identify(shared: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((shared / "walks" / "identify.csv").read_text("utf-8").splitlines()))


def test_ours_are_found_among_a_thousand_others_which_do_not_misfire(shared: Path) -> None:
    wrong, ours = [], 0
    rows = rows_to_identify(shared)
    for row in rows:
        found = identify(PROFILES, row["sysObjectID"], row["sysDescr"])
        family = OURS.get(row["expected_os"])
        if family is not None:
            right = found in family or row["sysObjectID"] in MASKED
            ours += found in family
        elif found == "linux-router":
            right = row["sysObjectID"] in MAY_BE_LINUX
        elif found == "teltonika-rutos":
            right = row["expected_os"].startswith("rutos")
        else:
            right = found in ("generic", SAME_MAKER.get(row["expected_os"]))
        if not right:
            wrong.append(f"{row['recording']} ({row['expected_os']}, {row['sysObjectID']}): {found}")
    assert len(rows) > 1_000
    assert wrong == []
    assert ours >= 270


def identity_of(row: dict[str, str]) -> Identity:
    """What a device is taken for that answers sysDescr.0 and sysObjectID.0, and nothing else."""
    descr = row["sysDescr"]
    octets = bytes.fromhex(descr[2 : len(descr) // 2 * 2]) if re.fullmatch("0x[0-9a-f]+", descr) else descr.encode()
    held: dict[bytes, Value] = {SYS_DESCR: octets} if octets else {}
    if re.fullmatch(r"[0-2](\.\d+)+", row["sysObjectID"]):
        held[SYS_OBJECT_ID] = ber.encode_oid(row["sysObjectID"])
    survey, found = Survey(CATALOGUE), Findings(answered=True)
    while True:
        names, groups = survey.choose(found)
        if not names and not groups:
            return survey.result(found).readings.identity
        found.scalars.update({name: held[name] for name in names if name in held})
        for column in (column for group in groups for column in group):
            found.columns[column] = {oid[len(column) :]: held[oid] for oid in held if oid.startswith(column)}


CATALOGUE = compile_profiles(PROFILES)


def test_every_maker_of_a_relevant_family_is_named_from_its_number(shared: Path) -> None:
    nameless = [
        row["recording"]
        for row in rows_to_identify(shared)
        if row["relevant_family"] == "yes"
        and row["sysObjectID"] not in MASKED
        # These carry a number of a standard or of software; the maker stands elsewhere.
        and not row["sysObjectID"].startswith(("1.3.6.1.2.1.33", "1.3.6.1.4.1.2021"))
        and identity_of(row).vendor is None
    ]
    assert nameless == []


OTHERWISE = {
    # recording: why a value that stands in sysDescr is not ours
    "apc_airfm": "the card's number, and not 'Web/SNMP Management Card'",
    "apc_environmental-manager": "the same",
    "apc_smart1500": "the same",
    "comware": "spaces of sysDescr were folded in the list, by which the end of the model is told",
    "fs-switch_5800": "with its series",
    "generex-ups_cs121": "without the card's name",
    "iosxe_ie32008t2s-ios17-12": "an operator's own text",
    "procurve_33": "a blade switch with a text of its own",
    "rutos": "a product's version comes from its own objects, and not from uname",
    "vrp_s5328c-ei": "S5300 is the series",
    "vrp_s5300-10p-pwr-li-ac": "the same",
}


def test_model_version_and_serial_number_that_stand_in_sys_descr_are_found(shared: Path) -> None:
    right, wrong = 0, []
    for row in rows_to_identify(shared):
        if row["relevant_family"] != "yes":
            continue
        identity = identity_of(row)
        for theirs, ours in (
            ("expected_hardware", "model"),
            ("expected_version", "os_version"),
            ("expected_serial", "serial"),
        ):
            value, mine = row[theirs], str(getattr(identity, ours))
            if value in ("", "<private>"):
                continue
            if " ".join(mine.split()).casefold() == " ".join(value.split()).casefold():
                right += 1
            elif value.casefold() in row["sysDescr"].casefold() and row["recording"] not in OTHERWISE:
                wrong.append(f"{row['recording']} {ours}: {mine}, expected {value}")
    assert wrong == []
    assert right >= 245


SENSED_EVERY_TIME = {
    "connection",
    "ipsec",
    "battery",
    "bypass",
    "charger",
    "input",
    "output",
    "source",
    "modem",
    "network",
}
"""What a village's operator must hear of within a polling interval; other sensors are read in surveys."""


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_a_steady_poll_asks_for_no_names_and_few_sensors(name: str) -> None:
    for key, module in PROFILES[name].modules.items():
        if module.gives == "identity":
            assert module.slow or all(s.slow for c in module.columns.values() for s in sources(c)), key
        elif module.gives == "sensors" and not module.slow:
            unit = module.columns["unit"]
            assert key == "apc-input-voltage" or (isinstance(unit, Source) and unit.value in SENSED_EVERY_TIME), (
                f"{key} is no slow module"
            )
        if "name" in module.columns:
            assert module.slow or all(s.slow or s.oid is None for s in sources(module.columns["name"])), key


def sources(column: Source | FirstOf) -> tuple[Source, ...]:
    return column.first_of if isinstance(column, FirstOf) else (column,)


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
    pytest.param(
        "modules:\n  m:\n    gives: sensors\n    sensor: heat\n    columns:\n      value: {oid: 1.3.6.1}\n",
        "own.yml:2: modules.m: Value error, sensor 'heat' is none of temperature, ",
        id="no quantity",
    ),
    pytest.param(
        "modules:\n  m:\n    gives: memory\n    sensor: power\n    columns:\n      value: {oid: 1.3.6.1}\n",
        "own.yml:2: modules.m: Value error, sensor is a word for modules that give sensors",
        id="a sensor that is none",
    ),
    pytest.param(
        'modules:\n  m:\n    gives: identity\n    columns:\n      model: {oid: 1.3.6.1, join: " "}\n',
        "own.yml:5: modules.m.columns.model: Value error, join needs a capture",
        id="join without a capture",
    ),
    pytest.param(
        "matches:\n  - {extend: kiosk}\n",
        "own.yml:2: matches[0]: Value error, needs object_id, descr or has",
        id="a match that says too little",
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
