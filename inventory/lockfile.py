"""``addresses.lock``: ids and addresses as text, one line each, so that git can show what was added.

    pool gov_public 10.125.0.0/17
    block 511825100000 10.125.32.0/21
    site tq-chengxiang-xuyu 511825100002 village_site - 10.125.33.0/26 17 cpe1:10.126.0.9:10.126.64.16 徙榆居委会

The columns of ``site``: id, code, type, key, prefix in the first zone, number (of its IPv6 subnets), routers as
``role:loopback:p2p,p2p`` joined by ``;``, and the name when it was allocated. ``retired`` is a site that is gone.
``held`` is an address as a router was found with it (`inventory.held`).
"""

import io
import os
import re
import tempfile
from pathlib import Path
from typing import Final

from inventory.addresses import Lock, LockedSite
from inventory.divisions import Nodes
from inventory.errors import Problem
from inventory.held import read as read_held

NAME: Final = "addresses.lock"
_HEAD: Final = """\
# Ids and addresses, allocated once by `cuntong check DIR --allocate`. Commit this file, do not edit it: what
# stands here never moves, and a retired line keeps its addresses from being given to somebody else.
"""
_MEND: Final = "Restore this line from git, or delete the file's new lines and run `cuntong check DIR --allocate`."
_BYTE: Final = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_ADDRESS: Final = rf"{_BYTE}\.{_BYTE}\.{_BYTE}\.{_BYTE}"
_PREFIX: Final = rf"{_ADDRESS}/(?:[1-9]|[12]\d|30)"
_ROUTER: Final = rf"[a-z]+\d+:{_ADDRESS}:(?:{_ADDRESS}(?:,{_ADDRESS})*)?"
_SITE: Final = re.compile(
    rf"(site|retired) (\S+) (\S+) (\S+) (\S+) (-|{_PREFIX}) (-?\d+) (-|{_ROUTER}(?:;{_ROUTER})*) (.*)"
)
_PREFIX_ALONE: Final = re.compile(_PREFIX)


def parse(data: bytes, nodes: Nodes | None = None) -> tuple[Lock, list[Problem]]:
    """The lock in ``data``; a line that cannot be read is a problem and is left out.

    Args:
        nodes: divisions whose codes and names are taken instead of copies of them.
    """
    lock = Lock()
    problems: list[Problem] = []
    sites, words = lock.sites, dict[str, str]()
    index = nodes.index if nodes is not None else {}
    for line_number, raw in enumerate(io.BytesIO(data), 1):
        try:
            line = raw.decode("utf-8").removesuffix("\n")
        except UnicodeDecodeError:
            return Lock(), [Problem(NAME, line_number, "", "this is not UTF-8.", _MEND)]
        if not line or line[0] == "#":
            continue
        match = _SITE.fullmatch(line)
        if match is not None:
            word, site_id, code, site_type, key, prefix, number, routers, name = match.groups()
            at = index.get(code)
            if at is not None and nodes is not None:
                code = nodes.codes[at]
                name = nodes.names[at] if name == nodes.names[at] else name
            sites.append(
                LockedSite(
                    site_id, code, words.setdefault(site_type, site_type), words.setdefault(key, key), prefix,
                    int(number), routers, name, word == "retired", line_number,
                )
            )  # fmt: skip
        elif line.startswith("held ") and (held := read_held(line.split(" ")[1:], line_number)) is not None:
            lock.held.append(held)
        elif not _head_line(lock, line):
            problems.append(Problem(NAME, line_number, "", "this line cannot be read.", _MEND))
    return lock, problems


def _head_line(lock: Lock, line: str) -> bool:
    """Take over a line about pools or blocks; False where it is none."""
    match line.split(" "):
        case ["pool", zone, prefix] if _PREFIX_ALONE.fullmatch(prefix):
            lock.pools.setdefault(zone, []).append(prefix)
        case ["block", code, prefix] if _PREFIX_ALONE.fullmatch(prefix):
            lock.blocks.append((code, prefix))
        case ["loopbacks", prefix] if _PREFIX_ALONE.fullmatch(prefix):
            lock.loopbacks.append(prefix)
        case ["p2p", prefix] if _PREFIX_ALONE.fullmatch(prefix):
            lock.p2p.append(prefix)
        case ["ipv6", prefix]:
            lock.ipv6.append(prefix)
        case _:
            return False
    return True


def render(lock: Lock) -> bytes:
    """The file's bytes; `parse` reads back the same lock."""
    lines = [f"pool {zone} {prefix}" for zone, pools in lock.pools.items() for prefix in pools]
    lines += [f"loopbacks {prefix}" for prefix in lock.loopbacks]
    lines += [f"p2p {prefix}" for prefix in lock.p2p]
    lines += [f"ipv6 {prefix}" for prefix in lock.ipv6]
    lines += [f"block {code} {prefix}" for code, prefix in lock.blocks]
    lines += [
        f"{'retired' if s.retired else 'site'} {s.id} {s.code} {s.site_type} {s.key} {s.prefix or '-'} {s.number}"
        f" {s.column} {s.name}"
        for s in lock.sites
    ]
    lines += [one.text() for one in lock.held]
    return (_HEAD + "\n".join(lines) + "\n").encode()


def write(folder: Path, lock: Lock) -> None:
    """Replace the lock file at once: a reader sees the old one or the new one, never a half."""
    data = render(lock)
    handle, name = tempfile.mkstemp(prefix=f".{NAME}.", dir=folder)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        target = folder / NAME
        temporary.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o644)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
