"""The files of one inventory while it is being read, and the list of what is wrong with them."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from inventory.declared import path_text
from inventory.errors import Problem
from inventory.strict import Lines, YamlError, parse

_FOLDERS = ("sites", "profiles")
_NAMES = (".yml", ".lock", ".csv", ".csv.xz")


class Source:
    """Reads each file once; remembers problems; finds lines only when asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, bytes] = {}
        self.problems: list[Problem] = []
        self._lines: dict[str, Lines] = {}
        if not folder.is_dir():
            self.problems.append(Problem(str(folder), 0, "", "there is no such folder.", "Check the path."))
            return
        found = [p for p in folder.iterdir() if p.is_file()]
        for name in _FOLDERS:
            if (folder / name).is_dir():
                found += [p for p in (folder / name).rglob("*") if p.is_file()]
        for path in sorted(found):
            name = path.relative_to(folder).as_posix()
            if path.name.endswith(_NAMES) and not path.name.startswith("."):
                self._read(name, path)

    def _read(self, name: str, path: Path) -> None:
        try:
            self.files[name] = path.read_bytes()
        except OSError as error:
            self.problems.append(Problem(name, 0, "", f"cannot be read: {error.strerror}.", "Check its rights."))

    def content_hash(self) -> str:
        """SHA-256 over the names, lengths and bytes of every file."""
        digest = hashlib.sha256()
        for name in sorted(self.files):
            data = self.files[name]
            digest.update(f"{name}\0{len(data)}\0".encode())
            digest.update(data)
        return digest.hexdigest()

    def yaml(self, file: str) -> Any:
        """The document of one file, or None after its problems were noted."""
        try:
            return parse(file, self.files[file])
        except KeyError:
            self.problems.append(Problem(file, 0, "", "this file is missing.", "Create it."))
        except YamlError as error:
            self.problems.extend(error.problems)
        return None

    def line(self, file: str, path: Sequence[str | int]) -> int:
        lines = self._lines.get(file)
        if lines is None:
            lines = self._lines[file] = Lines(self.files[file])
        return lines.of(path)

    def locate(self, file: str) -> Callable[[Sequence[str | int]], int]:
        """`line` for one file, as `inventory.declared.validate` wants it."""
        return lambda path: self.line(file, path)

    def complain(self, file: str, path: Sequence[str | int], message: str, mend: str) -> None:
        self.problems.append(Problem(file, self.line(file, path), path_text(path), message, mend))
