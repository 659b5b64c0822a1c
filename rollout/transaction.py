"""One change of one device, carried out: performs what `rollout.course` decides, over real sessions.

    outcome = transact(change, router, run)     # from the beginning
    outcome = resolve(change, router, run)      # after the controller that began it died, if it `touched` the device
    text = read_running(router)                 # plans, backups, drift: read-only

At most two sessions are open at a time: the one that changes, and the new login that proves it.
"""

import contextlib
import logging
import re
import time
from collections.abc import Generator, Iterator
from itertools import pairwise
from typing import Any, Final

from inventory.errors import CuntongError
from ledger.errors import FencedError
from rollout import actions, course
from rollout.actions import Action, Ending, Steps
from rollout.change import Change, ChangeState, Outcome
from rollout.deadman import Typed, without_own
from rollout.errors import RefusedLineError, RolloutError, SessionError, UnreachableError
from rollout.router import Router
from rollout.session import REFERENCE, Session, connect
from rollout.watch import Watchman

touched = course.touched
log = logging.getLogger(__name__)
_SENDS: Final = (actions.Type, actions.Send, actions.Save)


def read_running(router: Router) -> str:
    """The running configuration, raw, over a session of its own.

    Raises:
        SessionError: unreachable, not let in, another host key, or a refusal.
    """
    with connect(router) as session:
        return without_own(session.running())


def read_both(router: Router) -> tuple[str, str | None]:
    """The running configuration, and the saved one (None where that cannot be shown). Raises as `read_running`."""
    with connect(router) as session:
        return without_own(session.running()), session.saved_if_shown()


def transact(change: Change, router: Router, run: Watchman) -> Outcome:
    """Make a change, or come back.

    Everything foreseen ends as an outcome. ``confirmed`` is said only after a new login, the service checks, the
    saving and an empty difference; ``failed``, ``stale`` and ``needs_visit`` with nothing sent.

    Raises:
        FencedError: this worker may not act nor write any more. The dead-man, or `resolve` by whoever took over,
            settles the device.
    """
    return _carry_out(change, router, run, resuming=False)


def resolve(change: Change, router: Router, run: Watchman) -> Outcome:
    """End what an interrupted controller began: find out what the device is, then confirm it or see it go back.

    Raises:
        FencedError: as `transact`.
    """
    return _carry_out(change, router, run, resuming=True)


def _carry_out(change: Change, router: Router, run: Watchman, *, resuming: bool) -> Outcome:
    hands = _Hands(router, run)
    try:
        with run.lock():
            if resuming:
                steps = course.resume(change, router, run.recorded(), run.kept_backup())
            else:
                steps = course.forward(change, router)
            ending = _drive(steps, hands)
    except FencedError:
        raise
    except CuntongError as error:
        ending = Ending(ChangeState.NEEDS_VISIT if hands.sent else ChangeState.FAILED, str(error))
    finally:
        hands.close()
    return Outcome(change.device, ending.state, hands.masked(ending.reason), ending.fingerprint, hands.steps())


def _drive(steps: Steps[Ending], hands: "_Hands") -> Ending:
    """Perform each action and hand its result, or its error, to the course."""
    running: Generator[Action[Any], Any, Ending] = steps
    try:
        action = next(running)
        while True:
            try:
                result = hands.perform(action)
            except SessionError as error:
                # The course keeps the last of these at most; who asks why a device was lost wants them all.
                log.debug("%s, %s: %s", hands.device, type(action).__name__, hands.masked(str(error)))
                action = running.throw(error)
            else:
                action = running.send(result)
    except StopIteration as stop:
        ending: Ending = stop.value
        return ending
    finally:
        running.close()


class _Hands:
    """Performs actions: the only part of a transaction that knows sessions, clocks and the watchman."""

    def __init__(self, router: Router, run: Watchman) -> None:
        self._router, self._run = router, run
        self._session: Session | None = None
        self._opened: dict[str, str] = {}
        self._begun: list[tuple[str, float]] = []
        self.sent = False

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    @property
    def device(self) -> str:
        return self._router.device

    def steps(self) -> tuple[tuple[str, float], ...]:
        """Each step with its seconds."""
        ended = ("", time.monotonic())
        return tuple((name, end - began) for (name, began), (_, end) in pairwise([*self._begun, ended]))

    def masked(self, text: str) -> str:
        """A text without the secrets that were opened."""
        for secret in sorted(self._opened.values(), key=len, reverse=True):
            text = text.replace(secret, "<secret>")
        return text

    def perform(self, action: Action[Any]) -> Any:
        """Do one thing; what it gives back is stated with the action.

        Raises:
            SessionError: for the course to judge.
            FencedError: not any more.
        """
        if isinstance(action, _SENDS):
            self._run.may_go_on()
        match action:
            case actions.Record(name, detail):
                self._run.step(name, detail)
                self._begun.append((name, time.monotonic()))
            case actions.MayStart():
                self._run.may_start()
            case actions.Open(any_path):
                return self._open(any_path)
            case actions.TrySecondPath():
                connect(self._router, second_path=True).close()
            case actions.Prove():
                fresh = connect(self._router)
                self.close()
                self._session = fresh
            case actions.HangUp():
                self.close()
            case actions.ReadRunning():
                return without_own(self._live.running())
            case actions.ReadSaved():
                return self._live.saved()
            case actions.Ask(command):
                return self._live.ask(command)
            case actions.Type(lines):
                self._type(lines)
            case actions.OpenSecrets(lines):
                for reference in sorted({word for line in lines for word in REFERENCE.findall(line)}):
                    self._opened[reference] = self._open_secret(reference)
            case actions.Send(lines):
                self._send(lines)
            case actions.Save():
                self._live.save()
            case actions.KeepBackup(text):
                try:
                    self._run.keep_backup(text)
                except OSError as error:
                    raise RolloutError(
                        f"{self._router.device}: its backup could not be kept ({error.strerror or error}); nothing was "
                        "sent. Make room, then apply again."
                    ) from None
            case actions.RunChecks():
                return next((said for check in self._run.checks if (said := check(self._live))), None)
            case actions.Now():
                return time.time()
            case actions.Sleep(until):
                time.sleep(max(until - time.time(), 0))
            case _:
                raise TypeError(f"{action!r} is no action that can be performed")
        return None

    @property
    def _live(self) -> Session:
        if self._session is None:
            raise UnreachableError(f"{self._router.device}: there is no session any more.")
        return self._session

    def _open(self, any_path: bool) -> bool:
        self.close()
        try:
            self._session = connect(self._router)
        except SessionError:
            if not any_path or self._router.second_path is None:
                raise
            self._session = connect(self._router, second_path=True)
            return True
        return False

    def _type(self, lines: tuple[Typed, ...]) -> None:
        session = self._live
        with _left_at_the_prompt(session):
            for typed in lines:
                self._run.may_go_on()
                if not typed.configuration:
                    said = session.ask(typed.line)
                    if typed.refused_if and (no := re.search(typed.refused_if, said)):
                        raise RefusedLineError(typed.line, no[0].strip())
                    continue
                if not session.configuring:
                    session.enter_configuration()
                session.configure(typed.line)

    def _send(self, lines: tuple[str, ...]) -> None:
        session = self._live
        with _left_at_the_prompt(session):
            session.enter_configuration()
            for line in lines:
                self._run.may_go_on()
                self.sent = True
                session.configure(line, REFERENCE.sub(lambda found: self._plain(found[0]), line))

    def _plain(self, reference: str) -> str:
        if reference not in self._opened:
            self._opened[reference] = self._open_secret(reference)
        return self._opened[reference]

    def _open_secret(self, reference: str) -> str:
        opened = self._run.open_secret(reference)
        if not opened or any(character.isspace() or not character.isprintable() for character in opened):
            raise CuntongError(
                f"The secret {reference} is empty or holds a blank; a device would read it as two words."
            )
        return opened


@contextlib.contextmanager
def _left_at_the_prompt(session: Session) -> Iterator[None]:
    """Leave the configuration mode afterwards; not where the session is lost or this worker was fenced."""
    try:
        yield
    except UnreachableError:
        raise
    except SessionError:
        with contextlib.suppress(SessionError):
            session.leave_configuration()
        raise
    session.leave_configuration()
