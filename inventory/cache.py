"""The compiled inventory on disk, by content hash. JSON only: a cache must never be able to run code.

A column is a line, so that reading a whole country needs the memory of its columns and of one more; columns of few
words (carriers, classes) are places in a list of these words, and the words are there once. The last line is the hash
of the lines before.
Whatever is wrong with a cache file (missing, cut off, of another version, unreadable) just means reading the YAML.
"""

import contextlib
import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson

from inventory.columns import Columns

_KEPT: Final = 8
"""Compiled inventories kept in one folder; the oldest go."""
_LONG: Final = 64
_OFTEN: Final = 8
"""Words that a long column has so often on average are worth a list of their own."""


@cache
def _version() -> str:
    """Changes with every change of this package, so that no cache outlives the code that made it."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    for path in sorted((Path(__file__).parent / "profiles").glob("*.yml")):
        digest.update(path.name.encode())
    return digest.hexdigest()[:16]


def default_folder() -> Path:
    """Where a user's caches belong (XDG base directories)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "cuntong"


def _file(folder: Path, content_hash: str) -> Path:
    return folder / f"inventory-{_version()}-{content_hash}.json"


def knows(folder: Path, content_hash: str) -> bool:
    """Whether it is worth asking for the columns of this content."""
    return _file(folder, content_hash).exists()


def recall(folder: Path, content_hash: str) -> Columns | None:
    """The columns of this content, or None."""
    path = _file(folder, content_hash)
    try:
        stat = path.stat()
        if stat.st_uid != os.geteuid() or stat.st_mode & 0o022:
            return None  # somebody else could have written it
        values: dict[str, Any] = {}
        digest = hashlib.sha256()
        with path.open("rb") as file:
            for line in file:
                if not line.startswith(b"["):
                    if line.decode("ascii") == digest.hexdigest():
                        return Columns.from_json(values)
                    break
                digest.update(line)
                name, packed = orjson.loads(line)
                values[name] = _unpacked(packed)
        return None
    except (OSError, ValueError, TypeError, LookupError):
        return None


def keep(folder: Path, content_hash: str, columns: Columns) -> None:
    """Write the columns for next time; a cache that cannot be written is no error."""
    digest = hashlib.sha256()
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".inventory-", dir=folder)
        with os.fdopen(handle, "wb") as file:
            for column, value in columns.as_json().items():
                line = orjson.dumps([column, _packed(value)]) + b"\n"
                digest.update(line)
                file.write(line)
            file.write(digest.hexdigest().encode())
        Path(name).replace(_file(folder, content_hash))
        kept = sorted(folder.glob("inventory-*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in kept[_KEPT:]:
            old.unlink(missing_ok=True)


def _packed(value: Any) -> Any:
    """A long column of few words as their places in a list; whatever else as it is, in a list of one."""
    if not isinstance(value, list) or len(value) < _LONG or not isinstance(value[0], str):
        return [value]
    places = {word: place for place, word in enumerate(dict.fromkeys(value))}
    if len(places) * _OFTEN > len(value):
        return [value]
    return [list(places), [places[word] for word in value]]


def _unpacked(packed: Any) -> Any:
    if len(packed) == 1:
        return packed[0]
    words, places = packed
    return [words[place] for place in places]
