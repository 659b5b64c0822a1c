"""The git history that the program keeps of an inventory whose people know no git: a commit for each accepted change.

Only in a repository that the program made itself; a folder within somebody else's work tree is theirs to commit.
"""

import os
import subprocess
from pathlib import Path
from typing import Final

_MARK: Final = "cuntong.history"


def begin(folder: Path) -> bool:
    """Start a history in a folder; False where git is missing or the folder lies within a work tree already."""
    if _git(folder, "rev-parse", "--is-inside-work-tree") is not None or _git(folder, "init", "--quiet") is None:
        return False
    _git(folder, "config", _MARK, "true")
    return commit(folder, "开始 / Begin")


def commit(folder: Path, message: str) -> bool:
    """Commit what changed; False where the history is not ours or nothing changed."""
    if not (folder / ".git").is_dir() or (_git(folder, "config", "--local", _MARK) or "").strip() != "true":
        return False
    if _git(folder, "add", "--all") is None or not (_git(folder, "status", "--porcelain") or "").strip():
        return False
    who = ("-c", "user.name=cuntong", "-c", "user.email=cuntong@localhost")
    return _git(folder, *who, "commit", "--quiet", "--no-verify", "-m", message) is not None


def _git(folder: Path, *words: str) -> str | None:
    """What git says; None where it refuses or is not there."""
    try:
        ended = subprocess.run(  # noqa: S603  fixed words; the folder is the operator's
            ["git", "-C", str(folder), *words],  # noqa: S607  the system's own git
            capture_output=True, text=True, check=False,
            env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
        )  # fmt: skip
    except FileNotFoundError:
        return None
    return None if ended.returncode else ended.stdout
