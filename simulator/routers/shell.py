"""The Linux shell of an FRR box: just the commands that a change of ours needs, and no more.

    vtysh, vtysh -c '...' [-c '...']                         cat, tee, rm, cp, mv, mkdir, chmod, test, [, ls, wc, grep,
    /usr/lib/frr/frr-reload.py --test|--reload               head, tail, sha256sum, echo, printf, true, false, umask,
        [--overwrite] FILE (also as frr-reload.py)           set, cd, export, sleep, sync, command -v, which, uname
    systemd-run [...] --on-active=N[s|min] --unit=U COMMAND  hostname, id, whoami, uptime, date
    systemctl is-active|stop|start|status|reset-failed|list-timers U
    ping -c N [-W S] [-I A] ADDRESS, ip -o addr, ip route    sudo COMMAND, sudo -s, exit, ps -C vtysh

``;``, ``&&``, ``||``, ``|``, ``>``, ``>>``, ``2>&1``, ``2>/dev/null``, here-documents, ``$?`` and quotes are known;
anything else is ``command not found``. Timers run on the router's clock, where a minute may be scaled; a service
started by ``systemd-run`` without ``--on-active`` runs at once.
"""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from simulator.routers import displays, shell_files
from simulator.routers.console import Console, Reply
from simulator.routers.device import SimulatedRouter
from simulator.routers.editing import Done, Place
from simulator.routers.shell_files import CONF
from simulator.routers.shell_words import Result, option, redirected, seconds, split
from simulator.routers.tree import Tree

_RELOAD: Final = ("frr-reload.py", "/usr/lib/frr/frr-reload.py")
_HEREDOC: Final = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")


class Shell:
    """One login; see `simulator.routers.terminal.Machine`."""

    paged = False

    def __init__(self, router: SimulatedRouter, user: str) -> None:
        self.router, self.user = router, user
        self.code = 0
        """Of the last command."""
        self._vtysh: Console | None = None
        self._heredoc: tuple[str, str, list[str]] | None = None
        self._root = user == "root"
        self._asking: Callable[[str], Reply] | None = None

    @property
    def prompt(self) -> str:
        if self._heredoc is not None:
            return "> "
        if self._vtysh is not None:
            return self._vtysh.prompt
        user = "root" if self._root else self.user
        return f"{user}@{self.router.name}:~{'#' if self._root else '$'} "

    def greet(self) -> Reply:
        banner = self.router.faults.banner
        return Reply([f"Linux {self.router.name} 6.1.0 x86_64", *(banner.split("\n") if banner else [])])

    def type(self, typed: str) -> Reply:
        if self._heredoc is not None:
            return self._more(typed)
        if self._vtysh is not None:
            reply = self._vtysh.type(typed)
            if reply.end:
                self._vtysh = None
                self.router.forget(self)
                return Reply(reply.lines)
            return reply
        if self._asking is not None:
            asking, self._asking = self._asking, None
            return asking(typed)
        line = typed.strip()
        if line in ("exit", "logout", "\x1a"):
            if self._root and self.user != "root":
                self._root = False
                return Reply(["exit"])
            return Reply(end=line != "\x1a")
        faults = self.router.faults
        if faults.reject and re.search(faults.reject, line):
            self.code = 1
            return Reply([f"-bash: {line.split()[0]}: Permission denied"])
        if found := _HEREDOC.search(line):
            self._heredoc = (line[: found.start()] + line[found.end() :], found[2], [])
            return Reply()
        return self.run(line)

    def run(self, line: str, given: Sequence[str] = ()) -> Reply:
        """Do a whole command line; ``given`` is its standard input."""
        if line == "vtysh" or line.startswith("vtysh --histfile="):
            self._vtysh = Console(self.router, self.user, enabled=True)
            self.router.configuring[self] = f"{self.user:<8} {'00:05':>11} {line}"
            return Reply(["", "Hello, this is FRRouting (version 8.4.4).", ""])
        if line in ("sudo -s", "sudo -i", "sudo su"):
            self._root = True
            return Reply()
        lines: list[str] = []
        try:
            for joint, pipeline in split(line):
                if (joint == "&&" and self.code) or (joint == "||" and not self.code):
                    continue
                result = self._pipeline(pipeline, list(given))
                self.code = result.code
                lines += result.lines + result.errors
        except ValueError as error:
            self.code = 2
            return Reply([f"-bash: syntax error: {error}"])
        return Reply(lines)

    def _more(self, typed: str) -> Reply:
        assert self._heredoc is not None  # noqa: S101  # the caller looked
        command, end, body = self._heredoc
        if typed.strip() != end:
            body.append(typed)
            return Reply()
        self._heredoc = None
        return self.run(command, body)

    def _pipeline(self, pieces: Sequence[str], given: list[str]) -> Result:
        result = Result(given)
        errors: list[str] = []
        parts: list[list[str]] = [[]]
        for piece in pieces:
            if piece == "|":
                parts.append([])
            else:
                parts[-1].append(piece)
        for words in parts:
            plain, target, append, quiet, merged = redirected(words)
            result = self._command(plain, result.lines)
            if quiet:
                result.errors = []
            if merged:
                result.lines, result.errors = result.lines + result.errors, []
            if target is not None:
                if target != "/dev/null" and not self.write(target, result.lines, append=append):
                    result.errors.append(f"-bash: {target}: No space left on device")
                    result.code = 1
                result.lines = []
            errors += result.errors
        return Result(result.lines, result.code, errors)

    def _command(self, words: list[str], given: list[str]) -> Result:
        while words and (
            words[0] in ("sudo", "exec", "nohup", "setsid", "command", "-n") or re.match(r"\w+=", words[0])
        ):
            if words[:2] == ["command", "-v"]:
                break
            words = words[1:]
        if not words:
            return Result()
        words = [word.replace("$?", str(self.code)) for word in words]
        name, *rest = words
        if name in _RELOAD:
            return self._reload(rest)
        method = _COMMANDS.get(name)
        if method is None:
            return Result([], 127, [f"-bash: {name}: command not found"])
        return method(self, rest, given)

    # Files.

    @property
    def files(self) -> dict[str, str]:
        return self.router.files

    def read(self, name: str) -> list[str] | None:
        """The lines of a file; None where there is none."""
        if name == CONF:
            return self.startup_text().rstrip("\n").split("\n")
        text = self.router.files.get(name)
        return None if text is None else text.removesuffix("\n").split("\n") if text else []

    def startup_text(self) -> str:
        """``/etc/frr/frr.conf`` as ``write memory`` leaves it."""
        text = self.router.startup
        return text[text.index("frr version") :]

    def write(self, name: str, lines: Sequence[str], *, append: bool = False) -> bool:
        """Write a file; False where the disk is full."""
        if self.router.faults.disk_full:
            return False
        before = self.read(name) or [] if append else []
        text = "".join(f"{line}\n" for line in (*before, *lines))
        if name == CONF:
            self.router.set_startup(text)
        else:
            self.router.files[name] = text
        self.router.note(f"write {name}")
        return True

    # Commands.

    def _vtysh_c(self, words: list[str], given: list[str]) -> Result:
        if "-w" in words or "-wC" in words:
            words = ["-c", "write memory"]
        commands = [words[at + 1] for at, word in enumerate(words[:-1]) if word == "-c"]
        if "-f" in words[:-1]:
            commands = ["configure terminal", *(self.read(words[words.index("-f") + 1]) or [])]
        console = Console(self.router, self.user, enabled=True)
        result = Result()
        for command in commands:
            reply = console.type(command)
            result.lines += reply.lines
            if any(line.startswith(("% Unknown command", "% Command incomplete")) for line in reply.lines):
                result.code = 1
                return result
        return result

    def _reload(self, words: list[str]) -> Result:
        names = [word for word in words if not word.startswith("-")]
        target = self.read(names[-1]) if names else None
        if target is None:
            return Result([], 1, [f"ERROR: {names[-1] if names else ''}: No such file or directory"])
        tree, complaints = self._checked(target)
        if complaints:
            return Result([], 1, ["ERROR: vtysh failed to process new configuration: vtysh (mark file):", *complaints])
        now = self.router.tree
        gone, new = _only(now, tree), _only(tree, now)
        if "--test" in words:
            lines = ["", "Lines To Delete", "===============", *(f"no {line}" for line in gone)] if gone else []
            lines += ["", "Lines To Add", "============", *new] if new else []
            return Result(lines)
        if "--reload" not in words:
            return Result([], 1, ["usage: frr-reload.py [-h] [--reload | --test] filename"])
        self.router.set_running(tree)
        self.router.note(f"frr-reload.py --reload {names[-1]}")
        if "--overwrite" in words and not self.router.save():
            return Result([], 1, ["ERROR: could not write /etc/frr/frr.conf"])
        return Result()

    def _checked(self, lines: Sequence[str]) -> tuple[Tree, list[str]]:
        """The tree of a file, and what vtysh says about lines that it does not know."""
        editor = self.router.editor
        noise = [re.compile(one) for one in self.router.language.noise]
        tree, place = Tree(), Place()
        complaints: list[str] = []
        for number, raw in enumerate(lines, 1):
            line = raw.strip()
            if not line or line.startswith(("!", "#")):
                continue
            if re.match(r"exit|end$", line):
                place = place.up() if line.startswith("exit") else Place()
                continue
            if any(one.match(line) for one in noise):
                continue
            outcome = editor.enter(tree, place, line)
            if isinstance(outcome, Done):
                place = outcome.place
            else:
                complaints.append(f"line {number}: % Unknown command: {line}")
        return editor.load("\n".join(editor.show(tree)), self.router.ports), complaints

    def _systemd_run(self, words: list[str], given: list[str]) -> Result:
        if "systemd" in self.router.spec.lacks:
            return Result([], 127, ["-bash: systemd-run: command not found"])
        options = dict(option(word) for word in words if word.startswith("--"))
        at = next((at for at, word in enumerate(words) if not word.startswith("-")), len(words))
        command = words[at:]
        unit = options.get("--unit", "run-r1")
        delay_s = seconds(options.get("--on-active", "0"))
        if not command or delay_s is None:
            return Result([], 1, ["Failed to parse timer."])
        timer = f"{unit.removesuffix('.timer').removesuffix('.service')}.timer"
        if timer in self.router.jobs:
            return Result(
                [],
                1,
                [f"Failed to start transient timer unit: Unit {timer} was already loaded or has a fragment file."],
            )
        router = self.router

        def due() -> None:
            Shell(router, "root").run(shlex.join(command))

        if "--on-active" not in options:
            due()
            return Result([], 0, [f"Running as unit: {timer.replace('.timer', '.service')}"])
        router.schedule(timer, delay_s / 60, due)
        router.note(shlex.join(["systemd-run", *words]))
        return Result(
            [],
            0,
            [f"Running timer as unit: {timer}", f"Will run service as unit: {timer.replace('.timer', '.service')}"],
        )

    def _systemctl(self, words: list[str], given: list[str]) -> Result:
        if "systemd" in self.router.spec.lacks:
            return Result([], 127, ["-bash: systemctl: command not found"])
        words = [word for word in words if not word.startswith("-")]
        verb, units = (words[0], words[1:]) if words else ("", [])
        jobs = self.router.jobs
        match verb:
            case "is-active":
                active = [
                    unit in jobs or unit.removesuffix(".service") in ("frr", "ssh", "snmpd", "chrony") for unit in units
                ]
                return Result(["active" if one else "inactive" for one in active], 0 if all(active) else 3)
            case "stop" | "disable":
                for unit in units:
                    if not self.router.unschedule(unit) and unit.startswith("cuntong"):
                        return Result([], 5, [f"Failed to stop {unit}: Unit {unit} not loaded."])
                    self.router.note(f"systemctl stop {unit}")
                return Result()
            case "list-timers":
                return Result([f"{minutes:8.1f}min left  {unit}" for unit, minutes in jobs.items()])
            case "status":
                return Result(
                    [f"{unit}: {'active (waiting)' if unit in jobs else 'inactive (dead)'}" for unit in units]
                )
            case "start" | "restart" | "reload" | "reset-failed" | "daemon-reload" | "enable":
                return Result()
            case _:
                return Result([], 1, [f"Unknown command verb {verb}."])

    def _ping(self, words: list[str], given: list[str]) -> Result:
        target = words[-1] if words else ""
        count = int(words[words.index("-c") + 1]) if "-c" in words[:-1] else 4
        heard = displays.answers(self.router, target)
        lines = [f"PING {target} ({target}) 56(84) bytes of data."]
        lines += [f"64 bytes from {target}: icmp_seq={n} ttl=63 time=2.00 ms" for n in range(1, count + 1) if heard]
        got = count if heard else 0
        lines += [
            "",
            f"--- {target} ping statistics ---",
            f"{count} packets transmitted, {got} received, {0 if heard else 100}% packet loss, time {count}ms",
        ]
        return Result(lines, int(not heard))

    def _ip(self, words: list[str], given: list[str]) -> Result:
        words = [word for word in words if not word.startswith("-")]
        if words and words[0].startswith("r"):
            return Result([f"{net} via {via}" for _, net, via in self.router.reading.routes()])
        found = [(one.name, address) for one in self.router.reading.interfaces for address in one.addresses]
        return Result(
            [f"{at}: {name}    inet {address} scope global {name}" for at, (name, address) in enumerate(found, 1)]
        )

    def _ps(self, words: list[str], given: list[str]) -> Result:
        """Processes called vtysh, the only ones that anybody asks for, in the columns that we ask for."""
        rows = [f"{2000 + n:7} {shown}" for n, shown in enumerate(self.router.configuring.values())]
        return Result(rows, int(not rows))

    def _which(self, words: list[str], given: list[str]) -> Result:
        name = words[-1] if words else ""
        lacks = name.startswith("system") and "systemd" in self.router.spec.lacks
        known = (name in _COMMANDS or name in _RELOAD) and not lacks
        return Result([f"/usr/bin/{name}"] if known else [], int(not known))


_Method = Callable[[Shell, list[str], list[str]], Result]


def _says(text: Callable[[Shell], str]) -> _Method:
    return lambda shell, words, given: Result([text(shell)])


def _quiet(shell: Shell, words: list[str], given: list[str]) -> Result:
    return Result()


_COMMANDS: Final[Mapping[str, _Method]] = {
    "vtysh": Shell._vtysh_c,
    "systemd-run": Shell._systemd_run,
    "systemctl": Shell._systemctl,
    "cat": shell_files.cat,
    "tee": shell_files.tee,
    "rm": shell_files.rm,
    "cp": shell_files.copy,
    "mv": shell_files.move,
    "test": shell_files.test,
    "[": shell_files.test,
    "grep": shell_files.grep,
    "head": lambda shell, words, given: shell_files.ends(shell, words, given, last=False),
    "tail": lambda shell, words, given: shell_files.ends(shell, words, given, last=True),
    "wc": lambda shell, words, given: Result([str(len(given))]),
    "echo": shell_files.echo,
    "printf": shell_files.printf,
    "sha256sum": shell_files.checksum,
    "ping": Shell._ping,
    "ps": Shell._ps,
    "ip": Shell._ip,
    "ls": shell_files.listing,
    "which": Shell._which,
    "command": Shell._which,
    "hostname": _says(lambda shell: shell.router.name),
    "whoami": _says(lambda shell: "root" if shell._root else shell.user),
    "id": _says(lambda shell: "0" if shell._root else "1000"),
    "uname": _says(lambda shell: "Linux"),
    "uptime": _says(lambda shell: f"up {int(shell.router.uptime_s)} seconds"),
    "date": _says(lambda shell: displays.clock_after(shell.router, 0)),
    "false": lambda shell, words, given: Result([], 1),
} | dict.fromkeys(
    ("true", ":", "umask", "set", "cd", "export", "sleep", "sync", "mkdir", "chmod", "chown", "stty", "unset"), _quiet
)


def _only(tree: Tree, other: Tree) -> list[str]:
    """Lines of a tree that another lacks, with the header before what is inside."""
    found: list[str] = []
    for line, below in tree.items():
        if line not in other:
            found.append(line)
            found += [f" {one}" for one in below or ()]
        elif below is not None:
            inside = _only(below, other[line] or Tree())
            found += [f"{line} / {one}" for one in inside]
    return found
