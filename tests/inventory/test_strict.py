import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.strict import Lines, YamlError, parse, quote


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("12:30", "12:30"),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("NULL", "NULL"),
        ("~", "~"),
        ("True", "True"),
        ("007", "007"),
        ("0x10", "0x10"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        (".5", ".5"),
        (".inf", ".inf"),
        ("2021-06-10", "2021-06-10"),
        ("511825100002", 511825100002),
        ("0", 0),
        ("-3", -3),
        ("+3", 3),
        ("1.5", 1.5),
        ("1.5e3", 1500.0),
        ("true", True),
        ("false", False),
        ("null", None),
        ("", None),
        ("'7'", "7"),
        ('"true"', "true"),
        ("''", ""),
        ("99999999999999999999", "99999999999999999999"),
    ],
)
def test_a_scalar_is_read_as_a_person_means_it(written: str, meant: object) -> None:
    value = parse("x.yml", f"key: {written}\n".encode())["key"]
    assert value == meant
    assert type(value) is type(meant)


def test_keys_stay_text_with_their_zeros() -> None:
    assert parse("x.yml", b"010: a\n511825100002: b\ntrue: c\n") == {"010": "a", "511825100002": "b", "true": "c"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"   \n\n", "empty"),
        (b"# words\n", "only comments"),
        (b"a:\n\tb: 1\n", "tab"),
        ("名: 值".encode("gbk"), "UTF-8"),
        ("名: 值".encode("utf-16"), "UTF-8"),
        (b"a: 1\0", "UTF-8"),
        (b"a: \x07", "control"),
        (b"a: [1, 2", "expected"),
        (b"a: 1\na: 2\n", "twice"),
        (b"{a: 1}: 2\n", "plain word"),
        (b"a: &x 1\nb: *x\n", "anchor"),
        (b"a: !!python/object:os.system x\n", "tag"),
        (b"<<: {a: 1}\nb: &y 2\n", "anchor"),
        (b"a: " + b"[" * 5000, "nest|depth|expected|exceeded"),
        (b"a: " + b"[" * 60 + b"]" * 60, "nested too deeply"),
    ],
    ids=range(16),
)
def test_a_broken_file_is_refused_with_a_problem(data: bytes, message: str) -> None:
    with pytest.raises(YamlError, match=message):
        parse("x.yml", data)


@given(st.binary(max_size=200))
def test_no_bytes_escape_as_anything_but_a_problem(data: bytes) -> None:
    with contextlib.suppress(YamlError):
        parse("x.yml", data)


@given(st.text(alphabet=":#-{}[]&*!|>'\"%@` \n,?ab1.甲", max_size=60))
def test_no_text_escapes_as_anything_but_a_problem(text: str) -> None:
    with contextlib.suppress(YamlError):
        parse("x.yml", f"key: {text}".encode())


@given(st.text(max_size=40).filter(lambda t: all(c.isprintable() for c in t)))
def test_a_quoted_text_reads_back_as_itself(text: str) -> None:
    assert parse("x.yml", f"key: {quote(text)}\n".encode()) == {"key": text}
    assert parse("x.yml", f"- {quote(text)}\n".encode()) == [text]


def test_lines_point_at_nested_keys_and_list_items() -> None:
    lines = Lines("a: 1\nb:\n  c:\n    - x\n    - d: 甲\n      e: 2\n".encode())
    assert [lines.of(path) for path in ((), ("b",), ("b", "c", 0), ("b", "c", 1, "e"))] == [1, 2, 4, 6]


def test_the_line_of_a_missing_key_is_that_of_the_key_above() -> None:
    assert Lines(b"a: 1\nb:\n  c: 1\n").of(("b", "nothing", "more")) == 2


def test_a_billion_laughs_are_refused_before_they_are_told() -> None:
    layers = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]\n" for i in range(1, 12))
    with pytest.raises(YamlError):
        parse("x.yml", f"l0: &l0 ha\n{layers}".encode())
