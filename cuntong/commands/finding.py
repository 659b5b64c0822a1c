"""Commands that find out what is there: discover, record, walk."""

import asyncio
import os
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cuntong import show as shows
from cuntong.commands.common import (
    HERE,
    Folder,
    Json,
    app,
    bar,
    err,
    host_and_port,
    load,
    out,
    print_json,
    say,
    show_lines,
)
from cuntong.errors import StartError, UsageError
from cuntong.settings import settings

if TYPE_CHECKING:
    from collectors.mib_names import MibNames
    from collectors.naming import Namebook
    from collectors.snmp.usm import User
    from collectors.walking import Walked

Credentials = Annotated[
    list[str] | None,
    typer.Option("--credential", help="A reference such as secret://snmp/routers; several are tried in turn."),
]


@app.command(rich_help_panel="Ask devices")
def discover(
    prefix: Annotated[str, typer.Argument(metavar="PREFIX", help="Such as 10.125.4.0/24; within the inventory's own.")],
    folder: Folder = HERE,
    port: Annotated[int, typer.Option(help="UDP port that is asked.", min=1, max=65535)] = 161,
    community: Annotated[str | None, typer.Option(envvar="CUNTONG_COMMUNITY", help="SNMP community.")] = None,
    credential: Credentials = None,
    rate: Annotated[float, typer.Option(help="Addresses that are asked each second.", min=0.1, max=5000)] = 50.0,
    timeout: Annotated[float, typer.Option(help="Seconds of patience for each try.", min=0.05, max=60)] = 1.0,
    retries: Annotated[int, typer.Option(help="Further tries.", min=0, max=10)] = 1,
    old: Annotated[bool, typer.Option("--v1", help="Try SNMP v1 after v2c, too, for old printers.")] = False,
    as_json: Json = False,
) -> None:
    """Ask every address of a prefix who it is, and compare with what is declared."""
    from collectors.discovery import discover as ask
    from collectors.discovery import scope_of
    from collectors.matching import compare, propose
    from cuntong.collect import is_asked
    from cuntong.secrets import Credential, resolver
    from cuntong.show_found import found
    from simulator.dial import placed

    inventory = load(folder)
    try:
        scope = scope_of(prefix, inventory)
    except ValueError as error:
        raise UsageError(str(error)) from None
    references = credential or ([] if community else list(dict.fromkeys(inventory.county.credentials.values())))
    opener = resolver(settings())
    given: list[Credential] = [opener.credential(reference) for reference in references]
    given += [community.encode()] if community else []
    if not given:
        raise UsageError("The inventory names no credentials. Give --community or --credential.")
    # On loopback only the simulated county can be meant, where an ordinal is the address.
    simulated = scope.addresses[0].startswith("127.")
    address = placed(settings().simulated_devices)
    dial = (lambda device: address(device.id, device.ordinal)) if simulated else lambda device: device.address
    declared = {dial(device): device for device in inventory.devices if is_asked(device)}
    with bar(f"Asking {prefix}", len(scope.addresses) * len(given)) as (progress, task):
        answers = asyncio.run(
            ask(
                scope.addresses,
                port,
                given,
                inventory.profiles,
                per_second=rate,
                timeout_s=timeout,
                retries=retries,
                old=old,
                progress=lambda: progress.advance(task),
            )
        )
    rows = compare(scope.addresses, answers, declared, inventory.models)
    proposal = propose(rows, inventory, inventory.profiles)
    if as_json:
        print_json(
            {
                "asked": len(scope.addresses),
                "left_alone": scope.left_alone,
                "rows": [asdict(row) for row in rows],
                "proposal": asdict(proposal),
            }
        )
        return
    shows.wide(out).print(found(rows).drawn())
    counts = Counter(str(row.finding) for row in rows)
    said = ", ".join(f"{count} {finding.replace('_', ' ')}" for finding, count in sorted(counts.items())) or "nobody"
    say(f"{len(scope.addresses)} addresses asked, {scope.left_alone} left alone: {said}")
    show_lines(proposal)


Where = Annotated[str, typer.Argument(metavar="ADDRESS[:PORT]", help="Where the device answers; port 161 if left out.")]
Community = Annotated[str, typer.Option(envvar="CUNTONG_COMMUNITY", help="SNMP community.")]
OneCredential = Annotated[
    str | None, typer.Option("--credential", help="A reference such as secret://snmp/routers; SNMPv3 only so.")
]
Patience = Annotated[float, typer.Option(help="Seconds of patience for each try.", min=0.05, max=60)]
Tries = Annotated[int, typer.Option(help="Further tries.", min=0, max=10)]
Limit = Annotated[int, typer.Option(help="Rows after which the walk is stopped.", min=1, max=5_000_000)]


@app.command(rich_help_panel="Ask devices")
def record(
    address: Where,
    file: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The recording.", show_default="PROFILE.snmprec", dir_okay=False),
    ] = None,
    community: Community = "public",
    credential: OneCredential = None,
    profiles: Annotated[Path | None, typer.Option(help="A folder of device profiles of your own.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also tables of clients and routes: ARP, MAC addresses, LLDP, Wi-Fi.")
    ] = False,
    limit: Limit = 200_000,
    timeout: Patience = 2.0,
    retries: Tries = 2,
) -> None:
    """Record a device for us: everything that it answers, without secrets, names, addresses and serial numbers."""
    from collectors.masking import Knowledge, Masker
    from collectors.recording import document, left_out
    from collectors.snmp import ber
    from inventory.profiles import identify, load_profiles

    known = load_profiles(profiles)
    who = _opened(credential, community)
    with err.status(f"Recording {address} ...") as status:
        walked = _walked(
            address,
            who,
            [ber.encode_oid("1.3"), ber.encode_oid("1.0")],
            limit,
            timeout,
            retries,
            left_out(everything),
            lambda rows: status.update(f"Recording {address} ... {rows} rows"),
        )
    masker = Masker(
        Knowledge.of(known.values()), secrets.token_bytes(16), [who.decode("latin-1")] if isinstance(who, bytes) else []
    )
    rows = masker.mask(walked.rows)
    told = {oid: value for oid, _, value in rows}
    object_id, descr = (told.get(ber.encode_oid(f"1.3.6.1.2.1.1.{arc}.0")) for arc in (2, 1))
    name = identify(
        known,
        ber.decode_oid(object_id) if isinstance(object_id, bytes) and object_id else "",
        descr.decode("utf-8", "replace") if isinstance(descr, bytes) else "",
    )
    path = file or Path(f"{name}.snmprec")
    if file is None and path.exists():
        raise UsageError(f"{path} exists. Name another file with -o.")
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        half.write_text(document(rows), "utf-8")
        half.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    say(f"{len(rows)} rows in {path}. Look through it before you give it away.")
    say(f"Replay it with: cuntong simulate walk {path}")
    for problem in walked.problems:
        err.print(f"! {problem}", markup=False, highlight=False, soft_wrap=True)


@app.command(rich_help_panel="Ask devices")
def walk(
    address: Where,
    what: Annotated[
        str, typer.Argument(metavar="OID|NAME", help="Such as 1.3.6.1.2.1.2, ifTable or boards.usage_ratio.")
    ],
    mibs: Annotated[
        Path | None, typer.Option(help="A folder of MIB files, for their names.", exists=True, file_okay=False)
    ] = None,
    community: Community = "public",
    credential: OneCredential = None,
    profiles: Annotated[Path | None, typer.Option(help="A folder of device profiles of your own.")] = None,
    numeric: Annotated[bool, typer.Option("--numeric", help="Names as numbers.")] = False,
    second_opinion: Annotated[
        bool,
        typer.Option("--second-opinion", help="Ask again by pysnmp and show where its rows differ; exit 1 if they do."),
    ] = False,
    limit: Limit = 200_000,
    timeout: Patience = 2.0,
    retries: Tries = 2,
    as_json: Json = False,
) -> None:
    """Show what a device answers below one object, with names and values for people."""
    from collectors.naming import Namebook
    from collectors.snmp import ber
    from cuntong.show_found import value
    from inventory.profiles import load_profiles

    who = _opened(credential, community)
    book = Namebook(load_profiles(profiles), _of_files(mibs) if mibs else None)
    try:
        root = book.oid(what)
    except ValueError as error:
        raise UsageError(str(error)) from None
    walked = _walked(address, who, [root], limit, timeout, retries)
    if second_opinion:
        _compare(address, who, root, walked, book, limit, timeout, retries, as_json)
        return
    rows = [
        {"oid": ber.decode_oid(oid), "name": book.name(oid), **_index(oid, book), **value(oid, tag, content, book)}
        for oid, tag, content in walked.rows
    ]
    if as_json:
        print_json({"rows": rows, "problems": walked.problems})
        return
    for row in rows:
        index = f" [{', '.join(row['index'])}]" if "index" in row and not numeric else ""
        say(f"{row['oid'] if numeric else row['name']}{index} = {row['type']}: {row['value']}")
    if not rows:
        say(f"{address} has nothing at {what}")
    for problem in walked.problems:
        err.print(f"! {problem}", markup=False, highlight=False, soft_wrap=True)


def _of_files(folder: Path) -> "MibNames":
    from collectors.mib_files import read_mibs
    from collectors.mib_names import MibNames
    from collectors.naming import WELL_KNOWN

    objects = read_mibs(folder, WELL_KNOWN)
    if not objects:
        err.print(f"! {folder} holds no MIB file that names an object", markup=False, highlight=False, soft_wrap=True)
    return MibNames(objects)


def _index(oid: bytes, book: "Namebook") -> dict[str, tuple[str, ...]]:
    """What numbers a row of a table, where that is more than the numbers in its name."""
    index = book.index(oid)
    return {"index": index} if any(not part.isdigit() for part in index) else {}


def _compare(
    address: str,
    who: "bytes | User",
    root: bytes,
    walked: "Walked",
    book: "Namebook",
    limit: int,
    timeout_s: float,
    retries: int,
    as_json: bool,
) -> None:
    """Shows where pysnmp reads something else; exit 1 if it does."""
    from collectors.second_opinion import differences, walk_by_pysnmp
    from collectors.snmp import ber
    from cuntong.show_found import value

    host, port = host_and_port(address, 161)
    try:
        theirs = asyncio.run(walk_by_pysnmp(host, port, who, root, limit=limit, timeout_s=timeout_s, retries=retries))
    except OSError as error:
        raise StartError(f"{address}: {error.strerror or error}.") from None
    again = _walked(address, who, [root], limit, timeout_s, retries)
    found = [
        (oid, value(oid, *ours, book) if ours else None, value(oid, *its, book) if its else None)
        for oid, ours, its in differences(walked.rows, theirs, again.rows)
    ]
    if as_json:
        named = [
            {"oid": ber.decode_oid(oid), "name": book.name(oid), "ours": ours, "pysnmp": its}
            for oid, ours, its in found
        ]
        print_json({"rows": len(walked.rows), "rows_by_pysnmp": len(theirs), "differences": named})
    else:
        for oid, ours, its in found:
            say(f"{book.name(oid)}: we read {_said(ours)}, pysnmp {_said(its)}")
        say(f"{len(walked.rows)} rows by us, {len(theirs)} by pysnmp, {len(found)} differ")
    if found:
        raise typer.Exit(1)


def _said(shown: dict[str, str] | None) -> str:
    return f"{shown['type']}: {shown['value']}" if shown else "nothing"


def _opened(reference: str | None, community: str) -> "bytes | User":
    from cuntong.secrets import resolver

    return resolver(settings()).credential(reference) if reference else community.encode()


def _walked(
    address: str,
    who: "bytes | User",
    roots: Sequence[bytes],
    limit: int,
    timeout_s: float,
    retries: int,
    skip: Sequence[bytes] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> "Walked":
    from collectors.walking import walk_device

    host, port = host_and_port(address, 161)
    try:
        return asyncio.run(
            walk_device(
                host, port, who, roots, limit=limit, skip=skip, timeout_s=timeout_s, retries=retries, progress=progress
            )
        )
    except OSError as error:
        raise StartError(f"{address}: {error.strerror or error}.") from None
