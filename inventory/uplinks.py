"""The second tree (D6): which site's line ends where. Village to township, township and unit to county, by default.

A site is above another only if it has a router; a township centre without one is passed over. People may name the
site above by its id, its division's code, or ``code/key``.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from inventory.county import County
from inventory.devices import Slot, slots_of_class
from inventory.divisions import Nodes, full_code
from inventory.reading_sites import MAIN, Row
from inventory.source import Source
from inventory.vocabulary import DeviceClass

NOBODY: Final = -1


def places(starts: Sequence[int | None], widths: Sequence[int]) -> tuple[int, ...]:
    """Places of a router's lines, from 0, in the order of the routers above.

    Args:
        starts: of each line the first place as it is declared, from 1; None: behind the line before.
        widths: of each line how many routers it leads to.
    """
    found: list[int] = []
    for start, width in zip(starts, widths, strict=True):
        first = (found[-1] + 1 if found else 0) if start is None else start - 1
        found += range(first, first + width)
    return tuple(found)


class Wiring:
    """Hosts and uplinks of rows that are already in their final order."""

    def __init__(
        self, source: Source, county: County, nodes: Nodes, rows: Sequence[Row], ids: Callable[[], Mapping[str, int]]
    ) -> None:
        self.source, self.county, self.nodes, self.rows, self._ids = source, county, nodes, rows, ids
        self._main = array("i", [NOBODY]) * len(nodes)
        keyed: dict[tuple[int, str], int] = {}
        for i, row in enumerate(rows):
            if row.key == MAIN:
                self._main[row.node] = i
            else:
                keyed[row.node, row.key] = i
        self._keyed = keyed
        self.hosts = self._find_hosts()
        self.slots_of, self.roles_of = self._find_slots()
        self._nearest: dict[int, int] = {}
        self.uplinks, self.more = self._find_uplinks()
        self._refuse_cycles()

    def _find_slots(self) -> tuple[list[tuple[Slot, ...]], list[tuple[str, ...]]]:
        """The devices of each row, and which of their roles are routers; guests have none."""
        nothing: tuple[tuple[Slot, ...], tuple[str, ...]] = ((), ())
        usual: dict[str, tuple[tuple[Slot, ...], tuple[str, ...]]] = {}
        slots_of, roles_of = [], []
        for row, host in zip(self.rows, self.hosts, strict=True):
            entry = row.entry
            if host >= 0:
                both = nothing
            elif entry is not None and entry.devices:
                told = {role: None if one is None else {"model": one.model} for role, one in entry.devices.items()}
                both = self._with_roles(slots_of_class(self.county, row.site_class, told))
            else:
                known = usual.get(row.site_class)
                if known is None:
                    known = self._with_roles(slots_of_class(self.county, row.site_class, None))
                    usual[row.site_class] = known
                both = known
            slots_of.append(both[0])
            roles_of.append(both[1])
        return slots_of, roles_of

    @staticmethod
    def _with_roles(slots: tuple[Slot, ...]) -> tuple[tuple[Slot, ...], tuple[str, ...]]:
        return slots, tuple(slot.role for slot in slots if slot.device_class is DeviceClass.ROUTER)

    def above(self, i: int) -> tuple[int, ...]:
        """Positions above row ``i``, the main line's first."""
        return () if self.uplinks[i] < 0 else (self.uplinks[i], *self.more.get(i, ()))

    def routers_above(self, i: int) -> int:
        """How many places for lines upward each router of row ``i`` needs."""
        main = self.uplinks[i]
        if main < 0:
            return 0
        entry = self.rows[i].entry
        if entry is None or not (entry.link or entry.more_links):
            return len(self.roles_of[main])
        return max(self.line_places(i), default=-1) + 1

    def line_places(self, i: int) -> tuple[int, ...]:
        """The places of row ``i``'s lines, by the routers above."""
        entry, above = self.rows[i].entry, self.above(i)
        told = () if entry is None else (entry.link, *entry.more_links)
        starts = [None if n >= len(told) or (one := told[n]) is None else one.place for n in range(len(above))]
        return places(starts, [len(self.roles_of[other]) for other in above])

    def resolve(self, reference: str) -> int | None:
        """The position of a site that people named; None where there is no such site."""
        ids = self._ids()  # asked for only now: few references are ids, and most inventories have none at all
        if reference in ids:
            return ids[reference]
        code, _, key = reference.partition("/")
        node = self.nodes.index.get(full_code(code))
        if node is None:
            return None
        if key:
            return self._keyed.get((node, key))
        return self._main[node] if self._main[node] != NOBODY else None

    def _find_hosts(self) -> list[int]:
        hosts = [NOBODY] * len(self.rows)
        for i, row in enumerate(self.rows):
            if row.entry is None or row.entry.host_site is None:
                continue
            host = self.resolve(row.entry.host_site)
            path = (*row.path, "host_site")
            if host is None:
                mend = "Write a division code, CODE/KEY, or a site id."
                self.source.complain(row.file, path, f"there is no site {row.entry.host_site}.", mend)
            elif host == i:
                self.source.complain(row.file, path, "a site cannot be its own host.", "Remove host_site.")
            else:
                hosts[i] = host
        for i, host in enumerate(hosts):
            if host >= 0 and hosts[host] >= 0:
                row = self.rows[i]
                mend = "Name the site that has the line."
                self.source.complain(row.file, (*row.path, "host_site"), "the host is a guest itself.", mend)
        return hosts

    def _nearest_router(self, node: int) -> int:
        """The main site with a router of ``node`` or of the nearest division above it."""
        trail = []
        found = NOBODY
        while node >= 0:
            if node in self._nearest:
                found = self._nearest[node]
                break
            trail.append(node)
            candidate = self._main[node]
            if candidate != NOBODY and self.roles_of[candidate]:
                found = candidate
                break
            node = self.nodes.parents[node]
        for passed in trail:
            self._nearest[passed] = found
        return found

    def _find_uplinks(self) -> tuple[list[int], dict[int, tuple[int, ...]]]:
        uplinks, more = [], {}
        parents = self.nodes.parents
        nearest = self._nearest
        for i, row in enumerate(self.rows):
            if self.hosts[i] >= 0:
                uplinks.append(NOBODY)
                continue
            start = parents[row.node] if row.key == MAIN else row.node
            usual = nearest[start] if start in nearest else self._nearest_router(start)
            entry = row.entry
            if entry is None:
                uplinks.append(usual)
                continue
            main = usual
            if entry.link is not None and entry.link.uplink is not None:
                main = self._named(i, entry.link.uplink, (*row.path, "link", "uplink"))
            uplinks.append(main)
            others = [
                self._named(i, link.uplink, (*row.path, "more_links", n, "uplink")) if link.uplink else usual
                for n, link in enumerate(entry.more_links)
            ]
            if others:
                more[i] = tuple(other for other in others if other >= 0)
        return uplinks, more

    def _named(self, i: int, reference: str, path: tuple[str | int, ...]) -> int:
        row = self.rows[i]
        found = self.resolve(reference)
        if found is None:
            mend = "Write a division code, CODE/KEY, or a site id."
            self.source.complain(row.file, path, f"there is no site {reference}.", mend)
            return NOBODY
        if not self.roles_of[found]:
            mend = "Name a site that has one."
            self.source.complain(row.file, path, f"the site {reference} has no router.", mend)
        return found

    def _refuse_cycles(self) -> None:
        """Every site that is above itself, named once, at the line that says where its uplink is."""
        if all(above < i for i, above in enumerate(self.uplinks)) and not self.more:
            return  # the usual case: everybody goes up to somebody who stands before him
        state = bytearray(len(self.rows))  # 0 not seen, 1 on the trail, 2 done
        for start in range(len(self.rows)):
            if state[start]:
                continue
            stack = [(start, iter(self.above(start)))]
            state[start] = 1
            while stack:
                here, rest = stack[-1]
                above = next(rest, None)
                if above is None:
                    state[here] = 2
                    stack.pop()
                elif state[above] == 1:
                    self._complain_of_cycle([node for node, _ in stack], above)
                elif state[above] == 0:
                    state[above] = 1
                    stack.append((above, iter(self.above(above))))

    def _complain_of_cycle(self, trail: list[int], back_to: int) -> None:
        circle = trail[trail.index(back_to) :]
        named = " → ".join(f"{self.nodes.codes[self.rows[i].node]} {self.rows[i].name}" for i in (*circle, back_to))
        at = next((i for i in circle if self.rows[i].entry is not None), circle[-1])
        row = self.rows[at]
        mend = "Let one of them go up to the county."
        self.source.complain(row.file, (*row.path, "link", "uplink"), f"uplinks go in a circle: {named}.", mend)
