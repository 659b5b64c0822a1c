"""What to say to a device so that it becomes what was intended, and how to take it back.

The intended configuration owns each section that it names, whole, and each family of root lines (their first two
words) of which it holds one. The rest is somebody else's: never touched, and checked after every line to be so.

    difference -> commands -> device model, line by line, with the lint beside it -> the same back

What the model predicts has to be what was intended, and hier_config has to find no difference between the two
either; otherwise nothing is sent. What `undo`/`no` lines, defaults and ciphertexts say is never a difference
(vendor-cli sections 2 and 9).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address

from rollout.device_model import Device, ModelRefusedError, align, is_physical
from rollout.difference import Difference, Owned
from rollout.errors import UnparsableError
from rollout.fitting import bridge, less, numbered
from rollout.hazards import Hazard, Lint, of_lines
from rollout.interfaces import Address, route_of
from rollout.logins import gates
from rollout.meaning import meaning_of
from rollout.opinion import still_to_say
from rollout.ordering import ADD, DELETE, Op
from rollout.path import Facts
from rollout.platform import PathClass, Platform
from rollout.rules import RULES
from rollout.tree import Item, Items, is_section, parse, text_of


@dataclass(frozen=True)
class Remediation:
    """The answer of `remediate`.

    Attributes:
        commands: configuration-mode lines in order; empty where a hazard is fatal.
        rollback: the way back from what ``commands`` lead to; it may carry ciphertexts of the running configuration.
        unmanaged: root lines and headers of the running configuration that nobody asked us to touch.
    """

    commands: tuple[str, ...]
    rollback: tuple[str, ...]
    hazards: tuple[Hazard, ...]
    unmanaged: tuple[str, ...]
    path_class: PathClass

    @property
    def refused(self) -> bool:
        return any(hazard.fatal for hazard in self.hazards)


def remediate(
    platform: Platform, running: str, intended: str, *, manager: str | None = None, children: bool = False
) -> Remediation:
    """The lines that turn ``running`` into ``intended``.

    Args:
        manager: address of the management station; without it, the path is what the default route leads to.
        children: other sites hang below this device: what touches the path touches them.

    Raises:
        UnparsableError: one of the configurations cannot be read, or ``manager`` is no address.
    """
    return _Plan(platform, running, intended, _station(manager), children).made()


def predict(platform: Platform, running: str, commands: tuple[str, ...] | list[str]) -> str:
    """The configuration that a device with ``running`` shows after ``commands``, without noise.

    Raises:
        UnparsableError: it cannot be read, or the device would refuse a command.
    """
    root = parse(platform, running, "running configuration")
    device = Device(platform, root, _learned(root))
    try:
        device.run(commands)
    except ModelRefusedError as refusal:
        raise UnparsableError(f"The device would refuse {refusal}.") from refusal
    return "".join(f"{line}\n" for line in text_of(device.root))


def _station(manager: str | None) -> Address | None:
    if manager is None:
        return None
    try:
        station = ip_address(manager)
    except ValueError as error:
        raise UnparsableError(f"{manager!r} is no address of a management station.") from error
    if station.is_link_local:
        raise UnparsableError(f"{manager!r} is link-local: no route leads there. Give the manager's global address.")
    return station


class _Plan:
    def __init__(
        self, platform: Platform, running: str, intended: str, manager: Address | None, children: bool
    ) -> None:
        self.platform, self.rules, self.manager, self.children = platform, RULES[platform], manager, children
        self.running = parse(platform, running, "running configuration")
        self.target = parse(platform, intended, "intended configuration")
        self._shown = {key: item.text for key, item in self.running.items()}
        self._prepare()
        said = [item for item in self.target.values() if not is_section(item)]
        self.families = frozenset(_family(item) for item in said if not item.negative)
        self.absent = tuple(f"{item.value} " for item in said if item.negative)
        self.learned = _learned(self.running) | _learned(self.target)
        self.hazards: list[Hazard] = []

    def _prepare(self) -> None:
        align(self.platform, self.running, self.target)
        for one, other in ((self.running, self.target), (self.target, self.running)):
            for key in [key for key in one if key.startswith("§") and key[1:] in other]:
                plain = other.pop(key[1:])
                meaning = meaning_of(self.platform, "", plain.text, True)
                other[meaning.key] = Item(plain.text, meaning, {})
        less(self.platform, self.running, self.target)
        for key, item in self.target.items():
            if item.kind == "acl" and item.items is not None:
                held = self.running.get(key)
                item.items = numbered(self.platform, item.items, (held.items if held else None) or {})

    @cached_property
    def before(self) -> Facts:
        return Facts(self.platform, self.running, self.manager)

    def owned(self, key: str, item: Item) -> bool:
        """Sections and families that the intended configuration names; an absence owns only what it names."""
        if key in self.target:
            return True
        return not is_section(item) and (_family(item) in self.families or item.value.startswith(self.absent))

    def made(self) -> Remediation:
        self._note_unknown()
        difference = Difference(self.platform, self.running, self.target, self.owned)
        commands, rollback, reached = self._planned(difference) if not difference.empty else ([], [], PathClass.NONE)
        if any(hazard.fatal and hazard.id != "prediction" for hazard in self.hazards):
            # What is wrong has a better name already.
            self.hazards = [hazard for hazard in self.hazards if hazard.id != "prediction"]
        fatal = any(hazard.fatal for hazard in self.hazards)
        return Remediation(
            () if fatal else tuple(commands),
            () if fatal else tuple(rollback),
            tuple(self.hazards),
            tuple(
                text
                for key, text in self._shown.items()
                if (item := self.running.get(key)) is not None and not self.owned(key, item)
            ),
            reached,
        )

    def _planned(self, difference: Difference) -> tuple[list[str], list[str], PathClass]:
        """Commands, the way back, and how far they reach; what is wrong with them joins the hazards."""
        commands = difference.commands()
        lint, after = self._checked(commands)
        if lint.denied_within and self._bridged(difference, after):
            commands = difference.commands()
            lint, after = self._checked(commands)
        self.hazards += of_lines(self.platform, commands) + lint.hazards
        self._agree(lint, after.root)
        rollback = self._back(after) if not any(hazard.fatal for hazard in self.hazards) else []
        self._note_ipsec(difference.ops)
        self._note_port(after.root)
        return commands, rollback, self._class(difference.ops, after)

    def _note_unknown(self) -> None:
        for key, item in self.target.items():
            if item.items is not None and item.meaning.section is None:
                self.hazards.append(
                    Hazard(
                        "unknown-section",
                        item.text,
                        "No table of ours knows this section; its lines are guessed.",
                        False,
                    )
                )
            held = self.running.get(key)
            readonly = item.meaning.line is not None and item.meaning.line.readonly
            if readonly and held is not None and held.value != item.value:
                why = "SNMPv3 keys hang on the engine id: changing it deletes the users. The device keeps its own."
                self.hazards.append(Hazard("engine-id", item.text, why, False))
            if item.kind == "bgp" and held is None and not item.negative:
                words = item.meaning.header.split()
                where = words.index("bgp") + 1
                for other in self.running.values():
                    theirs = other.meaning.header.split()
                    if (
                        other.kind == "bgp"
                        and theirs[:where] == words[:where]
                        and theirs[where + 1 :] == words[where + 1 :]
                    ):
                        why = f"{other.text!r} runs; another AS needs the whole process deleted."
                        self.hazards.append(Hazard("process-deleted", item.text, why, True))
            if item.negative and held is not None and held.kind == "interface" and is_physical(self.platform, held):
                why = "It is hardware: it can be emptied, never deleted."
                self.hazards.append(Hazard("forbidden-command", item.text, why, True))

    def _note_ipsec(self, ops: list[Op]) -> None:
        """A device may refuse to change an IPsec policy while an interface uses it; it is never unbound under us."""
        bound = any(
            re.match(r"(?:ipsec (?:apply )?policy|crypto map) ", line.value) and not line.negative
            for item in self.running.values()
            if item.kind == "interface"
            for line in (item.items or {}).values()
        )
        for op in ops:
            item = self.running.get(op.root)
            if bound and item is not None and op.phase != ADD and item.kind in ("ipsecpolicy", "ipsec", "ike", "cmap"):
                why = "An interface uses an IPsec policy: the device may refuse this line until it is unbound there."
                self.hazards.append(Hazard("ipsec-in-use", item.text, why, False))
                return

    def _note_port(self, after: Items) -> None:
        """The inventory says on which port we log in."""
        before, now = (root.get("ssh server port") for root in (self.running, after))
        if (before.value if before else "") != (now.value if now else ""):
            shown = now or before
            assert shown is not None  # noqa: S101  they differ
            why = "Our next login comes to the port that the inventory names: change it there with this."
            self.hazards.append(Hazard("ssh-port-moved", shown.text, why, False))

    def _checked(self, commands: list[str]) -> tuple[Lint, Facts]:
        root = self._copied(self.running)
        facts = self.before.twin(root)
        lint = Lint(self.platform, root, facts, self.learned, self._asked())
        lint.run(commands)
        return lint, facts

    def _copied(self, root: Items) -> Items:
        """What may change, copied; the rest is shared, and that a command reached it is noticed by its key."""
        return {key: item.copy() if self.owned(key, item) else item for key, item in root.items()}

    def _asked(self) -> frozenset[str]:
        return frozenset(_values(self.target))

    # --- what came out is what was asked ----------------------------------------------------------------------------

    def _agree(self, lint: Lint, after: Items) -> None:
        for key in sorted(lint.touched):
            held = after.get(key) or self.running.get(key)
            if held is not None and not self.owned(key, held):
                why = "Nobody asked for a change here: the intended configuration does not name it."
                self.hazards.append(Hazard("unmanaged-touched", held.text, why, True))
        for key, item in self.running.items():
            if not self.owned(key, item) and (key not in after or not after[key].identical(item)):
                why = "Nobody asked for a change here, and the prediction shows one."
                self.hazards.append(Hazard("unmanaged-touched", item.text, why, True))
        if any(hazard.fatal for hazard in self.hazards):
            return
        left = Difference(self.platform, after, self.target, self.owned)
        if not left.empty:
            line = next((step for op in left.ops for _, step in op.steps if step), "")
            why = "After all commands the prediction still differs from what was intended."
            self.hazards.append(Hazard("prediction", line, why, True))
        elif (other := still_to_say(left, after, self.target, self.owned)) is not None:
            why = "hier_config finds a difference between the prediction and what was intended."
            self.hazards.append(Hazard("prediction", other, why, True))

    # --- the way back -----------------------------------------------------------------------------------------------

    def _back(self, after: Facts) -> list[str]:
        held = {key: item for key, item in self.running.items() if self.owned(key, item)}
        owned: Owned = self.owned
        difference = Difference(self.platform, after.root, held, owned, back=True)
        commands = difference.commands()
        root = self._copied(after.root)
        lint = Lint(self.platform, root, after.twin(root), self.learned, None, self.before)
        lint.run(commands)
        if lint.denied_within and self._bridged(difference, Facts(self.platform, held, self.manager)):
            commands = difference.commands()
            root = self._copied(after.root)
            lint = Lint(self.platform, root, after.twin(root), self.learned, None, self.before)
            lint.run(commands)
        for hazard in lint.hazards:
            self.hazards.append(Hazard(hazard.id, hazard.line, f"On the way back: {hazard.why}", hazard.fatal))
        left = Difference(self.platform, root, held, owned)
        if not left.empty:
            line = next((step for op in left.ops for _, step in op.steps if step), "")
            self.hazards.append(Hazard("prediction", line, "The way back does not lead to where we came from.", True))
        return commands

    def _bridged(self, difference: Difference, after: Facts) -> bool:
        """Puts a rule for the manager before an access list's others while they change; False where it cannot."""
        added = False
        version = self.before.version
        for name in {*gates(self.before.root, None, version), *gates(after.root, None, version)}:
            key = self.before.acl_key(name, version)
            ops = [op for op in difference.ops if op.root == key]
            now, then = self.running.get(key or ""), after.root.get(key or "")
            if not ops or now is None or then is None:
                continue
            rule = bridge(self.platform, now, then, self.manager)
            where = next((where for op in ops for where, _ in op.steps), ())
            if rule is None or not where:
                continue
            first = Op(ADD, -1, [(where, rule[0])], key or "")
            last = Op(DELETE, -1, [(where, f"{self.rules.negation} {rule[1]}")], key or "")
            difference.ops.insert(0, first)
            difference.ops.append(last)
            added = True
        return added

    # --- how far it reaches -----------------------------------------------------------------------------------------

    def _class(self, ops: list[Op], after: Facts) -> PathClass:
        path = self.before.path() | after.path()
        lists = {
            facts.acl_key(name, version)
            for version in (4, self.before.version)
            for facts in (self.before, after)
            for name in gates(facts.root, None, version)
        }
        worst = PathClass.NONE
        for op in ops:
            lines = [line for where, line in op.steps if line] or [where[-1][0] for where, _ in op.steps if where]
            if all(self.rules.harmless.match(line) for line in lines):
                continue
            item = self.before.root.get(op.root) or after.root.get(op.root) or self.target.get(op.root)
            carries = item is not None and (self._carries_session(op.root, item) or self._is_own(op, item))
            if op.root in path or op.root in lists or carries:
                return PathClass.SHARED if self.children else PathClass.PATH
            worst = PathClass.LOCAL
        return worst

    def _is_own(self, op: Op, item: Item) -> bool:
        """Whether it touches a loopback that is there: its address is likely the one that we dial."""
        return op.phase != ADD and item.kind == "interface" and _LOOPBACK.match(item.meaning.header) is not None

    def _carries_session(self, key: str, item: Item) -> bool:
        if item.kind in ("vty", "aaa", "user", "ospf", "bgp", "rip", "ospf6", "hwtacacs", "radius", "scheme"):
            return True
        if re.match(
            r"(?:ssh|stelnet|sftp|telnet|username|aaa|tacacs|radius|enable |rsa|domain|super|crypto key|vlan batch$)",
            key,
        ):
            return key != "vlan batch"
        route = route_of(item, key, "")
        if route is None or route.net.version != self.before.version:
            return False
        return not route.net.prefixlen or (self.manager is not None and self.manager in route.net)


_LOOPBACK = re.compile(r"interface (?:loopback ?\d+|lo\d*)$", re.IGNORECASE)


def _family(item: Item) -> str:
    return " ".join(item.value.split()[:2])


def _learned(items: Items) -> frozenset[str]:
    """Headers that no table knows, seen with lines under them."""
    found: set[str] = set()
    for item in items.values():
        if item.items is not None:
            if item.meaning.section is None:
                found.add(item.value)
            found |= _learned(item.items)
    return frozenset(found)


def _values(items: Items) -> Iterator[str]:
    for item in items.values():
        if not item.negative:
            yield item.value
        yield from _values(item.items or {})
