"""Changes to the files of an inventory: shown as a difference, held to every law, put in place all or none."""

import difflib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from inventory.errors import InventoryError, Problem


@dataclass(frozen=True)
class Changes:
    """What would change in a folder.

    Args:
        before, after: the files that change; a new one has no ``before``.
    """

    folder: Path
    before: Mapping[str, bytes]
    after: Mapping[str, bytes]

    def diff(self) -> str:
        """What changes, line by line, as `diff -u` shows it."""
        parts: list[str] = []
        for name, new in sorted(self.after.items()):
            old = self.before.get(name, b"").decode("utf-8-sig").splitlines(keepends=True)
            source = f"a/{name}" if name in self.before else "/dev/null"
            parts += difflib.unified_diff(
                old, new.decode("utf-8-sig").splitlines(keepends=True), source, f"b/{name}", n=2
            )
        return "".join(part if part.endswith("\n") else f"{part}\n" for part in parts)

    def write(self) -> None:
        """Put the changed files in place: all of them, or none.

        Raises:
            InventoryError: a file cannot be written, or it was changed meanwhile.
        """
        drafts: list[tuple[Path, Path]] = []
        placed: list[Path] = []
        try:
            for name, data in self.after.items():
                path = self.folder / name
                if (path.read_bytes() if path.exists() else None) != self.before.get(name):
                    raise InventoryError([Problem(name, 0, "", "this file was changed meanwhile.", "Try it again.")])
                path.parent.mkdir(exist_ok=True)
                handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
                drafts.append((Path(draft), path))
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                Path(draft).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
            for draft_path, path in drafts:
                draft_path.replace(path)
                placed.append(path)
        except OSError as error:
            self._put_back(placed)
            raise InventoryError(
                [Problem(str(error.filename), 0, "", f"cannot be written: {error.strerror}.", "Check its rights.")]
            ) from None
        finally:
            for draft_path, _ in drafts:
                draft_path.unlink(missing_ok=True)

    def _put_back(self, placed: list[Path]) -> None:
        for path in placed:
            old = self.before.get(path.relative_to(self.folder).as_posix())
            if old is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(old)
