"""Where secrets are meant: every reference in the files of an inventory, and what the program asks for by itself."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cuntong.collect import PROBE_TOKEN
from cuntong.secrets import name_in
from inventory.source import Source
from ledger.kept_secrets import KeptSecret

_REFERENCE: Final = re.compile(rb"secret://([A-Za-z0-9][A-Za-z0-9._/-]*[A-Za-z0-9_-])")
_BY_ITSELF: Final = {name_in(PROBE_TOKEN): "/probe of cuntong collect"}


@dataclass(frozen=True, slots=True)
class Held:
    """A secret that is kept, or meant and not kept.

    Attributes:
        vault: since when it is in the vault and by whom; None where it is not.
        file: since when (Unix time of its last change) a file of this name is there; None where there is none.
        uses: ``county.yml:12`` and the like.
    """

    name: str
    vault: KeptSecret | None
    file: float | None
    uses: tuple[str, ...]

    @property
    def place(self) -> str:
        if self.vault is None:
            return "nowhere" if self.file is None else "file"
        return "vault" if self.file is None else "vault, and a file that is not read"


def uses(folder: Path) -> dict[str, list[str]]:
    """By name where an inventory refers to secrets; empty where there is no inventory."""
    found: dict[str, list[str]] = defaultdict(list)
    source = Source(folder) if (folder / "county.yml").exists() else None
    for file, content in sorted(source.files.items() if source else ()):
        for number, line in enumerate(content.splitlines(), 1):
            if line.lstrip().startswith(b"#"):
                continue
            for name in _REFERENCE.findall(line):
                found[name.decode()].append(f"{file}:{number}")
    return dict(found)


def held(kept: Mapping[str, KeptSecret], secrets: Path, meant: Mapping[str, list[str]]) -> list[Held]:
    """What is kept and what is meant, by name.

    Args:
        kept: what is in the vault.
        secrets: the folder of files.
        meant: see `uses`.
    """
    files = {
        path.relative_to(secrets).as_posix(): path.stat().st_mtime
        for path in (secrets.rglob("*") if secrets.is_dir() else ())
        if path.is_file()
    }
    return [
        Held(
            name,
            kept.get(name),
            files.get(name),
            (*meant.get(name, ()), *([_BY_ITSELF[name]] if name in _BY_ITSELF else ())),
        )
        for name in sorted({*kept, *files, *meant})
    ]
