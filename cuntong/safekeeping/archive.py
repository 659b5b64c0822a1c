"""What is in a dump: a tar, compressed, in a sealed file (`ledger.sealed_file`).

The first member, ``about.json``, says what the dump is, so that a wrong one is refused before anything is read. Then
come ``ledger/TABLE/NUMBER.jsonl`` (`ledger.portable`) and ``PART/...``. The last, ``manifest.json``, has the hash of
every member and the number of rows of every table: what was left out by a mistake of ours is noticed, too.
"""

import gzip
import hashlib
import io
import json
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final, cast

from cuntong.safekeeping.parts import Part, files_below
from ledger.errors import LedgerError
from ledger.portable import Kind, Layout
from ledger.sealed_file import SealedFileError, SealedReader, SealedWriter, Unlocking

ABOUT: Final = "about.json"
MANIFEST: Final = "manifest.json"
LEDGER: Final = "ledger"
FORMAT: Final = 1
_LEVEL: Final = 3  # of zlib: half again as large as the best, in a fifth of its time
_PIECE: Final = 1 << 20


@dataclass(frozen=True)
class About:
    """What a dump is. Times are Unix seconds.

    Attributes:
        version: of the ledger: its newest migration.
        program: of Cuntong.
        watched_until: the end of the newest time that anybody watched.
        settings: the settings of the program that wrote it, without the ledger's password.
    """

    id: str
    instance: str
    title: str
    made_at: float
    made_by: str
    version: str
    program: str
    database: str
    watched_until: float | None
    layouts: dict[str, list[tuple[str, str]]]
    settings: dict[str, str]
    format: int = FORMAT

    def layout(self, table: str) -> Layout:
        return Layout(table, tuple((name, Kind(kind)) for name, kind in self.layouts[table]))


@dataclass
class Manifest:
    """What a whole dump holds.

    Attributes:
        members: SHA-256 by name; links and folders have the hash of nothing.
        rows: by table.
        sizes: bytes of each part, before compression.
    """

    members: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)


class ArchiveWriter:
    """Writes members in order; `close` completes the file."""

    def __init__(self, sealed: SealedWriter, about: About) -> None:
        self._sealed = sealed
        self._packed = gzip.GzipFile(fileobj=cast(IO[bytes], sealed), mode="wb", compresslevel=_LEVEL, mtime=0)
        self._tar = tarfile.open(mode="w|", fileobj=self._packed, format=tarfile.PAX_FORMAT)  # noqa: SIM115  closed with us
        self.manifest = Manifest()
        self._made_at = about.made_at
        self.add(ABOUT, json.dumps(asdict(about), ensure_ascii=False).encode())

    def add(self, name: str, content: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = len(content), 0o600, int(self._made_at)
        self._tar.addfile(member, io.BytesIO(content))
        self._note(name, hashlib.sha256(content).hexdigest(), len(content))

    def add_rows(self, layout: Layout, number: int, block: bytes, rows: int) -> None:
        self.add(f"{LEDGER}/{layout.table}/{number:06}.jsonl", block)
        self.manifest.rows[layout.table] = self.manifest.rows.get(layout.table, 0) + rows

    def add_part(self, part: Part) -> None:
        """A file, or a folder with all that is in it.

        Raises:
            LedgerError: a file was changed while it was being read.
        """
        for path in files_below(part.path):
            inner = path.relative_to(part.path).as_posix()
            name = part.name if inner == "." else f"{part.name}/{inner}"
            self._add_path(path, name)

    def _add_path(self, path: Path, name: str) -> None:
        try:
            member = self._tar.gettarinfo(path, name)
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            if not member.isfile():
                self._tar.addfile(member)
                self._note(name, hashlib.sha256().hexdigest(), 0)
                return
            # A second name of the same file would be a hard link in the tar: here it is a file of its own.
            member.type, member.linkname = tarfile.REGTYPE, ""
            member.size = path.stat().st_size
            with path.open("rb") as file:
                hashed = _Hashed(file, member.size)
                self._tar.addfile(member, cast(IO[bytes], hashed))
            self._note(name, hashed.digest, member.size)
        except OSError as error:
            raise LedgerError(
                f"{path} cannot be dumped ({error.strerror or 'it changed while it was read'})."
            ) from None

    def _note(self, name: str, digest: str, size: int) -> None:
        self.manifest.members[name] = digest
        part = name.partition("/")[0]
        self.manifest.sizes[part] = self.manifest.sizes.get(part, 0) + size

    def close(self) -> None:
        self.add(MANIFEST, json.dumps(asdict(self.manifest), ensure_ascii=False).encode())
        self._tar.close()
        self._packed.close()
        self._sealed.close()


class _Hashed:
    """A file, hashed while somebody reads it."""

    def __init__(self, file: IO[bytes], size: int | None = None) -> None:
        self._file, self._hash, self._left = file, hashlib.sha256(), size

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._hash.update(piece)
        return piece

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a dump, to be read before the next one.

    Attributes:
        path: within its part.
    """

    info: tarfile.TarInfo
    file: IO[bytes] | None

    @property
    def part(self) -> str:
        return self.info.name.partition("/")[0]


class ArchiveReader:
    """Reads a dump from its beginning to its authentic end.

    Attributes:
        about: what the dump is.
        manifest: what it holds; there only once everything was read.
    """

    def __init__(self, file: IO[bytes], key: Unlocking | bytes, name: str) -> None:
        self._name = name
        self._sealed = SealedReader(file, key, name)
        self._packed = gzip.GzipFile(fileobj=cast(IO[bytes], self._sealed))
        self._tar = self._reading(lambda: tarfile.open(mode="r|", fileobj=self._packed))  # noqa: SIM115  a stream
        first = self._reading(self._tar.next)
        content = self._tar.extractfile(first) if first is not None and first.name == ABOUT else None
        if content is None:
            raise SealedFileError(f"{name} does not begin with {ABOUT}: it is no dump of Cuntong.")
        text = content.read()
        told = json.loads(text)
        if told.get("format") != FORMAT:
            raise SealedFileError(
                f"{name} has format {told.get('format')}: a newer program wrote it. Upgrade this one."
            )
        self.about = About(**told)
        self._seen = {ABOUT: hashlib.sha256(text).hexdigest()}
        self.manifest = Manifest()

    def members(self) -> Iterator[Member]:
        """Every member but the first and the last, in order; then everything is held against the manifest.

        Raises:
            SealedFileError: it was altered, is cut off, or does not hold what its manifest says.
        """
        while True:
            info = self._reading(self._tar.next)
            if info is None:
                raise SealedFileError(f"{self._name} has no manifest: it is cut off.")
            file = self._tar.extractfile(info) if info.isfile() else None
            if info.name == MANIFEST and file is not None:
                self.manifest = Manifest(**json.loads(file.read()))
                break
            hashed = _Hashed(file) if file is not None else None
            yield Member(info, cast(IO[bytes] | None, hashed))
            if hashed is not None:
                while self._reading(lambda read=hashed.read: read(_PIECE)):
                    pass
            self._seen[info.name] = hashed.digest if hashed is not None else hashlib.sha256().hexdigest()
        while self._reading(lambda: self._packed.read(_PIECE)):  # to the end: its last chunk says that it is the last
            pass
        if self._seen != self.manifest.members:
            wrong = sorted(set(self._seen.items()) ^ set(self.manifest.members.items()))[0][0]
            raise SealedFileError(f"{self._name} does not hold what its manifest says: {wrong}.")

    def _reading(self, step: Any) -> Any:
        try:
            return step()
        except (tarfile.TarError, EOFError, OSError, ValueError) as error:
            raise SealedFileError(f"{self._name} is not readable ({error}).") from None


def safe_path(root: Path, name: str) -> Path:
    """Where a member goes below a folder.

    Raises:
        SealedFileError: its name leads out of it.
    """
    inner = PurePosixPath(name)
    if inner.is_absolute() or ".." in inner.parts:
        raise SealedFileError(f"A member of the dump is named {name!r}, which leads out of its folder.")
    return root / inner


def write_member(member: Member, target: Path) -> None:
    """Bring a member of a part to the disk.

    Raises:
        SealedFileError: it is a link that leads elsewhere, or no file, folder or link.
    """
    info = member.info
    if info.isdir():
        target.mkdir(parents=True, exist_ok=True)
        target.chmod(stat.S_IMODE(info.mode) | stat.S_IRWXU)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if info.issym():
        link = PurePosixPath(info.linkname)
        if link.is_absolute() or ".." in link.parts:
            raise SealedFileError(
                f"A member of the dump, {info.name!r}, is a link to {info.linkname!r}: outside of it."
            )
        target.symlink_to(info.linkname)
        return
    if member.file is None:
        raise SealedFileError(f"A member of the dump, {info.name!r}, is neither file, folder nor link.")
    with target.open("xb") as file:
        target.chmod(stat.S_IMODE(info.mode))
        while piece := member.file.read(_PIECE):
            file.write(piece)
