"""The session against a scripted terminal over real SSH: what ends an answer, what is a question, what is refused."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import asyncssh
import pytest

from rollout.errors import HostKeyError, LoginError, RefusedLineError, UnknownPromptError, UnreachableError
from rollout.platform import Platform
from rollout.router import Router
from rollout.session import MASK, connect

PASSWORD = "correct-horse"  # noqa: S105
HANG, CLOSE = "\x00hang", "\x00close"
Script = Callable[[str], list[str | float]]
"""A typed line in; texts to print and seconds to wait out. `HANG` and `CLOSE` are what they say."""

KEY = asyncssh.generate_private_key("ssh-ed25519")
OTHER = asyncssh.generate_private_key("ssh-ed25519")


def public(key: asyncssh.SSHKey) -> str:
    return key.export_public_key().decode().strip()


class Terminal(asyncssh.SSHServer):
    def __init__(self, open_ones: list[asyncssh.SSHServerConnection]) -> None:
        self._open = open_ones

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._open.append(conn)

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("ops", PASSWORD)


@contextmanager
def terminal(platform: Platform, greeting: list[str | float], script: Script, **more: object) -> Iterator[Router]:
    """A device that greets, echoes each line and answers it by the script; its end of the wire is a real SSH server."""
    loop, ready, port = asyncio.new_event_loop(), threading.Event(), 0
    stop = asyncio.Event()
    open_ones: list[asyncssh.SSHServerConnection] = []

    async def say(process: asyncssh.SSHServerProcess[str], parts: list[str | float]) -> bool:
        for part in parts:
            if part == HANG:
                await stop.wait()
            elif part == CLOSE:
                process.exit(0)
                return False
            elif isinstance(part, float):
                await asyncio.sleep(part)
            else:
                process.stdout.write(str(part).replace("\n", "\r\n"))
        return True

    async def serve(process: asyncssh.SSHServerProcess[str]) -> None:
        if not await say(process, greeting):
            return
        async for typed in process.stdin:
            if not typed.endswith("\n"):
                return  # the other end hung up
            line = typed.rstrip("\r\n")
            if not await say(process, [line + "\n", *script(line)]):
                return

    async def main() -> None:
        nonlocal port
        server = await asyncssh.listen(
            "127.0.0.1", 0, server_factory=lambda: Terminal(open_ones), process_factory=serve, server_host_keys=[KEY],
            line_editor=False, encoding="utf-8",
        )  # fmt: skip
        port = server.get_port()
        ready.set()
        await stop.wait()
        server.close()
        for connection in open_ones:
            connection.abort()
            await connection.wait_closed()
        await server.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()))
    thread.start()
    try:
        assert ready.wait(10)
        fields: dict[str, object] = {
            "password": PASSWORD,
            "silence_s": 1.5,
            "connect_s": 5.0,
            "host_keys": (public(KEY),),
            **more,
        }
        yield replace(Router("r1", platform, "127.0.0.1", "ops", port), **fields)  # type: ignore[arg-type]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def vrp(line: str) -> list[str | float]:
    """Enough of a router: two views, a description, one refusal."""
    match line:
        case "system-view":
            return ["Enter system view, return user view with Ctrl+Z.\n[R1]"]
        case "return" | "screen-length 0 temporary":
            return ["<R1>"]
        case "interface GigabitEthernet0/0/0":
            return ["[R1-GigabitEthernet0/0/0]"]
        case "nonsense":
            return ["          ^\nError: Unrecognized command found at '^' position.\n[R1]"]
        case "sysname R2":
            return ["[R2]"]
        case "display current-configuration":
            return ["[V200R010C00SPC600]\n#\n sysname R1\n#\nreturn\n<R1>"]
    return ["[R1]"]


def test_an_answer_ends_at_the_prompt_of_this_device_and_comes_without_echo_and_prompt() -> None:
    with terminal(Platform.VRP, ["Welcome\n<R1>"], vrp) as router, connect(router) as session:
        assert session.running() == "[V200R010C00SPC600]\n#\n sysname R1\n#\nreturn"


def test_a_version_line_that_looks_like_a_prompt_ends_nothing_even_if_the_rest_comes_late() -> None:
    def slow(line: str) -> list[str | float]:
        if line.startswith("display"):
            return ["[V200R010C00SPC600]", 0.4, "\n#\n", " descr", 0.2, "iption <R1>", 0.3, "\n<R1>"]
        return vrp(line)

    with terminal(Platform.VRP, ["<R1>"], slow) as router, connect(router) as session:
        assert session.running() == "[V200R010C00SPC600]\n#\n description <R1>"


def test_a_prompt_changes_with_the_name_of_the_device() -> None:
    with terminal(Platform.VRP, ["<R1>"], vrp) as router, connect(router) as session:
        session.enter_configuration()
        session.configure("sysname R2")
        with pytest.raises(UnreachableError, match="silent"):  # it goes on as R1 in this script: no prompt of ours
            session.configure("interface GigabitEthernet0/0/0")


def test_a_refused_line_is_named_with_what_the_device_said() -> None:
    with terminal(Platform.VRP, ["<R1>"], vrp) as router, connect(router) as session:
        session.enter_configuration()
        with pytest.raises(RefusedLineError) as refusal:
            session.configure("nonsense")
        assert (refusal.value.line, refusal.value.said) == (
            "nonsense", "Error: Unrecognized command found at '^' position.",
        )  # fmt: skip
        session.configure("interface GigabitEthernet0/0/0")
        session.leave_configuration()


@pytest.mark.parametrize(
    ("platform", "prompt", "said"),
    [
        (Platform.VRP, "[R1]", "Error: Wrong parameter found at '^' position."),
        (Platform.VRP, "[R1]", "Error:Too many parameters found at '^' position."),
        (Platform.VRP, "[R1]", "Error: The rule already exists."),
        (Platform.COMWARE, "[R1]", " % Incomplete command found at '^' position."),
        (Platform.COMWARE, "[R1]", " % Unrecognized command found at '^' position."),
        (Platform.RGOS, "R1(config)#", "% Invalid input detected at '^' marker."),
        (Platform.RGOS, "R1(config)#", "% User doesn't have sufficient privilege to execute this command."),
        (Platform.FRR, "R1(config)# ", "% Unknown command: foo"),
        (Platform.FRR, "R1(config)# ", "% Refusing to remove a non-existent route"),
    ],
)
def test_each_platform_has_its_words_for_no(platform: Platform, prompt: str, said: str) -> None:
    first = {Platform.RGOS: "R1#", Platform.FRR: "root@R1:~# "}.get(platform, "<R1>")

    def script(line: str) -> list[str | float]:
        if line == "bad":
            return [f"   ^\n{said}\n{prompt}"]
        if line == "":
            return [first]
        return [
            prompt if line in ("system-view", "configure terminal") else "R1# " if line.startswith("vtysh") else first
        ]

    with terminal(platform, [first], script) as router, connect(router) as session:
        session.enter_configuration()
        with pytest.raises(RefusedLineError) as refusal:
            session.configure("bad")
        assert refusal.value.said == said.strip()


@pytest.mark.parametrize(
    ("platform", "first", "prompt", "said"),
    [
        (Platform.VRP, "<R1>", "[R1]", "Info: This operation may take a while."),
        (Platform.VRP, "<R1>", "[R1]", "Warning: The configuration is not safe."),
        (Platform.COMWARE, "<R1>", "[R1]", "Warning: The setting takes effect at once."),
        (Platform.RGOS, "R1#", "R1(config)#", "%LINK-3-UPDOWN: Interface GigabitEthernet 0/1, changed state to up"),
    ],
)
def test_notes_and_log_lines_are_no_refusal(platform: Platform, first: str, prompt: str, said: str) -> None:
    def script(line: str) -> list[str | float]:
        if line == "good":
            return [f"{said}\n{prompt}"]
        return [prompt if line in ("system-view", "configure terminal") else first]

    with terminal(platform, [first], script) as router, connect(router) as session:
        session.enter_configuration()
        session.configure("good")


def test_a_log_line_printed_behind_the_prompt_does_not_hide_it() -> None:
    def script(line: str) -> list[str | float]:
        return ["R1#", "\n%LINK-3-UPDOWN: changed state to up\n"]

    with terminal(Platform.RGOS, ["R1#"], script) as router, connect(router) as session:
        assert session.ask("show clock") == ""


def test_a_banner_of_several_lines_is_one_line_of_configuration_with_one_prompt() -> None:
    typed: list[str] = []

    def script(line: str) -> list[str | float]:
        typed.append(line)
        if line.startswith("header"):
            return ["Info: The text ends with '%'.\n"]
        return [] if line in ("Authorised use only.", "Really? [Y/N]:") else vrp(line)

    with terminal(Platform.VRP, ["<R1>"], script) as router, connect(router) as session:
        session.enter_configuration()
        session.configure("header login information %\nAuthorised use only.\nReally? [Y/N]:\n%")
        session.configure("interface GigabitEthernet0/0/0")
    assert typed[-5:-1] == ["header login information %", "Authorised use only.", "Really? [Y/N]:", "%"]


def test_a_question_in_the_table_is_answered_and_another_gets_no() -> None:
    typed: list[str] = []

    def script(line: str) -> list[str | float]:
        typed.append(line)
        match line:
            case "undo ospf 1":
                return ["Warning: The OSPF process will be deleted. Continue? [Y/N]:"]
            case "undo aaa":
                return ["Warning: All users will be removed. Continue? [Y/N]:"]
            case "Y" | "N":
                return ["[R1]"]
        return vrp(line)

    with terminal(Platform.VRP, ["<R1>"], script) as router, connect(router) as session:
        session.enter_configuration()
        session.configure("undo ospf 1")
        with pytest.raises(UnknownPromptError) as stop:
            session.configure("undo aaa")
        assert stop.value.question == "Warning: All users will be removed. Continue? [Y/N]:"
        session.configure("interface GigabitEthernet0/0/0")
    assert typed[-5:] == ["undo ospf 1", "Y", "undo aaa", "N", "interface GigabitEthernet0/0/0"]


def test_a_question_inside_a_banner_a_description_or_an_output_asks_nothing() -> None:
    typed: list[str] = []
    text = "header shell information %\nReally enter? [Y/N]"

    def script(line: str) -> list[str | float]:
        typed.append(line)
        if line.startswith("display"):
            return [text, 0.3, ":\n%\n<R1>"]
        return vrp(line)

    with terminal(Platform.VRP, ["Authorised? [Y/N]:", 0.2, "\n<R1>"], script) as router, connect(router) as session:
        assert session.running() == text + ":\n%"
        session.enter_configuration()
        session.configure("description save? [Y/N]:")
    assert "N" not in typed
    assert "Y" not in typed


@pytest.mark.parametrize(
    ("platform", "question", "reply"),
    [
        (Platform.VRP, "Warning: The initial password poses security risks.\nChange now? [Y/N]:", "N"),
        (Platform.VRP, "There are security risks in the configuration file. Save? [Y/N]:", "N"),
        (Platform.COMWARE, "Press Y or ENTER to continue, N to exit.", ""),
        (Platform.RGOS, "Do you want to change the password? [y/n]:", "n"),
    ],
)
def test_questions_at_login_change_nothing(platform: Platform, question: str, reply: str) -> None:
    prompt, typed = "R1#" if platform is Platform.RGOS else "<R1>", list[str]()

    def script(line: str) -> list[str | float]:
        typed.append(line)
        return [prompt]

    with terminal(platform, [question], script) as router, connect(router):
        assert typed[0] == reply


def test_a_device_that_goes_silent_is_lost_and_one_that_is_only_slow_is_not() -> None:
    def script(line: str) -> list[str | float]:
        if line == "display slow":
            return [part for number in range(8) for part in (f"line {number}\n", 0.4)] + ["<R1>"]
        return ["half a line", HANG] if line == "display dead" else ["<R1>"]

    with terminal(Platform.VRP, ["<R1>"], script) as router, connect(router) as session:
        assert len(session.ask("display slow").splitlines()) == 8  # 3.2 s in all, never 1.5 s of silence
        with pytest.raises(UnreachableError, match="r1: it went silent after 'display dead'"):
            session.ask("display dead")


def test_a_cut_session_says_so() -> None:
    with terminal(Platform.VRP, ["<R1>"], lambda line: [CLOSE] if line == "reboot" else ["<R1>"]) as router:
        session = connect(router)
        with pytest.raises(UnreachableError, match="cut"):
            session.ask("reboot")
        with pytest.raises(UnreachableError):
            session.ask("display clock")
        session.close()


def test_a_login_that_ends_in_silence_says_that_the_device_was_there() -> None:
    with terminal(Platform.VRP, ["<R1>"], lambda line: [HANG]) as router, pytest.raises(UnreachableError) as silent:
        connect(router)
    assert silent.value.let_in
    with pytest.raises(UnreachableError) as away:
        connect(router)  # nobody listens there any more
    assert not away.value.let_in


def test_descriptions_in_the_charset_of_old_terminals_are_read() -> None:
    # asyncssh writes text: the bytes of GB 18030 are smuggled as latin-1 by a server that encodes so.
    with (
        terminal(Platform.VRP, ["<R1>"], lambda line: [" description 村委会\n<R1>"]) as router,
        connect(router) as session,
    ):
        assert session.ask("display this") == " description 村委会"


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"password": "wrong"}, LoginError, "does not let 'ops' in"),
        ({"password": None}, LoginError, "has no credential"),
        ({"private_key": "nonsense"}, LoginError, "private key"),
        ({"host_keys": (public(OTHER),)}, HostKeyError, "another host key"),
        ({"host_keys": ()}, HostKeyError, "none is known"),
        ({"host_keys": (f"r1,127.0.0.1 {public(OTHER)} old box",)}, HostKeyError, "another host key"),
        ({"port": 1}, UnreachableError, "does not answer at 127.0.0.1:1"),
    ],
)
def test_each_way_not_to_get_in_is_one_clear_line(
    change: dict[str, object], error: type[Exception], words: str
) -> None:
    with terminal(Platform.VRP, ["<R1>"], vrp) as router, pytest.raises(error, match=words) as refusal:
        connect(replace(router, **change))  # type: ignore[arg-type]
    assert "\n" not in str(refusal.value)
    assert PASSWORD not in str(refusal.value)


def test_a_key_among_several_known_ones_is_enough_and_host_names_are_not_read() -> None:
    keys = ("# comment", f"elsewhere {public(OTHER)}", f"old.name,198.51.100.7 {public(KEY)} note")
    with terminal(Platform.VRP, ["<R1>"], vrp, host_keys=keys) as router, connect(router) as session:
        assert not session.configuring


def test_the_privileged_mode_of_rgos_needs_its_secret() -> None:
    def script(line: str) -> list[str | float]:
        if line == "enable":
            return ["Password:"]
        return ["R1#" if line in ("top", "terminal length 0", "terminal width 256") else "Access denied\nR1>"]

    with terminal(Platform.RGOS, ["R1>"], script, enable="top") as router, connect(router):
        pass
    with terminal(Platform.RGOS, ["R1>"], script, enable="wrong") as router, pytest.raises(LoginError, match="enable"):
        connect(router)
    with terminal(Platform.RGOS, ["R1>"], script) as router, pytest.raises(LoginError, match="names none"):
        connect(router)


def test_no_secret_leaves_a_session_in_an_error_a_log_or_a_repr(caplog: pytest.LogCaptureFixture) -> None:
    canary = "canary-8f2e"

    def script(line: str) -> list[str | float]:
        if canary in line:
            return [f"Error: Wrong parameter: {canary}\n[R1]" if "key" in line else f"Do you like {canary}? [Y/N]:"]
        return ["[R1]" if line in ("system-view", "N") else "<R1>"]

    caplog.set_level(logging.DEBUG)
    with terminal(Platform.VRP, ["<R1>"], script) as router, connect(router) as session:
        session.enter_configuration()
        with pytest.raises(RefusedLineError) as refusal:
            session.configure("shared-key secret://hub/key", f"shared-key {canary}")
        with pytest.raises(UnknownPromptError) as question:
            session.configure("pass secret://hub/key", f"pass {canary}")
        assert refusal.value.line == "shared-key secret://hub/key"
        assert MASK in str(refusal.value)
        assert MASK in str(question.value)
        heard = f"{refusal.value}{question.value}{router!r}{session.__dict__ and ''}{caplog.text}"
    assert canary not in heard
    assert PASSWORD not in heard
