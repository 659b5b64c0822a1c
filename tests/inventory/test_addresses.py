"""The address plan: what is given never overlaps and never moves."""

import copy
from dataclasses import replace
from ipaddress import IPv4Network
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.addresses import (
    Demand,
    Lock,
    PlanFullError,
    _Space,
    allocate,
    host,
    number,
    subnet6,
    text,
    zone_prefix,
)
from inventory.county import AddressPlan
from inventory.lockfile import parse, render
from inventory.vocabulary import DeviceClass

PLAN = AddressPlan.model_validate(
    {
        "zones": {"gov_public": "10.0.0.0/17", "gov_internet": "10.0.128.0/17"},
        "mgmt": {"loopbacks": "10.1.0.0/22", "p2p": "10.2.0.0/20"},
        "ipv6": "2001:db8::/48",
    }
)


def demand(township: int, village: int, routers: int = 1, uplinks: int = 1, length: int = 26) -> Demand:
    code, block = f"5118{township:05d}{village:03d}", f"5118{township:05d}000"
    parts = ("tq", f"t{township}", f"v{village}")
    asked = tuple((f"cpe{n + 1}", uplinks) for n in range(routers))
    return Demand(code, "village_site", "-", f"村{village}", parts, None, block, length, asked)


places = st.tuples(st.integers(0, 5), st.integers(1, 30))
villages = st.lists(places, unique=True, max_size=60)


def site_prefixes(lock: Lock) -> dict[str, tuple[str, object]]:
    return {site.id: (site.prefix, dict(site.routers)) for site in lock.sites}


def assert_apart(prefixes: list[IPv4Network]) -> None:
    ordered = sorted(prefixes)
    assert not any(a.overlaps(b) for a, b in pairwise(ordered))


@given(villages, st.integers(0, 2), st.integers(0, 3))
@settings(max_examples=60)
def test_allocated_prefixes_never_overlap(some: list[tuple[int, int]], routers: int, uplinks: int) -> None:
    lock = Lock()
    allocate(PLAN, [demand(*one, routers=routers, uplinks=uplinks) for one in some], lock)
    for zone in PLAN.zones:
        prefixes = [zone_prefix(lock.pools, site.prefix, zone) for site in lock.sites]
        assert_apart([prefix for prefix in prefixes if prefix])
        assert all(prefix and prefix.subnet_of(PLAN.zones[zone][0]) for prefix in prefixes)
    held = [networks for site in lock.sites for networks in site.routers.values()]
    assert len({loopback for loopback, _ in held}) == len(held)
    assert_apart([IPv4Network(f"{link}/30") for _, links in held for link in links])


@given(villages)
@settings(max_examples=40)
def test_allocating_twice_moves_nothing_and_says_nothing(some: list[tuple[int, int]]) -> None:
    lock = Lock()
    allocate(PLAN, [demand(*one) for one in some], lock)
    before = render(lock)
    assert allocate(PLAN, [demand(*one) for one in reversed(some)], lock) == []
    assert render(lock) == before


@given(villages, villages, villages)
@settings(max_examples=60)
def test_removing_and_adding_villages_moves_nobody_else(
    first: list[tuple[int, int]], second: list[tuple[int, int]], third: list[tuple[int, int]]
) -> None:
    lock = Lock()
    held: dict[str, tuple[str, object]] = {}
    for some in (first, second, third):
        allocate(PLAN, [demand(*one) for one in some], lock)
        now = site_prefixes(lock)
        assert {site: now[site] for site in held} == held
        held = now
    assert_apart([IPv4Network(prefix) for prefix, _ in held.values()])


@given(villages)
@settings(max_examples=30)
def test_a_lock_file_reads_back_as_written(some: list[tuple[int, int]]) -> None:
    lock = Lock()
    allocate(PLAN, [demand(*one, routers=2, uplinks=2) for one in some], lock)
    again, problems = parse(render(lock))
    assert problems == []
    assert render(again) == render(lock)


def test_a_retired_site_keeps_its_slot_and_a_new_one_of_its_code_gets_another() -> None:
    lock = Lock()
    allocate(PLAN, [demand(1, 1), demand(1, 2)], lock)
    old = copy.deepcopy(lock.sites[0])
    assert allocate(PLAN, [demand(1, 2)], lock) == ["tq-t1-v1 is retired; its addresses stay reserved"]
    allocate(PLAN, [demand(1, 1), demand(1, 2)], lock)
    retired, _, fresh = lock.sites
    assert (retired.id, retired.prefix, retired.retired) == (old.id, old.prefix, True)
    assert fresh.id == "tq-t1-v12"
    assert fresh.prefix != old.prefix


def test_a_merged_village_keeps_its_id_and_addresses_when_people_name_it() -> None:
    lock = Lock()
    allocate(PLAN, [demand(1, 1)], lock)
    prefix = lock.sites[0].prefix
    moved = demand(2, 7)
    allocate(PLAN, [replace(moved, wanted_id="tq-t1-v1")], lock)
    (site,) = lock.sites
    assert (site.code, site.prefix, site.retired) == ("511800002007", prefix, False)


def test_a_township_that_outgrows_its_block_gets_a_second() -> None:
    lock = Lock()
    allocate(PLAN, [demand(1, 1), demand(2, 1)], lock)
    allocate(PLAN, [demand(1, n) for n in range(1, 40)] + [demand(2, 1)], lock)
    assert sum(code == "511800001000" for code, _ in lock.blocks) == 2
    assert_apart([IPv4Network(prefix) for _, prefix in lock.blocks])


def test_a_second_router_gets_addresses_without_moving_the_first() -> None:
    lock = Lock()
    allocate(PLAN, [demand(1, 1)], lock)
    first = lock.sites[0].routers["cpe1"]
    added = allocate(PLAN, [demand(1, 1, routers=2, uplinks=2)], lock)
    assert lock.sites[0].routers["cpe1"][0] == first[0]
    assert lock.sites[0].routers["cpe1"][1][:1] == first[1]
    assert added == ["tq-t1-v1-cpe2 at 10.1.0.2"]


def test_a_site_without_equipment_has_an_id_and_no_addresses() -> None:
    lock = Lock()
    allocate(PLAN, [demand(1, 1, routers=0, length=0)], lock)
    assert (lock.sites[0].prefix, lock.sites[0].number, lock.blocks) == ("", -1, [])


@pytest.mark.parametrize(
    ("plan", "what"),
    [
        ({"zones": {"a": "10.0.0.0/24"}}, "sites"),
        ({"mgmt": {"loopbacks": "10.1.0.0/30", "p2p": "10.2.0.0/20"}}, "routers"),
        ({"mgmt": {"loopbacks": "10.1.0.0/22", "p2p": "10.2.0.0/30"}}, "routers"),
        ({"ipv6": "2001:db8::/56"}, "sites"),
    ],
    ids=["prefixes", "loopbacks", "links", "ipv6"],
)
def test_a_full_plan_says_what_is_short(plan: dict[str, object], what: str) -> None:
    small = AddressPlan.model_validate({**PLAN.model_dump(mode="json"), **plan})
    with pytest.raises(PlanFullError) as full:
        allocate(small, [demand(1, n) for n in range(1, 9)], Lock())
    assert full.value.what == what
    assert full.value.short > 0


def test_prefixes_that_somebody_else_uses_are_left_alone_in_any_zone() -> None:
    taken = {"taken": [{"vrf": "gov_internet", "prefix": "10.0.128.0/20", "what": "old"}]}
    plan = AddressPlan.model_validate({**PLAN.model_dump(mode="json"), **taken})
    lock = Lock()
    allocate(plan, [demand(1, 1)], lock)
    assert lock.sites[0].prefix == "10.0.16.0/26"


@given(st.lists(st.sampled_from([1, 4, 64, 256, 1024]), max_size=60))
def test_space_gives_aligned_stretches_that_lie_apart(sizes: list[int]) -> None:
    space = _Space(["10.0.4.0/22", "10.0.0.0/22"], [(number("10.0.1.7"), number("10.0.1.9"))])
    taken = [(number("10.0.1.7"), number("10.0.1.9"))]
    for size in sizes:
        at = space.take(size)
        if at is not None:
            assert at % size == 0
            taken.append((at, at + size))
    ordered = sorted(taken)
    assert all(a[1] <= b[0] for a, b in pairwise(ordered))
    assert all(number("10.0.0.0") <= a and b <= number("10.0.8.0") for a, b in taken)


@given(st.integers(0, 2**32 - 1))
def test_addresses_survive_being_numbers(value: int) -> None:
    assert number(text(value)) == value


@pytest.mark.parametrize(
    ("device_class", "ordinal", "address"),
    [
        (DeviceClass.KIOSK, 1, "10.0.0.72"),
        (DeviceClass.KIOSK, 8, "10.0.0.79"),
        (DeviceClass.PRINTER, 1, "10.0.0.80"),
        (DeviceClass.UPS, 1, "10.0.0.84"),
        (DeviceClass.SWITCH, 1, "10.0.0.68"),
    ],
)
def test_each_class_has_its_place(device_class: DeviceClass, ordinal: int, address: str) -> None:
    assert host("10.0.0.64/26", device_class, ordinal) == address


@pytest.mark.parametrize("ordinal", [0, 9])
def test_a_ninth_kiosk_has_no_place(ordinal: int) -> None:
    with pytest.raises(ValueError, match="more than the 8 places"):
        host("10.0.0.0/26", DeviceClass.KIOSK, ordinal)


def test_the_subnet_id_is_zone_site_and_vlan() -> None:
    prefix = PLAN.ipv6
    assert prefix is not None
    assert str(subnet6(prefix, 1, 0b0100_000001, 1)) == "2001:db8:0:5011::/64"
