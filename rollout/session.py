"""One terminal session with one device: type a line, read to the prompt, know what was refused or asked.

How the end of an answer is known. First the echo of what was typed must appear (so a stale prompt cannot be taken
for the answer), then a last line that is the prompt of *this* device. Silence is never an end; it is the loss of the
session. What arrives is judged by its last, unfinished line only: a ``[Y/N]`` inside a banner or a description is
followed by a line end and asks nothing.

Nothing of a session is written to disk. Opened secrets are masked in every text and error that leaves it.
"""

import contextlib
import re
from enum import Enum
from types import TracebackType
from typing import Final, NoReturn, Self

import paramiko

from rollout.drivers import DRIVERS
from rollout.errors import LoginError, RefusedLineError, SessionError, UnknownPromptError, UnreachableError
from rollout.prompts import answer, login_answer, looks_like_a_question
from rollout.router import Router
from rollout.transport import dial

MASK: Final = "<secret>"
REFERENCE: Final = re.compile(r"secret://\S+")
_TAIL: Final = 4096
"""Bytes at the end of what was heard that are searched for a prompt or a question."""
_ESCAPES: Final = re.compile(
    r" \x1b\[\d+D"  # VRP: a blank, and the cursor back over it
    r"|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[()][0-9A-B]|\x1b[=>E]|[\x00\x07]"
)
_NO_BLANKS: Final = str.maketrans("", "", " \t\r\n\b")


def _clean(text: str) -> str:
    r"""Without escape codes, characters rubbed out and carriage returns; line ends are \n."""
    if "\x1b" in text or "\x07" in text or "\x00" in text:
        text = _ESCAPES.sub("", text)
    while "\b" in text:
        shorter = re.sub(r"[^\n\b]\x08|^\x08+", "", text, flags=re.MULTILINE)
        if shorter == text:
            break
        text = shorter
    return re.sub(r"\r+\n|\n\r", "\n", text).replace("\r", "")


def _decode(heard: bytes) -> str:
    try:
        return heard.decode("utf-8")
    except UnicodeDecodeError:
        return heard.decode("gb18030", "replace")  # descriptions typed at a Chinese terminal


def _after_echo(text: str, typed: str) -> str | None:
    """What follows the echo; None while it has not come whole. Terminals wrap and pad it, so blanks do not count."""
    want = typed.translate(_NO_BLANKS)
    if not want:
        return text
    place = 0
    for index, character in enumerate(text[: len(typed) * 2 + _TAIL]):
        if character in " \t\r\n\b":
            continue
        if character == want[place]:
            place += 1
            if place == len(want):
                return text[index + 1 :]
        else:
            place = 1 if character == want[0] else 0
    return None


class Where(Enum):
    """Which prompt we see."""

    OUTSIDE = "outside"
    """The one we logged in to; reading commands are typed here."""
    BETWEEN = "between"
    """Past it, and not in configuration mode: vtysh above a shell."""
    CONFIGURATION = "configuration"


class Session:
    """An open session. Not thread-safe: one thread talks to one device.

    Every method raises `UnreachableError` when the session is lost; after that only `close` is of use.
    """

    def __init__(self, router: Router, *, second_path: bool = False) -> None:
        self.router = router
        self.driver = DRIVERS[router.platform]
        self._where = Where.OUTSIDE
        self._masks = {word for word in (router.password, router.enable) if word}
        self._names: set[str] = set()
        self._shell: str | None = None
        self._connection = dial(router, self.driver.netmiko, second_path=second_path)
        self._channel: paramiko.Channel = self._connection.remote_conn
        try:
            self._login()
        except UnreachableError as error:
            self.close()
            raise UnreachableError(str(error), let_in=True) from None
        except SessionError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up. Never raises, and types nothing: the device must not see a goodbye as a command."""
        self._connection.disconnect()

    # What callers say

    def ask(self, command: str) -> str:
        """Type one command outside the configuration; its output without echo and prompt.

        Raises:
            RefusedLineError: the device does not know the command, or not from us.
            UnknownPromptError: it asked what no table answers.
        """
        self.leave_configuration()
        return self._type(command, command)

    @property
    def configuring(self) -> bool:
        """Whether we are in configuration mode."""
        return self._where is Where.CONFIGURATION

    def enter_configuration(self) -> None:
        """Go to configuration mode.

        Raises:
            RefusedLineError: it does not let us.
        """
        for template in self.driver.enter:
            command = template.format(mark=self.driver.mark.format(controller=self.router.controller))
            said = self._type(command, command)
        if not self.configuring:
            raise RefusedLineError(self.driver.enter[-1], self._masked(said).strip() or "no configuration mode")

    def leave_configuration(self) -> None:
        """Back to where reading commands are known. Does nothing where we already are there."""
        match self._where:
            case Where.CONFIGURATION:
                steps = self.driver.leave
            case Where.BETWEEN:
                steps = self.driver.leave[1:]
            case Where.OUTSIDE:
                steps = ()
        for command in steps:
            self._type(command, command)

    def configure(self, line: str, plain: str | None = None) -> None:
        """Type one line of configuration.

        Args:
            plain: the line with its secrets opened; ``line``, with references, is what errors show.

        Raises:
            RefusedLineError: refused, or it led out of the configuration mode.
            UnknownPromptError: it asked what no table answers; the answer was ``N``.
        """
        plain = line if plain is None else plain
        for reference, opened in zip(line.split(), plain.split(), strict=False):
            if reference != opened:
                self._masks.add(opened)
        self._type(plain, line)
        if not self.configuring:
            raise RefusedLineError(line, "it leads out of the configuration mode")

    def save(self) -> None:
        """Make the running configuration the saved one.

        Raises:
            RefusedLineError: the device did not say that it saved.
        """
        said = self.ask(self.driver.save)
        if self.driver.saved_ok is not None and not self.driver.saved_ok.search(said):
            raise RefusedLineError(self.driver.save, self._masked(said).strip() or "nothing")

    def running(self) -> str:
        """The running configuration, as the device prints it."""
        return self.ask(self.driver.running)

    def saved(self) -> str | None:
        """The configuration it would boot with; None where the platform cannot show it."""
        return None if self.driver.saved is None else self.ask(self.driver.saved)

    def saved_if_shown(self) -> str | None:
        """As `saved`, and where that is None by a command that not every release knows; None where it refuses."""
        if self.driver.saved is not None or self.driver.saved_perhaps is None:
            return self.saved()
        try:
            return self.ask(self.driver.saved_perhaps)
        except RefusedLineError:
            return None

    # How it is done

    def _login(self) -> None:
        heard, answered = b"", 0
        while True:
            heard += self._receive("login")
            text = _clean(_decode(heard[answered:]))
            waiting = text.rpartition("\n")[2].strip()
            if waiting and self._is_first_prompt(waiting):
                break
            reply = login_answer(self.router.platform, text) if waiting else None
            if reply is not None:
                answered = len(heard)
                self._write(reply + "\n")
        if self._shell is not None:
            self._type("", "an empty line")  # a message of the day may end like a prompt; a prompt comes twice
        if self.driver.enable is not None and waiting.endswith(">"):
            self._enable(self.driver.enable)
        for command in self.driver.after_login:
            with contextlib.suppress(RefusedLineError):  # a release without it: what it prevents shows when we read
                self._type(command, command)

    def _enable(self, command: str) -> None:
        self._write(command + "\n")
        heard, lines = b"", 2  # the echo's line, then the answer
        while True:
            heard += self._receive(command)
            text = _clean(_decode(heard))
            waiting = text.rpartition("\n")[2].strip()
            if re.search(r"[Pp]assword:?$", waiting):
                if self.router.enable is None:
                    raise LoginError(f"{self.router.device} wants an enable secret, and the inventory names none.")
                self._write(self.router.enable + "\n")
                heard = b""
            elif text.count("\n") + 1 >= lines and self._prompt(waiting) is not None:
                if waiting.endswith("#"):
                    return
                raise LoginError(f"{self.router.device} does not take the enable secret of the inventory.")

    def _is_first_prompt(self, line: str) -> bool:
        match = None if self.driver.not_prompt.fullmatch(line) else self.driver.prompt.fullmatch(line)
        if match is None:
            return False
        if "shell" in match.groupdict():
            self._shell = line
        else:
            self._names = {match["name"]} if match["name"] else set()
        return True

    def _prompt(self, line: str) -> Where | None:
        """Which of this device's prompts a line is; None where it is none."""
        line = line.strip()
        if self._shell is not None and line == self._shell:
            return Where.OUTSIDE
        match = None if self.driver.not_prompt.fullmatch(line) else self.driver.prompt.fullmatch(line)
        if match is None:
            return None
        groups = match.groupdict()
        outside = Where.OUTSIDE
        if "shell" in groups:
            if groups["name"] is None:
                return None
            outside = Where.BETWEEN
            self._names = {groups["name"]}
        name, inside = groups["name"] or "", groups.get("name_in") or ""
        if any(known in (name, inside) or inside.startswith(known + "-") for known in self._names):
            return Where.CONFIGURATION if groups["config"] is not None else outside
        return None

    def _split(self, text: str) -> tuple[str, str, Where] | None:
        """What was said, the prompt behind it, and which one it is; None before it."""
        body, _, line = text.rpartition("\n")
        if not line.strip():  # a log line may have been printed behind the prompt
            lines = text.split("\n")
            logged = False
            while len(lines) > 1 and (not lines[-1].strip() or lines[-1].lstrip().startswith(("%", "*"))):
                logged |= bool(lines.pop().strip())
            if not logged:
                return None
            body, line = "\n".join(lines[:-1]), lines[-1]
        where = self._prompt(line)
        return None if where is None else (body, line, where)

    def _type(self, typed: str, shown: str) -> str:
        """Type a line and read to the prompt; ``shown`` is what may be told of it.

        A line with line ends in it (a banner and its text) gives one prompt, and its echo is mixed with what the
        device says meanwhile: there the echo of the first line has to do.
        """
        echo = typed.partition("\n")[0]
        renamed = self.driver.renames.fullmatch(typed) if self.driver.renames and self.configuring else None
        if renamed:
            self._names.add(renamed[1])
        self._write(typed + "\n")
        heard, answered = b"", 0
        text: str | None = None
        while True:
            waiting = text.rpartition("\n")[2].strip() if text is not None else ""
            asks = bool(waiting) and looks_like_a_question(waiting)
            more = self._hear(min(self.router.silence_s / 3, 10.0) if asks else self.router.silence_s, shown)
            if more is None and asks:
                self._decline(waiting)
            heard += more if more is not None else self._silent(shown)
            text = self._since(heard, answered, echo)
            if text is None:
                continue
            if (ended := self._split(text)) is not None:
                break
            waiting = text.rpartition("\n")[2].strip()
            if waiting and looks_like_a_question(waiting):
                reply = answer(self.router.platform, typed.strip(), text)
                if reply is not None:
                    answered, text = len(heard), None
                    self._write(reply + "\n")
        _, prompt, self._where = ended
        if renamed:
            self._names = {name for name in self._names if name in prompt}
        whole = _after_echo(_clean(_decode(heard)), echo) or ""
        split = self._split(whole)
        body = (split[0] if split is not None else whole).removeprefix("\n")
        if refused := self.driver.refused.search(body):
            raise RefusedLineError(shown.strip(), self._masked(refused.group(0)).strip())
        return body

    @staticmethod
    def _since(heard: bytes, answered: int, typed: str) -> str | None:
        """What is to be judged: since our answer, or since the echo; of much, the end. None before the echo."""
        if answered:
            return _clean(_decode(heard[answered:][-_TAIL:]))
        if len(heard) > 4 * _TAIL:
            return _clean(_decode(heard[-_TAIL:]))
        return _after_echo(_clean(_decode(heard)), typed)

    def _decline(self, waiting: str) -> NoReturn:
        try:
            self._write("N\n")
            heard = b""
            while (ended := self._split(_clean(_decode(heard[-_TAIL:])))) is None:
                heard += self._receive("N")
            self._where = ended[2]
        except UnreachableError:
            # Not back at the prompt: whatever we typed next would be an answer. The line may be gone already.
            with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
                self._channel.close()
        raise UnknownPromptError(self._masked(waiting))

    def _masked(self, text: str) -> str:
        for secret in sorted(self._masks, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text

    def _write(self, text: str) -> None:
        try:
            self._channel.settimeout(self.router.silence_s)
            self._channel.sendall(text.encode())
        except (OSError, EOFError, paramiko.SSHException):
            raise UnreachableError(f"{self.router.device}: the line is cut.") from None

    def _receive(self, doing: str) -> bytes:
        heard = self._hear(self.router.silence_s, doing)
        return heard if heard is not None else self._silent(doing)

    def _hear(self, patience_s: float, doing: str) -> bytes | None:
        """What arrives next; None when nothing does."""
        try:
            self._channel.settimeout(patience_s)
            heard: bytes = self._channel.recv(65536)
        except TimeoutError:
            return None
        except (OSError, EOFError, paramiko.SSHException):
            heard = b""
        if not heard:
            raise UnreachableError(f"{self.router.device}: the session was cut after {self._masked(doing).strip()!r}.")
        return heard

    def _silent(self, doing: str) -> NoReturn:
        raise UnreachableError(f"{self.router.device}: it went silent after {self._masked(doing).strip()!r}.")


def connect(router: Router, *, second_path: bool = False) -> Session:
    """A session at the prompt, paging off.

    Raises:
        UnreachableError, LoginError, HostKeyError: see `rollout.errors`.
    """
    return Session(router, second_path=second_path)
