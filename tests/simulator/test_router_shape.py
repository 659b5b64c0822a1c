"""One line of a grammar against typed words."""

import pytest

from simulator.routers.shape import Fit, Verdict, furthest, shape

TABLE = [
    ("ip address {ip} {mask} [sub]", "ip address 10.0.0.1 255.255.255.0", Verdict.FITS, 4),
    ("ip address {ip} {mask} [sub]", "ip address 10.0.0.1 24 sub", Verdict.FITS, 5),
    ("ip address {ip} {mask} [sub]", "ip address 10.0.0.1", Verdict.INCOMPLETE, 3),
    ("ip address {ip} {mask} [sub]", "ip address 10.0.0.256 24", Verdict.WRONG, 2),
    ("ip address {ip} {mask} [sub]", "ip address 10.0.0.1 255.0.255.0", Verdict.WRONG, 3),
    ("ip address {ip} {mask} [sub]", "ip address 10.0.0.1 24 sub sub", Verdict.MANY, 5),
    ("vlan {n:1-4094}", "vlan 4095", Verdict.WRONG, 1),
    ("description ...", "description", Verdict.INCOMPLETE, 1),
    ("description ...", "description to the township", Verdict.FITS, 4),
    ("interface {interface} [mode ...]", "interface GigabitEthernet 0/0", Verdict.FITS, 3),
    ("interface {interface} [mode ...]", "interface Tunnel1 mode gre", Verdict.FITS, 4),
    ("line vty {n} [{n}]", "line vty 0", Verdict.FITS, 3),
    ("sysname {word}", "sysnam x", Verdict.UNKNOWN, 0),
]


@pytest.mark.parametrize(("text", "line", "verdict", "at"), TABLE, ids=[line for _, line, *_ in TABLE])
def test_a_line_fits_or_says_which_word_does_not(text: str, line: str, verdict: Verdict, at: int) -> None:
    assert shape(text).fit(line.split()) == Fit(verdict, at)


def test_of_several_shapes_the_one_that_goes_furthest_speaks() -> None:
    shapes = [shape("ip route-static {ip} {mask} {ip}"), shape("ip address {ip} {mask}")]
    found, fit = furthest(shapes, ["ip", "route-static", "10.0.0.0", "8", "nowhere"])
    assert (found, fit) == (None, Fit(Verdict.WRONG, 4))


@pytest.mark.parametrize("text", ["a [b", "a ] b", "a {colour}"])
def test_a_shape_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"bracket|no type"):
        shape(text)
