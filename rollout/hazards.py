"""What must not happen to a device that we can reach only over what we change: looked for after every line.

A hazard is fatal where it may cost the session, the login, or what nobody asked us to touch; the plan then has no
commands at all. The rest are notes for the reader. It makes no difference whether the order of our commands would do
it or the intended configuration itself asks for it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_interface

from rollout.device_model import Device, ModelRefusedError
from rollout.logins import (
    admins,
    asks_a_server_alone,
    filters_pass,
    gates,
    lines_ask,
    lines_take_ssh,
    manager_may_enter,
    ssh_serves,
    ssh_stays_away,
    ttys,
)
from rollout.meaning import meaning_of
from rollout.path import Facts
from rollout.platform import Platform
from rollout.tree import Items


@dataclass(frozen=True)
class Hazard:
    """Something dangerous in a plan.

    Attributes:
        id: a stable name, such as ``path-route-gap``.
        line: the command (or line of the intended configuration) that does it; empty where no single one does.
        why: one sentence for people.
        fatal: nothing may be sent.
    """

    id: str
    line: str
    why: str
    fatal: bool


# vendor-cli section 4: refused before sending, whoever asks.
_FORBIDDEN = re.compile(
    r"(?:reset\b|reboot|reload|format|delete|erase|"
    r"factory|restore\b|startup |clear |undo ip route-static all|undo acl all|undo interface\s*$|no ip routing|"
    r"save|write|copy|system-view|configure|enable$|disable$|tftp|ftp |scp |schedule |undo schedule|scheduler reboot|"
    r"configuration (?:commit|replace)|rollback|patch|upgrade|boot-loader|boot |undo (?:aaa|user-interface)|"
    r"no (?:interface \S*Ethernet|line vty|aaa new-model|username$)|return$|end$|do |run |shell|start-shell|"
    r"(?:rsa|dsa|ecc) local-key-pair destroy|public-key local destroy|crypto key zeroize)"
)
_ALLOWED = re.compile(r"(?:enable (?:service|secret|password)|shell$|save interval|undo schedule-reboot)")


def of_lines(platform: Platform, commands: Iterable[str]) -> list[Hazard]:
    """What is dangerous in a line by itself: a forbidden command, a character that a terminal obeys."""
    found = []
    for command in commands:
        line = command.strip()
        if _FORBIDDEN.match(line) and not _ALLOWED.match(line):
            found.append(Hazard("forbidden-command", line, "This command is never sent by a plan.", True))
        if "?" in line or not line.isprintable():  # a tabulator is not printable either
            char = next(one for one in line if one in "\t?" or not one.isprintable())
            found.append(
                Hazard("dangerous-character", line, f"A terminal does not take {char!r} as text but obeys it.", True)
            )
        if (address := _bad_address(line)) is not None:
            # FRR takes a token that is no address for the name of an interface, without a word (vendor-cli 3).
            version = "IPv6" if ":" in address else "IPv4"
            found.append(Hazard("bad-address", line, f"{address} is no {version} address.", True))
        if platform is Platform.RGOS and re.match(r"no access-list \S+ ", line):
            why = "RGOS deletes the whole list with any of its lines: make it an `ip access-list`."
            found.append(Hazard("set-emptied", line, why, True))
        if "engineid" in line or "chassis-id" in line:
            found.append(
                Hazard("engine-id", line, "SNMPv3 keys hang on the engine id: changing it deletes the users.", True)
            )
    return found


def _bad_address(line: str) -> str | None:
    if line.startswith(("ipv6 address ", "ipv6 route")):
        return next((word for word in line.split()[2:] if ":" in word and not _is_address(word)), None)
    if "." not in line or line.startswith(("description ", "remark ", "header ", "banner ", "sysname ", "hostname ")):
        return None
    for found in _ADDRESS.finditer(line):
        if int(found[5] or 0) > 32 or any(int(found[n]) > 255 for n in (1, 2, 3, 4)):
            return found[0]
    return None


def _is_address(word: str) -> bool:
    try:
        ip_interface(word)
    except ValueError:
        return False
    return True


_ADDRESS = re.compile(r"(?<!\S)(\d+)\.(\d+)\.(\d+)\.(\d+)(?:/(\d+))?(?!\S)")


@dataclass(frozen=True)
class _Doors:
    ttys: int
    ssh: bool | None
    takes: bool | None
    asks: bool | None
    enters: bool | None
    empty: frozenset[str]
    shut: frozenset[str]
    missing: frozenset[str]
    admins: frozenset[str]
    users: int
    mute: bool
    passes: bool | None
    server: str | None
    away: str | None


def _doors(platform: Platform, facts: Facts, path: Iterable[str]) -> _Doors:
    root = facts.root
    remote = ttys(root)
    named = {
        name: facts.acl_key(name, version)
        for version in ((4,) if facts.version == 4 else (4, 6))
        for name in gates(root, remote, version)
    }
    lists = {key: root[key] for key in named.values() if key is not None and key in root}
    verdicts = {
        key: [line for line in (item.items or {}).values() if "permit" in line.value] for key, item in lists.items()
    }
    ruled = {
        key
        for key, item in lists.items()
        if any(re.search(r"\b(?:permit|deny)\b", line.value) for line in (item.items or {}).values())
    }
    modes = [
        line.value
        for tty in remote
        for line in (tty.items or {}).values()
        if line.value.startswith(("authentication-mode", "set authentication password", "password"))
    ]
    return _Doors(
        ttys=len(remote),
        ssh=ssh_serves(platform, root),
        takes=lines_take_ssh(remote),
        asks=lines_ask(remote),
        enters=manager_may_enter(facts, remote),
        empty=frozenset(set(lists) - ruled),
        shut=frozenset(key for key, permitted in verdicts.items() if not permitted),
        missing=frozenset(name for name, key in named.items() if key is None),
        admins=admins(platform, root),
        users=sum(1 for key in root if key.startswith("ssh user ")),
        mute="authentication-mode password" in modes
        and not any("password" in m for m in modes if not m.startswith("auth")),
        passes=filters_pass(platform, facts, path),
        server=asks_a_server_alone(platform, root),
        away=ssh_stays_away(root, path),
    )


_WAYS = re.compile(
    r"§(?:interface|ospf|bgp|router|rip|vlan|vrf|ip vpn-instance|ip vrf|dialer)|ip(?:v6)? route|ipv6$|vlan |dialer|"
    r"undo ip|no ip"
)
_DOORS = re.compile(
    r"§(?:user-interface|line|aaa|local-user|acl|ip access-list|domain)|"
    r"(?:ssh|stelnet|username|enable service|access-list|aaa|login)"
)


class Lint:
    """Runs commands through the device model and says what goes wrong on the way.

    Args:
        root: the configuration before; it is changed into the one after.
        asked: values of the lines that the intended configuration holds; None on the way back, which says again
            what was there.
        end: the configuration that the commands lead back to, for a way back: what it lacks is no hazard.
    """

    def __init__(
        self,
        platform: Platform,
        root: Items,
        facts: Facts,
        learned: frozenset[str],
        asked: frozenset[str] | None = None,
        end: Facts | None = None,
    ) -> None:
        self.platform, self.root, self.facts = platform, root, facts
        self.device = Device(platform, root, learned)
        self.hazards: list[Hazard] = []
        self.touched: set[str] = set()
        self.denied_within = False
        self._asked = asked
        self._ways = facts.reaches()
        self._path = {key: root[key] for key in facts.path() if key in root and root[key].kind == "interface"}
        self._doors = _doors(platform, facts, self._path)
        self._processes = {key for key, item in root.items() if item.kind in ("ospf", "bgp")}
        self._gates_learnt = facts.learnt
        if end is not None:
            self._weaken(end)

    def _weaken(self, end: Facts) -> None:
        """Where the end is no better, a way back that passes through it is no hazard."""
        if end.reaches() is False:
            self._ways = False
        there = _doors(self.platform, end, self._path)
        here = self._doors
        self._doors = _Doors(
            ttys=min(here.ttys, there.ttys),
            ssh=here.ssh if there.ssh else there.ssh,
            takes=here.takes if there.takes else there.takes,
            asks=here.asks if there.asks else there.asks,
            enters=False if there.enters is False else here.enters,
            empty=here.empty | there.empty,
            shut=here.shut | there.shut,
            missing=here.missing | there.missing,
            admins=here.admins & there.admins,
            users=min(here.users, there.users),
            mute=here.mute or there.mute,
            passes=False if there.passes is False else here.passes,
            server=here.server or there.server,
            away=here.away or there.away,
        )
        self._processes &= {key for key, item in end.root.items() if item.kind in ("ospf", "bgp")}

    def run(self, commands: Iterable[str]) -> None:
        """All commands, in order; stops where the model refuses one."""
        for command in commands:
            before = len(self.device.view)
            self._negated(command)
            try:
                self.device.take(command)
            except ModelRefusedError as refusal:
                self._say("prediction", command, f"The device would refuse it: {refusal}.")
                return
            touched = self.device.touched
            if not touched or (before and len(self.device.view) < before):
                continue
            self.touched |= touched
            if any(_WAYS.match(key) for key in touched):
                self.facts.refresh(touched)
                if self.facts.matters(touched):
                    self._check_ways(command)
            if any(_DOORS.match(key) or key in self._path for key in touched):
                self._check_doors(command)

    def _say(self, name: str, line: str, why: str, fatal: bool = True) -> None:
        if not any(one.id == name for one in self.hazards):
            self.hazards.append(Hazard(name, line.strip(), why, fatal))

    def _negated(self, command: str) -> None:
        """A line that the configuration negates, said positively though nobody asked for it."""
        if self._asked is None:
            return
        line = command.strip()
        meaning = meaning_of(self.platform, self.device.kind, line)
        held = self.device.here.get(meaning.key)
        if held is not None and held.negative and not meaning.negative and meaning.value not in self._asked:
            self._say("negated-negation", line, f"The device says {held.text!r}, and nobody asked for the contrary.")

    def _check_ways(self, command: str) -> None:
        for key in self._processes - self.root.keys():
            name = key.removeprefix("§")
            self._say("process-deleted", command, f"It deletes the routing process {name!r} and all that it learnt.")
        reaches = self.facts.reaches()
        if self._ways is False or reaches or (reaches is None and (self._ways is None or self._learns())):
            return
        who = f"the manager {self.facts.manager}" if self.facts.manager else "the default route's next hop"
        down = [item.text for key, item in self._path.items() if self._is_down(key)]
        if down:
            self._say("shutdown-of-path", command, f"{down[0]!r} is what our session runs over, and would be down.")
        else:
            self._say("path-route-gap", command, f"After it no usable route leads to {who}.")

    def _learns(self) -> bool:
        return not self.facts.learnt

    def _is_down(self, key: str) -> bool:
        item = self.root.get(key)
        line = (item.items or {}).get("shutdown") if item is not None else None
        return item is None or (line is not None and not line.negative)

    def _check_doors(self, command: str) -> None:
        was, now = self._doors, _doors(self.platform, self.facts, self._path)
        if was.ssh and not now.ssh:
            self._say("ssh-off", command, "It switches the SSH server off, and our session is SSH.")
        if now.away and not was.away:
            self._say("ssh-off", command, "The SSH server would not answer on the interface of our session any more.")
        if now.server and not was.server:
            why = "Logins would be asked of a server alone: while it does not answer, nobody could log in."
            self._say("aaa-lockout", command, why)
        if was.ttys and not now.ttys:
            self._say("vty-lockout", command, "No remote line would be left to log in on.")
        if was.takes and not now.takes and not (now.takes is None and self.platform is Platform.COMWARE):
            self._say("vty-lockout", command, "No remote line would take SSH any more.")
        if was.takes is None and now.takes is False:
            self._say("vty-lockout", command, "The remote lines would not take SSH.")
        if was.asks and not now.asks:
            self._say(
                "vty-lockout", command, "The remote lines would have no way to ask for a login, and refuse everybody."
            )
        if now.mute and not was.mute:
            self._say("vty-lockout", command, "The remote lines would ask for a password that nobody has set.")
        for name in now.missing - was.missing:
            self._say("vty-lockout", command, f"The access list {name} before the login would not exist.")
        for key in now.empty - was.empty:
            self.denied_within = True
            self._say(
                "set-emptied",
                command,
                f"The access list {key.removeprefix('§')!r} before the login would have no rule.",
            )
        for key in now.shut - was.shut - now.empty:
            self.denied_within = True
            name = key.removeprefix("§")
            self._say("acl-denies-manager", command, f"{name!r} before the login would permit nobody.")
        if now.enters is False and was.enters is not False:
            self.denied_within = True
            self._say(
                "acl-denies-manager",
                command,
                f"An access list before the login would deny the manager {self.facts.manager}.",
            )
        if now.passes is False and was.passes is not False:
            why = f"A packet filter on the path would drop what the manager {self.facts.manager} sends."
            self._say("acl-denies-manager", command, why)
        if was.admins and not now.admins:
            self._say(
                "aaa-lockout",
                command,
                "No local user would be left who may log in over SSH by a password and change anything.",
            )
        elif was.admins - now.admins:
            gone = ", ".join(sorted(was.admins - now.admins))
            self._say(
                "aaa-user-removed",
                command,
                f"{gone} could not log in and change anything any more: not the account in use?",
                False,
            )
        if was.users and not now.users:
            self._say("aaa-lockout", command, "No SSH user would be left.")
