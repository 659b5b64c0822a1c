"""A vendor's command line as a machine: a typed line in, a reply out. No sockets, no clock of its own.

Where a line goes: the answer to an open question, then the commands of the view that a session is in, then those
that are known everywhere, then the configuration. Which commands there are and what they are called stands in the
personality; what they do is a method ``do_...`` here, or a function of `simulator.routers.displays`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from simulator.routers import displays
from simulator.routers.ciphers import opened
from simulator.routers.device import SimulatedRouter
from simulator.routers.editing import Done, Place, Refused
from simulator.routers.shape import Fit, Verdict, furthest
from simulator.routers.timers import hours_and_minutes, minutes_of

UNKNOWN_QUESTION = "Warning: This operation is not covered by any manual. Go on? [Y/N]:"


@dataclass(slots=True)
class Reply:
    """What the box says.

    Args:
        ask: a question that stays open, without a line end; then there is no prompt.
        hidden: the answer is not echoed.
        end: the session is over.
        long: paged where paging is on.
    """

    lines: list[str] = field(default_factory=list)
    ask: str | None = None
    hidden: bool = False
    end: bool = False
    long: bool = False


Answer = Callable[[str], Reply]


class Console:
    """One session with one router."""

    def __init__(self, router: SimulatedRouter, user: str, *, enabled: bool = False) -> None:
        self.router, self.user = router, user
        self.paged = True
        self.place: Place | None = None
        """Where it is in the configuration; None in the user view."""
        self._enabled = enabled or not router.language.prompts.plain
        self._answer: Answer | None = None

    @property
    def prompt(self) -> str:
        prompts, name = self.router.language.prompts, self.router.name
        if self.place is None:
            return (prompts.user if self._enabled else prompts.plain).format(name=name)
        if not self.place.path:
            return prompts.system.format(name=name)
        return prompts.view.format(name=name, view="-".join(label for label in self.place.labels if label))

    def greet(self) -> Reply:
        """What it says at login."""
        faults = self.router.faults
        lines = faults.banner.split("\n") if faults.banner else []
        if faults.password_expired:
            self._answer = self._password_kept
            return Reply([*lines, "Warning: The initial password poses security risks."], ask="Change now? [Y/N]:")
        return Reply(lines)

    def type(self, typed: str) -> Reply:
        """Do a line."""
        if self._answer is not None:
            answer, self._answer = self._answer, None
            return answer(typed.strip())
        line = typed.strip()
        if line == "\x1a":
            self.place = None
            return Reply()
        if not line or line.startswith("!") or line == "#":
            return Reply()
        faults = self.router.faults
        if faults.reject and re.search(faults.reject, line):
            return self._refuse(line, Fit(Verdict.WRONG, len(line.split()) - 1))
        if faults.ask and re.search(faults.ask, line):
            return self._confirm(UNKNOWN_QUESTION, lambda: self._do(line))
        reply = self._do(line)
        if faults.noise and reply.lines:
            words = self.router.language.words
            reply.lines.insert(len(reply.lines) // 2, words.disturbs.format(name=self.router.name))
        return reply

    # What a line is.

    def _do(self, line: str) -> Reply:
        command, _, pipe = line.partition(" | ")
        line = command.strip() if pipe else line
        language = self.router.language
        spelled = self.router.editor.spelled(line)
        if self.place is not None and spelled.startswith("do "):
            spelled = spelled.removeprefix("do ")
            found, fit = self._action(("user", "any"), spelled.split())
        else:
            found, fit = self._action(self._where(), spelled.split())
        if found is not None:
            reply = self._act(found, spelled)
            return _piped(reply, pipe) if pipe else reply
        if self.place is None:
            return self._refuse(line, fit)
        for question in language.questions:
            if re.fullmatch(question.line, spelled):
                return self._confirm(question.ask, lambda: self._configure(line, fit))
        for secret in language.secret_questions:
            if re.fullmatch(secret.line, spelled):
                return self._ask_secret(secret.prompts, re.sub(secret.line, secret.becomes, spelled))
        return self._configure(line, fit)

    def _where(self) -> tuple[str, ...]:
        if not self._enabled:
            return ("plain", "any")
        if self.place is None:
            return ("user", "any")
        return (self.place.view, "config", "any")

    def _action(self, where: Sequence[str], words: Sequence[str]) -> tuple[str | None, Fit]:
        known = [pair for one in where for pair in self.router.language.actions.get(one, ())]
        shape, fit = furthest([one for one, _ in known], words)
        return next((do for one, do in known if one is shape), None), fit

    def _act(self, name: str, line: str) -> Reply:
        if display := displays.DISPLAYS.get(name):
            return Reply(display(self.router, self.place, line.split()), long=True)
        method: Callable[[str], Reply] = getattr(self, f"do_{name}")
        reply = method(line)
        if name not in ("enter", "leave", "leave_all", "nothing", "paging", "unpaged", "paged", "hang_up"):
            self.router.note(line)
        return reply

    def _configure(self, line: str, other: Fit) -> Reply:
        if self.router.holder is not None and self.router.holder[0] is not self:
            return Reply(["Error: The configuration is locked by another user."])
        place = self.place or Place()
        outcome = self.router.enter(place, line)
        if isinstance(outcome, Done):
            self.place = outcome.place
            return Reply(outcome.says.split("\n") if outcome.says else [])
        if outcome.says:
            return Reply([outcome.says])
        return self._refuse(line, max(outcome.fit, other, key=lambda fit: fit.at))

    def _refuse(self, line: str, refused: Refused | Fit) -> Reply:
        fit = refused.fit if isinstance(refused, Refused) else refused
        refusals = self.router.language.refusals
        text = {
            Verdict.UNKNOWN: refusals.unknown,
            Verdict.WRONG: refusals.wrong,
            Verdict.INCOMPLETE: refusals.incomplete,
            Verdict.MANY: refusals.many,
        }.get(fit.verdict, refusals.unknown)
        if not refusals.caret:
            return Reply([text.format(line=line)])
        starts = [found.start() for found in re.finditer(r"\S+", line)]
        column = starts[fit.at] if fit.at < len(starts) else len(line)
        return Reply([" " * (len(self.prompt) + column) + "^", text])

    # Questions.

    def _confirm(self, ask: str, then: Callable[[], Reply], otherwise: Callable[[], Reply] = Reply) -> Reply:
        *before, last = ask.split("\n")

        def answered(answer: str) -> Reply:
            if answer.lower() in ("y", "yes"):
                return then()
            if answer.lower() in ("n", "no"):
                return otherwise()
            self._answer = answered
            return Reply([], ask=self.router.language.refusals.no_answer or last)

        self._answer = answered
        return Reply(before, ask=last)

    def _ask_secret(self, prompts: Sequence[str], line: str) -> Reply:
        *before, first, second = prompts

        def once(secret: str) -> Reply:
            def twice(again: str) -> Reply:
                if again != secret:
                    return Reply(["Error: The two passwords are not the same."])
                return self._configure(line.replace("{secret}", secret), Fit(Verdict.UNKNOWN, 0))

            self._answer = twice
            return Reply([], ask=second, hidden=True)

        self._answer = once
        return Reply(list(before), ask=first, hidden=True)

    def _password_kept(self, answer: str) -> Reply:
        if answer.lower() not in ("n", "no"):
            self._answer = self._password_kept
            return Reply([], ask="Change now? [Y/N]:")
        return Reply()

    # What the commands do.

    def do_nothing(self, line: str) -> Reply:
        return Reply()

    def do_enter(self, line: str) -> Reply:
        self.place = Place()
        entered = self.router.language.words.entered
        return Reply([entered] if entered else [])

    def do_lock(self, line: str) -> Reply:
        """VRP's ``configuration exclusive``; what it says to others is a guess."""
        if self.router.holder is not None and self.router.holder[0] is not self:
            return Reply(["Error: The configuration is locked by another user."])
        self.router.holder = (self, self.user)
        return Reply()

    def do_unlock(self, line: str) -> Reply:
        self.router.forget(self)
        return Reply()

    def do_leave(self, line: str) -> Reply:
        self.place = self.place.up() if self.place is not None and self.place.path else None
        return Reply()

    def do_leave_all(self, line: str) -> Reply:
        self.place = None
        return Reply()

    def do_hang_up(self, line: str) -> Reply:
        return Reply(end=True)

    def do_enable(self, line: str) -> Reply:
        wanted = next(
            (one.split()[-1] for one in self.router.tree if re.match(r"enable (secret|password) ", one)), None
        )
        if wanted is None:
            self._enabled = True
            return Reply()
        sealed = next(one for one in self.router.tree if re.match(r"enable (secret|password) ", one)).split(" ", 2)[2]
        plain = opened(sealed) or sealed.split()[-1]
        tries = 3

        def typed(secret: str) -> Reply:
            nonlocal tries
            if secret == plain:
                self._enabled = True
                return Reply()
            tries -= 1
            if not tries:
                return Reply(["% Access denied"])
            self._answer = typed
            return Reply([], ask="Password:", hidden=True)

        self._answer = typed
        return Reply([], ask="Password:", hidden=True)

    def do_show_level(self, line: str) -> Reply:
        return Reply([f"Current privilege level is {15 if self._enabled else 1}"])

    def do_disable(self, line: str) -> Reply:
        self._enabled = False
        return Reply()

    def do_paging(self, line: str) -> Reply:
        """``screen-length 0``, ``terminal length 0``: the first number of the line is the screen's lines."""
        self.paged = next(word for word in line.split() if word.isdecimal()) != "0"
        language = self.router.language
        said = "Info: The configuration takes effect on the current user terminal interface only."
        return Reply([said] if language.negation == "undo" else [])

    def do_unpaged(self, line: str) -> Reply:
        self.paged = False
        return Reply()

    def do_paged(self, line: str) -> Reply:
        self.paged = True
        return Reply()

    def do_save(self, line: str) -> Reply:
        questions = list(self.router.language.words.save_asks)

        def go_on() -> Reply:
            if not questions:
                return self._saved("")
            question = questions.pop(0)
            if question.rstrip().endswith("[Y/N]:"):
                return self._confirm(question, go_on)
            *before, last = question.split("\n")

            def named(answer: str) -> Reply:
                return self._saved(answer) if answer else go_on()

            self._answer = named
            return Reply(before, ask=last)

        return go_on()

    def do_save_force(self, line: str) -> Reply:
        return self._saved("")

    def do_save_as(self, line: str) -> Reply:
        name = line.split()[-1].removeprefix("flash:/").removeprefix("flash:")
        startup = self.router.language.startup_file.removeprefix("flash:/")
        return self._saved("" if name == startup else name)

    def _saved(self, name: str) -> Reply:
        words = self.router.language.words
        if self.router.save(name):
            return Reply(words.saved.split("\n"))
        return Reply([words.disk_full if self.router.faults.disk_full else words.save_failed])

    def do_reboot(self, line: str) -> Reply:
        def go() -> Reply:
            self.router.reboot()
            return Reply()

        asks = "This command will reboot the device. Continue? [Y/N]:"
        return go() if line.split()[-1] in ("fast", "force") else self._confirm(asks, go)

    def do_reload(self, line: str) -> Reply:
        """RGOS's word for it."""

        def go() -> Reply:
            self.router.reboot()
            return Reply()

        return self._confirm("Reload system?(Y/N)", go)

    def do_schedule_reboot(self, line: str) -> Reply:
        minutes = minutes_of(line.split()[-1])
        if "schedule_reboot" in self.router.spec.lacks:
            return self._refuse(line, Fit(Verdict.UNKNOWN, 0))
        if minutes is None or not 0 < minutes <= 43_200:
            return self._refuse(line, Fit(Verdict.WRONG, len(line.split()) - 1))
        router = self.router

        def arm() -> Reply:
            router.schedule_reboot(minutes)
            return Reply()

        def ask() -> Reply:
            hours, left = hours_and_minutes(minutes)
            when = displays.clock_after(router, minutes)
            comware = router.language.platform.value == "comware"
            confirm = "Confirm? [Y/N]:" if comware else "confirm? [Y/N]:"
            last = f"Reboot system at {when} (in {hours} hours and {left} minutes). {confirm}"
            unsaved = "Warning: The current configuration is not saved; unsaved settings will be lost by the reboot."
            reply = self._confirm(last if comware else f"Info: {last}", arm)
            reply.lines = [unsaved] if router.unsaved else []
            return reply

        def save_first() -> Reply:
            router.save()
            return ask()

        if router.faults.offers_save:
            return self._confirm("Warning: Save the current configuration before the reboot? [Y/N]:", save_first, ask)
        return ask()

    def do_unschedule_reboot(self, line: str) -> Reply:
        there_was = self.router.unschedule_reboot()
        return Reply(
            ["Info: Reboot schedule has been cancelled." if there_was else "Info: There is no reboot schedule."]
        )

    def do_commit_delay(self, line: str) -> Reply:
        if "commit_delay" in self.router.spec.lacks:
            return self._refuse(line, Fit(Verdict.UNKNOWN, 1))
        self.router.commit_delay(float(line.split()[-1]))
        return Reply()

    def do_commit(self, line: str) -> Reply:
        if "commit_delay" in self.router.spec.lacks:
            return self._refuse(line, Fit(Verdict.UNKNOWN, 1))
        there_was = self.router.commit()
        return Reply([] if there_was else ["No uncommitted configuration exists."])

    def do_replace(self, line: str) -> Reply:
        name = line.split()[-1]
        tree = self.router.file(name)
        if tree is None:
            return Reply([f"The file {name} does not exist."])

        def replace() -> Reply:
            self.router.set_running(tree)
            self.place = Place()
            return Reply(
                [
                    "Now replacing the current configuration. Please wait ...",
                    f"Succeeded in replacing current configuration with the file {name}.",
                ]
            )

        def save_first() -> Reply:
            self.router.save()
            return replace()

        return self._confirm(
            "Current configuration will be lost, save current configuration? [Y/N]:", save_first, replace
        )

    def do_archive(self, line: str) -> Reply:
        return Reply([] if self.router.save("archive_1.cfg") else [self.router.language.words.disk_full])


def _piped(reply: Reply, pipe: str) -> Reply:
    how, _, what = pipe.strip().partition(" ")
    what = what.strip()
    try:
        pattern = re.compile(what)
    except re.error:
        pattern = re.compile(re.escape(what))
    match how:
        case "include":
            reply.lines = [line for line in reply.lines if pattern.search(line)]
        case "exclude":
            reply.lines = [line for line in reply.lines if not pattern.search(line)]
        case "begin":
            at = next((at for at, line in enumerate(reply.lines) if pattern.search(line)), len(reply.lines))
            reply.lines = reply.lines[at:]
    return reply
