"""Commands of the system itself: dump, dump-key, restore, upgrade."""

import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cuntong.commands.common import HERE, InventoryFolder, Json, app, err, load, me, moment, print_json, say
from cuntong.errors import StartError, UsageError
from cuntong.safekeeping import dumping, restoring, upgrading
from cuntong.safekeeping.archive import About, Manifest
from cuntong.safekeeping.parts import parts
from cuntong.settings import Settings, settings, state_folder
from inventory.errors import InventoryError
from inventory.timetable import CHINA
from ledger import sealed_file
from ledger.database import shown
from ledger.sealed_file import Locking, Passphrase, Unlocking

_SHORTEST = 12

PassphraseFile = Annotated[
    Path | None, typer.Option(help="File with the passphrase.", show_default="CUNTONG_DUMP_PASSPHRASE, or it is asked")
]
KeyFile = Annotated[
    Path | None, typer.Option("--key", help="Private key of the recipient, where the dump was made for one.")
]
File = Annotated[Path, typer.Argument(help="The dump.")]


@app.command("dump-key", rich_help_panel="The system itself")
def dump_key(
    file: Annotated[Path, typer.Argument(help="Where the private key goes; keep it away from the server.")],
) -> None:
    """Make a key pair for dumps: the server is given the printed half and cannot open its own dumps."""
    try:
        public = sealed_file.make_key(file)
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror}).") from None
    say(f"CUNTONG_DUMP_RECIPIENT={public}")


@app.command(rich_help_panel="The system itself")
def dump(
    file: File,
    folder: InventoryFolder = HERE,
    recipient: Annotated[
        str | None,
        typer.Option(help="Seal for the holder of this key.", show_default="CUNTONG_DUMP_RECIPIENT, or a passphrase"),
    ] = None,
    passphrase_file: PassphraseFile = None,
    verify: Annotated[bool, typer.Option("--verify", help="Write nothing: read this dump to its end.")] = False,
    key: KeyFile = None,
    keep: Annotated[
        int | None, typer.Option(help="Of the dumps in that folder leave this many, the newest.", min=1)
    ] = None,
    as_json: Json = False,
) -> None:
    """Put all of an instance into one sealed file while it runs, and read it back: ledger, inventory, secrets, keys."""
    given = settings()
    if verify:
        with err.status("Reading ..."):
            done = dumping.verify(file, _unlocking(given, key, passphrase_file))
    else:
        every = parts(given, folder)
        if not (folder / "county.yml").exists():
            raise UsageError(f"There is no inventory in {folder.resolve()}. Name yours with --inventory.")
        lock = _locking(given, recipient, passphrase_file)
        with err.status("Dumping ...") as status:
            done = dumping.dump(
                given, every, _title(folder), file, lock, me(), time.time(), lambda what: status.update(f"{what} ...")
            )
        dumping.note(given, done, time.time())
        if keep is not None:
            dumping.thin_out(file, keep)
    if as_json:
        print_json(_document(done.about, done.manifest) | {"file": str(file), "bytes": done.size})
        return
    rows = sum(done.manifest.rows.values())
    kept = ", ".join(sorted(set(done.manifest.sizes) - {"about.json", "ledger"}))
    say(
        f"{file}: {done.about.title}, {_told(done.about.made_at)}, ledger {done.about.version} with {rows:,} rows, "
        f"{kept}; {done.size:,} bytes, read back whole."
    )


@app.command(rich_help_panel="The system itself")
def restore(
    file: File,
    folder: InventoryFolder = HERE,
    passphrase_file: PassphraseFile = None,
    key: KeyFile = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of what is here; that is kept beside it.")
    ] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt-instance", help="Become another instance than this machine was.")
    ] = False,
    off_since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When the old server stopped for good; timers on routers count from then."),
    ] = None,
    owner: Annotated[
        str | None, typer.Option(help="User to whom the files will belong.", show_default="who restores")
    ] = None,
    as_json: Json = False,
) -> None:
    """Put a dump in force on this machine, all of it or nothing, and say what must be done next."""
    given = settings()
    wishes = restoring.Wishes(replace, adopt, None if off_since is None else moment(off_since), owner)
    unlocking = _unlocking(given, key, passphrase_file)
    with err.status("Restoring ...") as status:
        done = restoring.restore(
            given, parts(given, folder), file, unlocking, wishes, me(), time.time(),
            lambda what: status.update(f"{what} ..."),
        )  # fmt: skip
    if as_json:
        print_json(
            _document(done.about, done.manifest)
            | {
                "hold_until": done.restore.hold_until,
                "runs": [run.id for run in done.runs],
                "aside": done.aside,
                "missing": done.missing,
            }
        )
        return
    for line in _next_steps(done):
        say(line)


def _title(folder: Path) -> str:
    """What the county is called; a folder that somebody is just editing is dumped as it is."""
    try:
        return load(folder).title
    except InventoryError as error:
        err.print(f"The inventory is dumped as it is, with {len(error.problems)} problems.", markup=False)
        return folder.resolve().name


@app.command(rich_help_panel="The system itself")
def upgrade(
    folder: InventoryFolder = HERE,
    into: Annotated[
        Path | None, typer.Option(help="Folder for the dump.", show_default="dumps in the state folder")
    ] = None,
    recipient: Annotated[
        str | None,
        typer.Option(help="Seal for the holder of this key.", show_default="CUNTONG_DUMP_RECIPIENT, or a passphrase"),
    ] = None,
    passphrase_file: PassphraseFile = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Bring the ledger of an older program to this one's version; dump everything first."""
    given = settings()
    found = upgrading.versions(given)
    if found.same:
        say(f"The ledger is of version {found.ledger}, which this program writes: nothing to do.")
        return
    if found.ledger is None:
        raise StartError(
            f"There is no ledger at {shown(given.ledger_url)}: nothing to upgrade. CUNTONG_LEDGER or XDG_STATE_HOME "
            "says where it is; a service has that of its unit (XDG_STATE_HOME=/var/lib)."
        )
    if dry_run:
        say(f"The ledger would be dumped, and brought from version {found.ledger} to {found.program}.")
        return
    lock = _locking(given, recipient, passphrase_file)
    with err.status("Upgrading ...") as status:
        file = upgrading.upgrade(
            given, parts(given, folder), _title(folder), into or state_folder() / "dumps", lock, me(), time.time(),
            lambda what: status.update(f"{what} ..."),
        )  # fmt: skip
    say(f"The ledger went from version {found.ledger} to {found.program}. The way back, with the older program:")
    say(f"  cuntong restore {file} --replace")


def _next_steps(done: restoring.Restored) -> list[str]:
    about, record = done.about, done.restore
    lines = [f"{about.title} is restored from {_told(about.made_at)}, {sum(done.manifest.rows.values()):,} rows."]
    if about.watched_until is not None:
        lines.append(
            f"From {_told(about.watched_until)} until a collector polls again nothing is known; it counts as no outage."
        )
    lines += [f"Kept aside: {path}" for path in done.aside]
    if done.missing:
        lines.append(
            f"Not restored, since this machine has no place set for it: {', '.join(done.missing)}. Set its place "
            "(known_hosts: CUNTONG_KNOWN_HOSTS), then restore once more with --replace."
        )
    lines.append("What must be done, in this order:")
    steps = []
    if record.hold_until > record.restored_at:
        steps.append(
            f"Keep the old server off. Until {_told(record.hold_until)} routers may still fall back by themselves; "
            "cuntong apply sends nothing before."
        )
    steps += [f"cuntong apply --resume {run.id}   (was under way; looks at each router first)" for run in done.runs]
    steps.append("cuntong login   (everybody: logins ended with the old server)")
    settings_told = [f"{name}={value}" for name, value in about.settings.items()]
    steps.append(f"Compare the settings with those of the old server: {' '.join(settings_told)}")
    steps.append("cuntong check, then start the services")
    return lines + [f"  {number}. {step}" for number, step in enumerate(steps, 1)]


def _document(about: About, manifest: Manifest) -> dict[str, object]:
    return {
        "dump": about.id, "instance": about.instance, "title": about.title, "made_at": about.made_at,
        "version": about.version, "program": about.program, "database": about.database,
        "watched_until": about.watched_until, "rows": manifest.rows, "sizes": manifest.sizes,
    }  # fmt: skip


def _told(at: float) -> str:
    return datetime.fromtimestamp(at, CHINA).isoformat(" ", "minutes")[:16]


def _locking(given: Settings, recipient: str | None, file: Path | None) -> Locking:
    wanted = recipient or (given.dump_recipient if file is None else "")
    if wanted:
        return sealed_file.recipient(wanted)
    return Passphrase(_passphrase(file or given.dump_passphrase, new=True))


def _unlocking(given: Settings, key: Path | None, file: Path | None) -> Unlocking:
    if key is not None:
        return sealed_file.read_key(key)
    return Passphrase(_passphrase(file or given.dump_passphrase, new=False))


def _passphrase(file: Path | None, *, new: bool) -> str:
    if file is not None:
        try:
            text = file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"The passphrase in {file} cannot be read ({error}).") from None
    elif sys.stdin.isatty():
        text = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True)
    else:
        raise StartError("How is the dump sealed? Set CUNTONG_DUMP_RECIPIENT (cuntong dump-key), or --passphrase-file.")
    if new and len(text) < _SHORTEST:
        raise UsageError(f"The passphrase of a dump has at least {_SHORTEST} characters: it guards every secret.")
    return str(text)
