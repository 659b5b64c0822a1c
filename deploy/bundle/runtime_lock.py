"""Prints the part of requirements.lock that running Cuntong needs, installing it included, without the tools of tests.

Usage: VENV/bin/python deploy/bundle/runtime_lock.py requirements.lock
"""

import importlib.metadata
import re
import sys
from pathlib import Path

from pip._vendor.packaging.requirements import Requirement

# The build backend installs the checkout; pip brings itself into a new environment.
ROOTS = ("cuntong", "hatchling", "editables")


def main() -> None:
    """Print the blocks of the lock whose packages are in the closure of what we depend on."""
    wanted, open_ = set(), list(ROOTS)
    while open_:
        name = canonical(open_.pop())
        if name in wanted:
            continue
        wanted.add(name)
        try:
            needed = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # of another platform or version of Python
        for text in needed:
            requirement = Requirement(text)
            if requirement.marker is None or any(
                requirement.marker.evaluate({"extra": extra}) for extra in ("", *EXTRAS.get(name, ()))
            ):
                EXTRAS.setdefault(canonical(requirement.name), set()).update(requirement.extras)
                open_.append(requirement.name)
    blocks = re.split(r"\n(?=[A-Za-z0-9])", Path(sys.argv[1]).read_text("utf-8"))
    sys.stdout.write("\n".join(block for block in blocks if canonical(re.split(r"[=\[ ]", block)[0]) in wanted) + "\n")


EXTRAS: dict[str, set[str]] = {}


def canonical(name: str) -> str:
    """As PEP 503 compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
