"""What an instance consists of beside its ledger: which files and folders, and where they stand on this machine."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cuntong.errors import UsageError
from cuntong.settings import Settings, state_folder


@dataclass(frozen=True, slots=True)
class Part:
    """A file or a folder under the name by which a dump knows it."""

    name: str
    path: Path

    @property
    def present(self) -> bool:
        """Whether there is anything: an empty folder is nothing."""
        return self.path.is_file() or (self.path.is_dir() and any(self.path.iterdir()))


def parts(settings: Settings, inventory: Path) -> list[Part]:
    """Every part; what lies within another's folder goes with that one.

    Raises:
        UsageError: the folder holds something else than an inventory: it is not ours to dump or to move aside.
    """
    if inventory.exists() and any(inventory.iterdir()) and not (inventory / "county.yml").exists():
        raise UsageError(f"{inventory.resolve()} is no inventory: it has no county.yml. Name yours with --inventory.")
    state = state_folder()
    every = [
        Part("inventory", inventory),
        Part("secrets", settings.secrets),
        Part("vault.key", settings.vault_key_path),
        Part("exchange.key", settings.exchange_key_path),
        Part("configurations", state / "configurations"),
        Part("reports", state / "reports"),
    ]
    if settings.known_hosts is not None:
        every.append(Part("known_hosts", settings.known_hosts))
    every = [Part(part.name, part.path.expanduser().resolve()) for part in every]
    return [part for part in every if not any(one.path in part.path.parents for one in every)]


def files_below(path: Path) -> Iterator[Path]:
    """Folders, files and links of a part, in order; what else there may be (a socket) is not kept."""
    if not path.is_dir():
        yield path
        return
    for one in sorted(path.rglob("*")):
        if one.is_symlink() or one.is_file() or one.is_dir():
            yield one
