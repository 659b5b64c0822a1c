"""The compiled inventory on disk, by content hash. JSON only: a cache must never be able to run code.

Whatever is wrong with a cache file (missing, cut off, of another version, unreadable) just means reading the YAML.
"""

import contextlib
import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

import orjson

from inventory.columns import Columns

_KEPT: Final = 8
"""Compiled inventories kept in one folder; the oldest go."""


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


def recall(folder: Path, content_hash: str) -> Columns | None:
    """The columns of this content, or None."""
    path = _file(folder, content_hash)
    try:
        stat = path.stat()
        if stat.st_uid != os.geteuid() or stat.st_mode & 0o022:
            return None  # somebody else could have written it
        data = path.read_bytes()
        body, _, digest = data.rpartition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() != digest:
            return None
        return Columns.from_json(orjson.loads(body))
    except (OSError, ValueError, TypeError):
        return None


def keep(folder: Path, content_hash: str, columns: Columns) -> None:
    """Write the columns for next time; a cache that cannot be written is no error."""
    body = orjson.dumps(columns.as_json())
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".inventory-", dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(body + b"\n" + hashlib.sha256(body).hexdigest().encode())
        Path(name).replace(_file(folder, content_hash))
        kept = sorted(folder.glob("inventory-*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in kept[_KEPT:]:
            old.unlink(missing_ok=True)
