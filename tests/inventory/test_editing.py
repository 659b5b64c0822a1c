"""Changes to a YAML file: what was not meant stays to the byte, and what was meant reads back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.editing import Added, Entry, edit, written
from inventory.strict import parse

FILE = """\
# 城厢镇
division: 511825000000

defaults:
  village: v-ar pon telecom   # usual

townships:
  511825100000:
    is: 城厢镇 t-ar
    link: {circuit: TQ-1000}
    villages:                 # code: name
      511825100002: 徙榆居委会   # the first
      511825100004:
        is: 文笔居委会
        claims:
          - {claim: built, on: 2021-01-01, by: a, proof: b}
        note: |
          two
          lines

      511825100208: {is: 梅子村委会, devices: {kiosk2: kiosk-uos}}
# the end
"""
VILLAGES = ("townships", "511825100000", "villages")


def at(*path: str, change: Any) -> dict[str, Any]:
    for step in reversed(path):
        change = {step: change}
    return dict(change)


@pytest.mark.parametrize(
    ("change", "old", "new"),
    [
        pytest.param(
            at(*VILLAGES, "511825100002", change=Entry("徙榆居委会 v-rg")),
            "徙榆居委会  ",
            "徙榆居委会 v-rg  ",
            id="another scalar keeps its comment",
        ),
        pytest.param(
            at(*VILLAGES, "511825100002", change=Entry(None, {"central": True})),
            "511825100002: 徙榆居委会   # the first\n",
            "511825100002:   # the first\n        is: 徙榆居委会\n        central: true\n",
            id="a scalar gets its first exception",
        ),
        pytest.param(
            at(*VILLAGES, "511825100004", change=Entry(None, {"tags": ["a,b", "c"]})),
            "          lines\n",
            '          lines\n        tags: ["a,b", c]\n',
            id="behind a text of lines",
        ),
        pytest.param(
            at(*VILLAGES, "511825100004", change=Entry(None, {"claims": Added([{"claim": "planned"}])})),
            "proof: b}\n",
            "proof: b}\n          - {claim: planned}\n",
            id="an item more",
        ),
        pytest.param(
            at(*VILLAGES, "511825100208", change=Entry(None, {"central": True})),
            "kiosk-uos}}",
            "kiosk-uos}, central: true}",
            id="in flow style",
        ),
        pytest.param(
            at(
                *VILLAGES,
                "511825100208",
                change=Entry(None, {"devices": {"kiosk2": Entry(None, {"serial": "12"}, "model")}}),
            ),
            "{kiosk2: kiosk-uos}",
            '{kiosk2: {model: kiosk-uos, serial: "12"}}',
            id="a bare model",
        ),
        pytest.param(
            at(*VILLAGES, "511825100003", change=Entry("新村委会")),
            "      511825100004:\n",
            "      511825100003: 新村委会\n      511825100004:\n",
            id="a new village among its neighbours",
        ),
        pytest.param(
            at(*VILLAGES, "511825100001", change=Entry("新村委会", {"central": True})),
            "      511825100002:",
            "      511825100001:\n        is: 新村委会\n        central: true\n      511825100002:",
            id="a new village before all others",
        ),
        pytest.param(
            at("townships", "511825100000", change=Entry(None, {"link": {"circuit": "TQ-2", "hotline": "10000"}})),
            "{circuit: TQ-1000}",
            '{circuit: TQ-2, hotline: "10000"}',
            id="a line's field",
        ),
        pytest.param(
            at(
                "townships", "511825101000", change=Entry("始阳镇", {"villages": {"511825101002": Entry("乐坝居委会")}})
            ),
            "kiosk-uos}}\n",
            "kiosk-uos}}\n  511825101000:\n    is: 始阳镇\n    villages:\n      511825101002: 乐坝居委会\n",
            id="a new township",
        ),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_only_what_is_meant_changes(change: dict[str, Any], old: str, new: str, newline: str) -> None:
    assert FILE.count(old) == 1
    before, after = (text.replace("\n", newline).encode() for text in (FILE, FILE.replace(old, new)))
    assert edit("f.yml", before, change).decode() == after.decode()


def test_a_change_to_what_stands_there_already_is_none() -> None:
    same = at("townships", "511825100000", change=Entry("城厢镇 t-ar", {"link": {"circuit": "TQ-1000"}}))
    assert edit("f.yml", FILE.encode(), same) == FILE.encode()


def test_a_byte_order_mark_and_a_missing_last_newline_stay() -> None:
    data = b"\xef\xbb\xbfdivision: x\nvillages:\n  511825100002: a"
    change = at("villages", "511825100009", change=Entry("b"))
    assert edit("f.yml", data, change) == data + b"\n  511825100009: b"


scalars = st.one_of(
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\ufeff"), min_size=1, max_size=8
    ),
)
flows = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True), inner, min_size=1, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True), flows, min_size=1, max_size=4))
def test_whatever_is_written_reads_back(fields: dict[str, Any]) -> None:
    fields.pop("is", None)
    changed = parse("f.yml", edit("f.yml", FILE.encode(), at(*VILLAGES, "511825100002", change=Entry(None, fields))))
    assert changed["townships"]["511825100000"]["villages"]["511825100002"] == (
        {"is": "徙榆居委会", **fields} if fields else "徙榆居委会"
    )
    untouched = parse("f.yml", FILE.encode())
    changed["townships"]["511825100000"]["villages"]["511825100002"] = "徙榆居委会"
    assert changed == untouched
    fresh = {"villages": {"511825100002": Entry("a", fields)}}
    assert parse("f.yml", written(fresh).encode())["villages"]["511825100002"] == (
        {"is": "a", **fields} if fields else "a"
    )
