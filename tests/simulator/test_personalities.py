from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.snmp import ber
from collectors.snmp.message import VERSION_2C, Names, Pdu, Value, Varbind, decode_message, encode_message
from simulator.county import County, Graph, Terminal
from simulator.errors import SimulationError
from simulator.faults import Fault, PaperJam, PaperOut, PeripheralFault, Reboot, TonerLow
from simulator.personality import Personality, load_personalities, personalities
from simulator.snmp_agent import Agent
from simulator.values import Bits, Counter, Gauge, ValueSpec, compile_value

EACH = pytest.mark.parametrize("kind", personalities(), ids=lambda kind: kind.name)

DEVICE_CLASSES = {"linux-kiosk": "kiosk", "printer-mib": "printer"}


class Bench:
    """One device of one personality, and a clock."""

    def __init__(self, kind: Personality, ordinal: int = 0) -> None:
        self.now = 5_000_000.0
        self.ordinal = ordinal
        self.county = County(
            Graph(
                [
                    Terminal(
                        o,
                        f"d{o}",
                        "here",
                        DEVICE_CLASSES.get(kind.profile, "router"),
                        kind.profile,
                        "v",
                        "m",
                        "",
                        f"D{o}",
                    )
                    for o in range(ordinal + 1)
                ]
            ),
            lambda: self.now,
        )
        self.agent = Agent(self.county, kinds=[kind])

    def ask(self, pdu: Pdu, oids: list[bytes], status: int = 0, index: int = 0) -> list[Varbind]:
        request = encode_message(VERSION_2C, b"public", pdu, 77, Names.of(oids).encoded, status, index)
        answer = self.agent.answer(request, self.ordinal)
        assert answer is not None
        message = decode_message(answer)
        assert (message.request_id, message.status) == (77, 0)
        return message.varbinds

    def walk(self) -> Iterator[Varbind]:
        oid = ber.encode_oid("1.3")
        while True:
            (found,) = self.ask(Pdu.GET_NEXT, [oid])
            if found[1] == ber.END_OF_MIB_VIEW:
                return
            yield found
            oid = found[0]

    def value(self, dotted: str) -> Value:
        ((_, tag, value),) = self.ask(Pdu.GET, [ber.encode_oid(dotted)])
        assert tag not in ber.EXCEPTIONS, dotted
        return value

    def numbers(self, tag: int) -> dict[bytes, int]:
        return {oid: value for oid, found, value in self.walk() if found == tag and isinstance(value, int)}


@EACH
def test_getnext_walks_every_object_once_in_the_order_of_numbers(kind: Personality) -> None:
    seen = [oid for oid, _, _ in Bench(kind).walk()]
    assert seen == list(kind.mib.oids)
    arcs = [ber.decode_arcs(oid) for oid in seen]
    assert arcs == sorted(set(arcs))


@EACH
def test_getbulk_tells_the_same_as_getnext(kind: Personality) -> None:
    bench = Bench(kind)
    walked = list(bench.walk())
    found: list[Varbind] = []
    while True:
        rows = bench.ask(Pdu.GET_BULK, [found[-1][0] if found else ber.encode_oid("1.3")], 0, 7)
        found += [row for row in rows if row[1] != ber.END_OF_MIB_VIEW]
        if rows[-1][1] == ber.END_OF_MIB_VIEW:
            break
    assert found == walked


@EACH
def test_every_object_can_be_got_and_its_neighbour_is_missing(kind: Personality) -> None:
    bench = Bench(kind)
    for oid, tag, value in list(bench.walk()):
        assert bench.ask(Pdu.GET, [oid]) == [(oid, tag, value)]
        ((_, missing, _),) = bench.ask(Pdu.GET, [oid + b"\x63"])
        assert missing in (ber.NO_SUCH_INSTANCE, ber.NO_SUCH_OBJECT)


@EACH
@pytest.mark.parametrize("ordinal", [0, 1, 374])
def test_counters_never_decrease_and_some_move(kind: Personality, ordinal: int) -> None:
    bench = Bench(kind, ordinal)
    for tag, width in ((ber.COUNTER32, 2**32), (ber.COUNTER64, 2**64)):
        before = start = bench.numbers(tag)
        for step in (0.01, 1, 300, 3600, 12 * 3600, 3600):
            bench.now += step
            after = bench.numbers(tag)
            for oid, number in after.items():
                grown = (number - before[oid]) % width
                # 125 MB/s is the wire; what looks like more would be a counter that fell
                assert grown <= 125_000_000 * step, ber.decode_oid(oid)
            before = after
        assert not start or before != start


@EACH
def test_a_reboot_restarts_the_clock_and_the_octets(kind: Personality) -> None:
    bench = Bench(kind)
    uptime, engine = "1.3.6.1.2.1.1.3.0", "1.3.6.1.6.3.10.2.1.3.0"
    before = bench.value(uptime)
    bench.now += 10
    after = bench.value(uptime)
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert after - before == 1000
    assert bench.value(engine) == after // 100
    bench.county.inject(Reboot("d0"))
    bench.now += 2
    assert bench.value(uptime) == 200
    octets = [number for oid, number in bench.numbers(ber.COUNTER32).items() if b"\x02\x02\x01\x0a" in oid]
    assert octets
    assert max(octets) < 10_000_000


@EACH
def test_the_system_group_names_the_device(kind: Personality) -> None:
    bench = Bench(kind)
    assert bench.value("1.3.6.1.2.1.1.5.0") == b"D0"
    description, object_id = bench.value("1.3.6.1.2.1.1.1.0"), bench.value("1.3.6.1.2.1.1.2.0")
    assert isinstance(description, bytes)
    assert b"{" not in description
    assert isinstance(object_id, bytes)
    assert ber.decode_oid(object_id)


@EACH
def test_ifnumber_counts_the_rows_and_the_narrow_counter_is_the_low_half_of_the_wide_one(kind: Personality) -> None:
    bench = Bench(kind)
    narrow, wide = ber.encode_oid("1.3.6.1.2.1.2.2.1.10"), ber.encode_oid("1.3.6.1.2.1.31.1.1.1.6")
    found = {oid: value for oid, _, value in bench.walk()}
    rows = [oid for oid in found if oid.startswith(ber.encode_oid("1.3.6.1.2.1.2.2.1.1"))]
    assert len([oid for oid in rows if len(oid) > len(narrow)]) >= bench.value("1.3.6.1.2.1.2.1.0")  # type: ignore[operator]
    for oid, value in found.items():
        if oid.startswith(wide) and isinstance(value, int):
            assert found[narrow + oid[len(wide) :]] == value % 2**32


ERROR_STATE, STATUS = "1.3.6.1.2.1.25.3.5.1.2.1", "1.3.6.1.2.1.25.3.2.1.5.1"
TRAY, TONER, DRUM = "1.3.6.1.2.1.43.8.2.1.10.1.1", "1.3.6.1.2.1.43.11.1.1.9.1.1", "1.3.6.1.2.1.43.11.1.1.9.1.2"
PAGES = "1.3.6.1.2.1.43.10.2.1.4.1.1"


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        pytest.param([], {ERROR_STATE: b"\x00", STATUS: 2}, id="all well"),
        pytest.param([PaperOut("d0")], {ERROR_STATE: b"\x40", STATUS: 5, TRAY: 0}, id="no paper"),
        pytest.param([TonerLow("d0")], {ERROR_STATE: b"\x20", STATUS: 3, TONER: 4}, id="little toner"),
        pytest.param([PaperJam("d0")], {ERROR_STATE: b"\x04", STATUS: 5}, id="jammed"),
        pytest.param([TonerLow("d0"), PaperOut("d0")], {ERROR_STATE: b"\x60", STATUS: 5, TRAY: 0, TONER: 4}, id="both"),
    ],
)
def test_a_printer_tells_its_faults_in_every_place_that_managers_look_at(
    faults: list[Fault], expected: dict[str, Value]
) -> None:
    bench = Bench(_kind("printer-mib"))
    for fault in faults:
        bench.county.inject(fault)
    assert {oid: bench.value(oid) for oid in expected} == expected
    drum = bench.value(DRUM)
    assert isinstance(drum, int)
    assert drum > 20


def test_a_reboot_does_not_reset_the_page_counter() -> None:
    bench = Bench(_kind("printer-mib"))
    before = bench.value(PAGES)
    bench.county.inject(Reboot("d0"))
    assert bench.value(PAGES) == before


@pytest.mark.parametrize(
    ("peripheral", "row"),
    [("camera", "document-camera"), ("id_reader", "id-card-reader"), ("printer", "printer"), ("screen", "screen")],
)
def test_a_kiosk_tells_a_lost_peripheral_by_its_exit_code(peripheral: str, row: str) -> None:
    bench = Bench(_kind("linux-kiosk"))
    index = ".".join(map(str, (len(row), *row.encode())))
    result, line = f"1.3.6.1.4.1.8072.1.3.2.3.1.4.{index}", f"1.3.6.1.4.1.8072.1.3.2.3.1.1.{index}"
    assert bench.value(result) == 0
    good = bench.value(line)
    bench.county.inject(PeripheralFault("d0", peripheral))  # type: ignore[arg-type]  # a table of names
    assert bench.value(result) == 2
    assert bench.value(line) != good
    results = [
        value for oid, _, value in bench.walk() if oid.startswith(ber.encode_oid("1.3.6.1.4.1.8072.1.3.2.3.1.4"))
    ]
    assert sorted(results, key=str) == [0, 0, 0, 0, 2]


def test_comware_has_each_style_and_never_both() -> None:
    new, old = ber.encode_oid("1.3.6.1.4.1.25506.2"), ber.encode_oid("1.3.6.1.4.1.2011.10.2")
    for name, has, lacks in (("h3c-comware", new, old), ("h3c-comware-compatible", old, new)):
        oids = _kind(name).mib.oids
        assert any(oid.startswith(has) for oid in oids)
        assert not any(oid.startswith(lacks) for oid in oids)


def test_free_and_used_memory_add_up() -> None:
    bench = Bench(_kind("linux-kiosk"), 5)
    for _ in range(20):
        bench.now += 777
        used, free = bench.value("1.3.6.1.2.1.25.2.3.1.6.1"), bench.value("1.3.6.1.4.1.2021.4.6.0")
        assert isinstance(used, int)
        assert isinstance(free, int)
        assert abs(used + free - 3_931_024) <= 2  # both are rounded down


class Still:
    def __init__(self, ordinal: int, seconds: float, conditions: frozenset[str] = frozenset()) -> None:
        self.ordinal, self.at, self.conditions = ordinal, seconds, conditions
        self.uptime_s = self.life_s = seconds
        self.fields: dict[str, object] = {}


def _number(spec: ValueSpec, moment: Still) -> int:
    compiled = compile_value(spec, "x")
    data = compiled if isinstance(compiled, bytes) else compiled(moment)
    _, start, end = ber.read_header(data, 0)
    return int.from_bytes(data[start:end], "big")


@given(
    st.integers(0, 4_000_000),
    st.floats(0, 1e9),
    st.floats(0, 1e6),
    st.builds(
        Counter,
        rate=st.floats(0, 1e6),
        swing=st.floats(0, 1),
        variation=st.floats(0, 1),
        bits=st.just(64),
        start=st.integers(0, 10**9),
    ),
)
def test_a_counter_grows_whatever_its_parameters(ordinal: int, since: float, seconds: float, counter: Counter) -> None:
    spec = ValueSpec(counter=counter)
    before, after = _number(spec, Still(ordinal, since)), _number(spec, Still(ordinal, since + seconds))
    assert 0 <= before <= after


@given(
    st.integers(0, 4_000_000),
    st.floats(0, 1e9),
    st.integers(100, 10**8),
    st.floats(0, 100),
)
def test_a_gauge_stays_within_its_swing(ordinal: int, seconds: float, mean: int, swing: float) -> None:
    spec = ValueSpec(gauge=Gauge(mean=mean, swing=swing, type="unsigned"))
    assert mean - swing - 1 <= _number(spec, Still(ordinal, seconds)) <= mean + swing


@given(st.floats(0, 1e10))
def test_ticks_wrap_at_32_bits(seconds: float) -> None:
    assert _number(ValueSpec(ticks="uptime"), Still(0, seconds)) == int(seconds * 100) % 2**32


def test_bits_count_from_the_left() -> None:
    spec = ValueSpec(bits=Bits.model_validate({"octets": 2, "while": {"a": 0, "b": 9}}))
    assert _number(spec, Still(0, 0)) == 0
    assert _number(spec, Still(0, 0, frozenset({"a"}))) == 0x8000
    assert _number(spec, Still(0, 0, frozenset({"a", "b"}))) == 0x8040


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("profile: x\nscalars: {1.3.6.0: {text: a, integer: 1}}", "exactly one generator, not text, integer"),
        ("profile: x\nscalars: {1.3.6.0: {txt: a}}", "Extra inputs are not permitted"),
        ("profile: x\nscalars: {1.9x.0: {text: a}}", "invalid literal"),
        ("profile: x\ninclude: [nothing]", "nothing"),
        ("profile: x\nscalars: {1.3.6.0: {count_of: walls}}", "walls"),
        ("profil: x", "Field required"),
        ("profile: [", "while parsing"),
    ],
)
def test_a_wrong_personality_is_refused_with_its_file_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "odd.yml").write_text(text)
    with pytest.raises(SimulationError) as refusal:
        load_personalities(tmp_path)
    assert "odd.yml" in str(refusal.value)
    assert message in str(refusal.value)


def _kind(name: str) -> Personality:
    return next(kind for kind in personalities() if kind.name == name)
