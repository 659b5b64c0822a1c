"""The commands of the simulated shell that read and write files and text; each takes words and standard input."""

import hashlib
import re
from collections.abc import Sequence
from typing import Protocol

from simulator.routers.shell_words import Result

CONF = "/etc/frr/frr.conf"


class Files(Protocol):
    """The shell's side of it."""

    @property
    def files(self) -> dict[str, str]: ...

    def read(self, name: str) -> list[str] | None: ...

    def write(self, name: str, lines: Sequence[str], *, append: bool = False) -> bool: ...


def cat(shell: Files, words: list[str], given: list[str]) -> Result:
    if not words or words == ["-"]:
        return Result(given)
    result = Result()
    for name in words:
        found = shell.read(name)
        if found is None:
            result.errors.append(f"cat: {name}: No such file or directory")
            result.code = 1
        else:
            result.lines += found
    return result


def tee(shell: Files, words: list[str], given: list[str]) -> Result:
    for name in [word for word in words if not word.startswith("-")]:
        if not shell.write(name, given, append="-a" in words):
            return Result(given, 1, [f"tee: {name}: No space left on device"])
    return Result(given)


def rm(shell: Files, words: list[str], given: list[str]) -> Result:
    names = [word for word in words if not word.startswith("-")]
    missing = [name for name in names if shell.files.pop(name, None) is None]
    if missing and not any(word.startswith("-") and "f" in word for word in words):
        return Result([], 1, [f"rm: cannot remove '{name}': No such file or directory" for name in missing])
    return Result()


def copy(shell: Files, words: list[str], given: list[str]) -> Result:
    names = [word for word in words if not word.startswith("-")]
    lines = shell.read(names[0]) if len(names) == 2 else None
    if lines is None:
        return Result([], 1, ["cp: cannot stat: No such file or directory"])
    return Result() if shell.write(names[1], lines) else Result([], 1, [f"cp: {names[1]}: No space left on device"])


def move(shell: Files, words: list[str], given: list[str]) -> Result:
    result = copy(shell, words, given)
    if not result.code:
        shell.files.pop(next(word for word in words if not word.startswith("-")), None)
    return result


def test(shell: Files, words: list[str], given: list[str]) -> Result:
    words = words[:-1] if words[-1:] == ["]"] else words
    if len(words) == 2 and words[0] in ("-f", "-e", "-r", "-s"):
        return Result([], int(shell.read(words[1]) is None))
    if len(words) == 2 and words[0] in ("-x", "-d", "-w"):
        return Result()
    if len(words) == 3:
        return Result([], int((words[0] == words[2]) != (words[1] in ("=", "==", "-eq"))))
    return Result([], int(not any(words)))


def grep(shell: Files, words: list[str], given: list[str]) -> Result:
    flags = "".join(word[1:] for word in words if word.startswith("-"))
    plain = [word for word in words if not word.startswith("-")]
    lines = (shell.read(plain[1]) or []) if len(plain) > 1 else given
    pattern = re.compile(re.escape(plain[0]) if "F" in flags else plain[0])
    found = [line for line in lines if bool(pattern.search(line)) != ("v" in flags)]
    return Result([] if "q" in flags else [str(len(found))] if "c" in flags else found, int(not found))


def ends(shell: Files, words: list[str], given: list[str], *, last: bool) -> Result:
    number = next((int(word.lstrip("-n")) for word in words if word.lstrip("-n").isdecimal()), 10)
    return Result(given[-number:] if last else given[:number])


def echo(shell: Files, words: list[str], given: list[str]) -> Result:
    return Result([" ".join(word for word in words if word != "-n")])


def printf(shell: Files, words: list[str], given: list[str]) -> Result:
    text = words[0] if words else ""
    for word in words[1:]:
        text = text.replace("%s", word, 1)
    return Result(text.replace("\\n", "\n").removesuffix("\n").split("\n"))


def checksum(shell: Files, words: list[str], given: list[str]) -> Result:
    lines = shell.read(words[0]) if words else given
    if lines is None:
        return Result([], 1, [f"sha256sum: {words[0]}: No such file or directory"])
    text = "".join(f"{line}\n" for line in lines)
    return Result([f"{hashlib.sha256(text.encode()).hexdigest()}  {words[0] if words else '-'}"])


def listing(shell: Files, words: list[str], given: list[str]) -> Result:
    names = [word for word in words if not word.startswith("-")]
    known = [CONF, *shell.files]
    found = [one for one in known if not names or any(one == name or one.startswith(f"{name}/") for name in names)]
    return Result(found, int(not found))
