"""The course of one change, without sockets, clock or disk: what comes next, given what came of the last thing.

Each function here is a generator of actions (`rollout.actions`). Whoever drives it performs an action and sends back
its result, or throws in the error that came of it; what the generator returns is the `Ending`. So every decision
(refuse, go back, wait, confirm) can be tested by handing in results, and a crash between any two actions is a
generator thrown away.

    forward   a change from the beginning
    resume    a change that another controller began
    _settle   we lost the device, or do not know how it stands: find out, and end it

What is never done: a line that may have arrived is not sent again; a device that stands between the old and the new
configuration is not confirmed; nothing is saved before a new login was seen.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from inventory.errors import CuntongError
from rollout.actions import (
    Ask,
    Ending,
    HangUp,
    KeepBackup,
    MayStart,
    Now,
    Open,
    OpenSecrets,
    Prove,
    ReadRunning,
    ReadSaved,
    RunChecks,
    Save,
    Send,
    Sleep,
    Steps,
    TrySecondPath,
    Type,
    do,
    record,
)
from rollout.change import Change, ChangeState, DeadMan
from rollout.deadman import Facts, Switch, Typed, switch, why_not
from rollout.drivers import DRIVERS
from rollout.errors import RefusedLineError, SessionError, UnknownPromptError, UnreachableError
from rollout.platform import PathClass
from rollout.prompts import never_sent
from rollout.remediation import predict
from rollout.router import Router
from rollout.running import fingerprint
from rollout.standing import Landmarks, Standing

_LEAVING_S: Final = (1.0, 2.0)
_RETURNS: Final = 3
"""So many times as long as its dead-man and boot take, a device may come and go before it is called lost."""


@dataclass(frozen=True)
class _Armed:
    """A dead-man that runs, or may.

    Attributes:
        deadline: Unix time when it acts.
        margin_s: this near to the deadline nothing is confirmed any more: it may act while we do.
    """

    switch: Switch
    deadline: float
    margin_s: float


@dataclass(frozen=True)
class _Case:
    """What does not change any more once the running configuration was read."""

    change: Change
    router: Router
    landmarks: Landmarks

    def print(self, running: str) -> str:
        """The fingerprint of a configuration, as the plan has it."""
        return fingerprint(self.change.platform, running)

    def ended(self, state: ChangeState, reason: str, running: str | None = None) -> Ending:
        """An ending on the configuration that was read last; that before the change where none is given."""
        return Ending(state, reason, self.print(self.landmarks.before if running is None else running))


def _case(change: Change, router: Router, before: str) -> _Case:
    return _Case(change, router, Landmarks(change.platform, before, predict(change.platform, before, change.commands)))


def _armed(change: Change, router: Router, made: Switch, deadline: float) -> _Armed:
    whole_s = change.minutes * router.minute_s
    early_s = router.minute_s if made.by_the_minute else 0.0
    return _Armed(made, deadline, min(max(whole_s * 0.15, 2 * router.retry_s, early_s), whole_s / 2))


def touched(recorded: Sequence[tuple[str, Mapping[str, str]]]) -> bool:
    """Whether a controller that wrote these steps down may have changed anything on the device."""
    return any(name in ("arm", "send") for name, _ in recorded)


def forward(change: Change, router: Router) -> Steps[Ending]:
    """A change from connecting to the empty difference.

    Raises (to the driver): SessionError before anything was sent; every later one is dealt with here.
    """
    touches_path = change.path_class in (PathClass.PATH, PathClass.SHARED)
    if touches_path and change.dead_man is DeadMan.NONE and router.second_path is None:
        return Ending(
            ChangeState.NEEDS_VISIT, "it touches the path to the device, and nothing would bring the device back."
        )
    if (line := never_sent((*change.commands, *change.rollback))) is not None:
        return Ending(ChangeState.FAILED, f"it holds {line.strip()!r}, which is never sent.")
    yield MayStart()
    yield from record("connect")
    yield Open()
    yield from record("read")
    running = yield from do(ReadRunning())
    shown = fingerprint(change.platform, running)
    if shown != change.fingerprint:
        return Ending(ChangeState.STALE, "its running configuration is not the one that was planned on.", shown)
    if not change.commands:
        return Ending(ChangeState.CONFIRMED, "", shown)
    case = _case(change, router, running)
    yield from record("probe")
    if touches_path and change.dead_man is DeadMan.NONE:
        yield TrySecondPath()
    tried = [change.dead_man]
    if change.dead_man is DeadMan.COMMIT_DELAY:
        tried.append(DeadMan.TIMED_REPLACE)  # not every release has commit delay; arming is the probe
    yield from record("precheck")
    if who := (yield from _occupied(change, router)):
        why = f"somebody else has its configuration open ({who}); nothing was sent. Apply again when they are done."
        return case.ended(ChangeState.FAILED, why)
    if complaint := (yield from do(RunChecks())):
        return case.ended(ChangeState.FAILED, f"before the change already: {complaint}")
    yield OpenSecrets((*change.commands, *change.rollback))
    yield from record("backup")
    yield KeepBackup(running)
    armed: _Armed | None = None
    for dead_man in tried:
        got = yield from _arm(case, dead_man)
        if isinstance(got, _Armed):
            armed = got
            break
        if isinstance(got, Ending):
            return got
    if armed is None and change.dead_man is not DeadMan.NONE:
        return case.ended(ChangeState.NEEDS_VISIT, "it has none of the dead-man's switches that we know.")
    return (yield from _change(case, armed))


def resume(
    change: Change, router: Router, recorded: Sequence[tuple[str, Mapping[str, str]]], backup: str | None
) -> Steps[Ending]:
    """End a change that another controller began, from what it wrote down."""
    details = dict(recorded)
    if not touched(recorded):
        return Ending(ChangeState.ROLLED_BACK, "it was interrupted before anything was sent.")
    if backup is None:
        return Ending(ChangeState.NEEDS_VISIT, "it was interrupted, and no backup says what it was before.")
    case = _case(change, router, backup)
    armed = None
    if arm := details.get("arm"):
        made = switch(DeadMan(arm["dead_man"]), router, change.minutes, arm["startup"])
        if made is not None:
            armed = _armed(change, router, made, float(arm["deadline"]))
    return (yield from _settle(case, armed, "the controller was interrupted.", saving="save" in details))


def _occupied(change: Change, router: Router) -> Steps[str]:
    """Who else holds the configuration; empty where nobody does, or where the device cannot tell."""
    driver = DRIVERS[change.platform]
    if driver.occupied is None:
        return ""
    command, somebody = driver.occupied
    ours = driver.mark.format(controller=router.controller) if router.controller else None
    for wait_s in (*_LEAVING_S, None):
        try:
            said = yield from do(Ask(command))
        except RefusedLineError:
            return ""
        # The lease on the device lets no other worker of this controller in, so what bears our mark is a leftover.
        others = [who for found in somebody.finditer(said) if ours not in (who := found["who"]).split("=")]
        if not others:
            return ""
        if wait_s is None:
            break
        yield Sleep((yield from do(Now())) + wait_s)  # a session that was hung up is shown for a moment longer
    return " ".join(others[0].split())


def _facts(case: _Case, dead_man: DeadMan, looks: Switch) -> Steps[Facts]:
    saved_is_running, startup = None, ""
    if dead_man in (DeadMan.REBOOT, DeadMan.TIMED_REPLACE):
        saved = yield from do(ReadSaved())
        saved_is_running = None if saved is None else case.landmarks.of(saved) is Standing.OLD
        startup = yield from do(Ask("display startup"))
    pending = yield from _is_armed(looks)
    return Facts(saved_is_running, startup, case.landmarks.before, pending is True)


def _arm(case: _Case, dead_man: DeadMan) -> Steps[_Armed | Ending | None]:
    """Arm one kind of dead-man; None where the device does not know it, or the change needs none."""
    change = case.change
    rough = switch(dead_man, case.router, change.minutes, "")
    if rough is None:
        return None
    facts = yield from _facts(case, dead_man, rough)
    if why := why_not(dead_man, facts):
        return case.ended(ChangeState.FAILED, f"its dead-man's switch cannot be trusted: {why}")
    made = switch(dead_man, case.router, change.minutes, facts.startup)
    assert made is not None  # noqa: S101  the rough one was there
    yield MayStart()
    now = yield from do(Now())
    deadline = now + change.minutes * case.router.minute_s
    yield from record(
        "arm", dead_man=dead_man, minutes=change.minutes, armed_at=now, deadline=deadline, startup=facts.startup,
        old=case.landmarks.old, new=case.landmarks.new,
    )  # fmt: skip
    armed = _armed(change, case.router, made, deadline)
    try:
        yield Type(made.arm)
        problem = yield from _unsound(case, made)
    except UnreachableError as error:
        return (yield from _settle(case, armed, str(error)))
    except RefusedLineError as error:
        yield from _best_effort(made.disarm)
        return None if dead_man is DeadMan.COMMIT_DELAY else case.ended(ChangeState.NEEDS_VISIT, str(error))
    except UnknownPromptError as error:
        yield from _best_effort(made.disarm)
        return case.ended(ChangeState.FAILED, f"its dead-man's switch could not be armed: {error}")
    if problem:
        yield from _best_effort(made.disarm)
        return case.ended(ChangeState.FAILED, f"its dead-man's switch cannot be trusted: {problem}")
    return armed


def _unsound(case: _Case, made: Switch) -> Steps[str]:
    """What is wrong with a switch that was just armed; empty where nothing is."""
    if made.shows_kept is not None:
        kept = yield from do(Ask(made.shows_kept))
        if case.landmarks.of(kept) is not Standing.OLD:
            return "what it would bring back is not what the device has now."
    for _ in range(3):  # a timer of the operating system takes a moment to appear
        if (yield from _is_armed(made)) is not False:
            return ""
        yield Sleep((yield from do(Now())) + 0.2)
    return "the device does not show it as armed."


def _is_armed(made: Switch) -> Steps[bool | None]:
    """Whether the timer runs; None where the platform does not show it."""
    if made.looks is None:
        return None
    try:
        said = yield from do(Ask(made.looks))
    except RefusedLineError:
        return False
    return made.shows_armed(said)


def _best_effort(lines: tuple[Typed, ...]) -> Steps[bool]:
    """Type lines whose failure changes nothing; whether they were accepted."""
    try:
        yield Type(lines)
    except SessionError:
        return False
    return True


def _change(case: _Case, armed: _Armed | None) -> Steps[Ending]:
    """From the first line to the end, the dead-man armed."""
    yield from record("send", lines=len(case.change.commands))
    sent = False
    try:
        if (
            armed is None
        ):  # an armed device is changed, whatever the operator pressed meanwhile, or it reboots for nothing
            yield MayStart()
        yield Send(case.change.commands)
        sent = True
        yield from record("compare")
        running = yield from do(ReadRunning())
        if case.landmarks.of(running) is not Standing.NEW:
            return (yield from _undo(case, armed, "it reads back otherwise than predicted.", sent))
        yield from record("prove")
        try:
            yield Prove()
        except SessionError as error:
            return (yield from _undo(case, armed, f"no new login: {error}", sent))
        return (yield from _confirm(case, armed, running))
    except UnreachableError as error:
        return (yield from _settle(case, armed, str(error)))
    except (RefusedLineError, UnknownPromptError) as error:
        return (yield from _undo(case, armed, str(error), sent))


def _confirm(case: _Case, armed: _Armed | None, running: str, *, saving: bool = False) -> Steps[Ending]:
    """The device has the new configuration and let us in anew: check, disarm, save, compare.

    Raises (to its caller): SessionError.
    """
    yield from record("check")
    if complaint := (yield from do(RunChecks())):
        return (yield from _undo(case, armed, f"after the change {complaint}", sent=True, saving=saving))
    if armed is not None:
        if (yield from do(Now())) > armed.deadline - armed.margin_s and (
            yield from _is_armed(armed.switch)
        ) is not False:
            return (yield from _settle(case, armed, "it took too long; the dead-man decides.", saving=saving))
        yield from record("disarm")
        try:
            yield Type(armed.switch.disarm)
        except RefusedLineError:
            if armed.switch.looks is None and (yield from do(Now())) < armed.deadline:
                raise
        if (yield from _is_armed(armed.switch)):
            return (yield from _settle(case, armed, "its dead-man could not be disarmed.", saving=saving))
    yield from record("save")
    try:
        yield Save()
        yield from record("verify")
        saved = yield from do(ReadSaved())
        kept = (yield from do(ReadRunning())) if saved is None else saved
    except (RefusedLineError, UnknownPromptError) as error:
        return (yield from _undo(case, None, f"it could not be saved: {error}", sent=True, saving=True))
    except UnreachableError as error:
        return (yield from _settle(case, None, str(error), saving=True))
    if case.landmarks.of(kept) is not Standing.NEW:
        why = "after saving it does not have the new configuration."
        return (yield from _undo(case, None, why, sent=True, saving=True))
    return case.ended(ChangeState.CONFIRMED, "", running)


def _ways_back(case: _Case, running: str, sent: bool) -> list[tuple[str, ...]]:
    """Lines that lead from here to the configuration before, each proved on our model of the device."""
    platform = case.change.platform
    ways = [case.change.rollback] if sent else []
    with contextlib.suppress(CuntongError):
        ways.append(case.landmarks.way_back(running))
    good = []
    for way in filter(None, ways):
        with contextlib.suppress(CuntongError):
            if case.landmarks.of(predict(platform, running, way)) is Standing.OLD:
                good.append(way)
    return good


def _undo(case: _Case, armed: _Armed | None, reason: str, sent: bool, *, saving: bool = False) -> Steps[Ending]:
    """Back over the session that we still have; where that fails, the dead-man does it.

    Args:
        sent: every line of the change was accepted, so that its own way back fits.
        saving: the new configuration may have been saved: then the old one has to be saved over it.
    """
    yield from record("undo", reason=reason)
    running: str | None = None
    try:
        if armed is not None and armed.switch.restore:
            yield Type(armed.switch.restore)
        running = yield from do(ReadRunning())
        if case.landmarks.of(running) is not Standing.OLD:
            for way in _ways_back(case, running, sent):
                yield Send(way)
                running = yield from do(ReadRunning())
                if case.landmarks.of(running) is Standing.OLD:
                    break
        if case.landmarks.of(running) is Standing.OLD:
            return (yield from _stand_down(case, armed, reason, running, saving))
    except UnreachableError as error:
        return (yield from _settle(case, armed, f"{reason} Then {error}", saving=saving))
    except (RefusedLineError, UnknownPromptError) as error:
        reason = f"{reason} Going back: {error}"
    if armed is None:
        why = f"it stands between the old and the new configuration: {reason}"
        return Ending(ChangeState.NEEDS_VISIT, why, "" if running is None else case.print(running))
    return (yield from _settle(case, armed, reason, let_expire=True, saving=saving))


def _stand_down(case: _Case, armed: _Armed | None, reason: str, running: str, saving: bool) -> Steps[Ending]:
    """The device has the old configuration: what is armed would only bring the same again, at the cost of a reboot.

    Raises (to its caller): SessionError where the old configuration has to be saved again, and is not.
    """
    if armed is not None:
        yield from _best_effort(armed.switch.disarm)
    if saving:
        saved = yield from _is_saved(case)
        if saved is None:
            with contextlib.suppress(
                RefusedLineError
            ):  # it refused the new one likewise, so the old one is still there
                yield Save()
        elif not saved:
            yield Save()
            if not (yield from _is_saved(case)):
                raise RefusedLineError("save", "it still boots with another configuration than the one it runs")
    yield HangUp()
    return case.ended(ChangeState.ROLLED_BACK, reason, running)


def _is_saved(case: _Case) -> Steps[bool | None]:
    """Whether the old configuration is the saved one; None where the platform cannot show that."""
    saved = yield from do(ReadSaved())
    return None if saved is None else case.landmarks.of(saved) is Standing.OLD


def _settle(
    case: _Case, armed: _Armed | None, reason: str, *, let_expire: bool = False, saving: bool = False
) -> Steps[Ending]:
    """Find out how the device stands, and end it at the old or at the new configuration.

    Args:
        let_expire: the device stands between, and only its dead-man can help: do not touch it before the deadline.
        saving: the new configuration may have been saved.
    """
    yield from record("wait", reason=reason)
    yield HangUp()
    start = yield from do(Now())
    # As long as a dead-man and a boot take, armed or not: a line that is away that long is not worth a visit yet. And
    # counted from when the device was last there: one that came back and is cut off again was not lost meanwhile.
    patience_s = case.change.minutes * case.router.minute_s + case.router.boot_s
    give_up, at_last = start + patience_s, start + _RETURNS * patience_s
    wake = armed.deadline if armed is not None and let_expire else start
    last = "it does not answer."
    while True:
        now = yield from do(Now())
        if now > give_up:
            return Ending(ChangeState.LOST, f"{reason} Since then {last}")
        if wake > now:
            yield Sleep(wake)
        try:
            by_second = yield from do(Open(any_path=True))
            give_up = min((yield from do(Now())) + patience_s, at_last)
            running = yield from do(ReadRunning())
            shown = None if armed is None else (yield from _is_armed(armed.switch))
            now = yield from do(Now())
            standing = case.landmarks.of(running)
            if standing is Standing.OLD:
                if armed is not None:  # whether it runs or not: what it put into the configuration has to go
                    yield from _best_effort(armed.switch.disarm)
                    armed = None
                    # A line that was under way when we lost the session may have arrived after our reading.
                    running = yield from do(ReadRunning())
                    if case.landmarks.of(running) is not Standing.OLD:
                        continue
                return (yield from _stand_down(case, None, reason, running, saving))
            ticking, over = armed is not None and now < armed.deadline - armed.margin_s, armed is None
            if armed is not None:
                # Where the timer cannot be seen, going back is given half the boot budget to begin and to end.
                quiet_s = case.router.boot_s / 2 if shown is None else case.router.retry_s
                over = (shown is False and ticking) or (shown is not True and now > armed.deadline + quiet_s)
            if over and armed is not None:
                yield from _best_effort(armed.switch.disarm)
            if standing is Standing.NEW and not by_second and not let_expire and (over or ticking):
                return (yield from _confirm(case, None if over else armed, running, saving=saving))
            if over:
                return (yield from _undo(case, None, reason, standing is Standing.NEW, saving=saving))
            assert armed is not None  # noqa: S101  over otherwise
            wake = armed.deadline if now < armed.deadline else now + case.router.retry_s
            yield HangUp()
        except SessionError as error:
            last = str(error)
            now = yield from do(Now())
            if isinstance(error, UnreachableError) and error.let_in:
                give_up = min(now + patience_s, at_last)
            wake = now + case.router.retry_s
