"""Commands that take in what is there already: adopt."""

import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.syntax import Syntax

from api.actions.grants import Action, require
from cuntong import identity
from cuntong import show as shows
from cuntong.commands.common import HERE, InventoryFolder, Json, app, bar, load, out, print_json, say, show_lines
from cuntong.errors import UsageError
from cuntong.own_history import commit
from cuntong.settings import settings
from ledger.vault import open_vault

if TYPE_CHECKING:
    from cuntong.adopting.proposing import Proposal
    from inventory.model import Inventory


@app.command(rich_help_panel="Declare")
def adopt(
    target: Annotated[
        str,
        typer.Argument(metavar="SCOPE|PREFIX", help="A division, site or device; or a prefix such as 10.60.0.0/24."),
    ],
    folder: InventoryFolder = HERE,
    write: Annotated[
        bool, typer.Option("--write", help="Write the files that are proposed: all of them, or none.")
    ] = False,
    take: Annotated[
        list[str] | None, typer.Option(metavar="SECTION", help="Manage this section of adopted routers from now on.")
    ] = None,
    listed: Annotated[
        Path | None, typer.Option("--map", help="Your list NAME,CODE: hostname or address, and its division.")
    ] = None,
    but: Annotated[list[str] | None, typer.Option("--except", help="Leave this address or device out.")] = None,
    community: Annotated[str | None, typer.Option(envvar="CUNTONG_COMMUNITY", help="SNMP community.")] = None,
    credential: Annotated[
        list[str] | None, typer.Option(help="A reference such as secret://snmp/routers; several are tried in turn.")
    ] = None,
    port: Annotated[int, typer.Option(help="UDP port of SNMP.", min=1, max=65535)] = 161,
    platform: Annotated[
        str | None, typer.Option(help="Command line of routers that SNMP does not tell: vrp, comware, rgos or frr.")
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept-host-keys", help="Take host keys that nobody knows yet; they are shown and kept.")
    ] = False,
    rate: Annotated[float, typer.Option(help="Addresses that SNMP asks each second.", min=0.1, max=5000)] = 50.0,
    timeout: Annotated[float, typer.Option(help="Seconds of patience for SNMP.", min=0.05, max=60)] = 1.0,
    parallel: Annotated[int, typer.Option(help="Routers read at the same time.", min=1, max=64)] = 8,
    unmanaged: Annotated[
        bool, typer.Option("--unmanaged", help="List the lines of each router that nobody manages.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take in routers that run already: read them (nothing is sent), and propose what the inventory says of them."""
    from cuntong.adopting import running
    from cuntong.adopting.places import read_map

    inventory = load(folder)
    if take:
        _take(inventory, target, take, write=write, as_json=as_json)
        return
    given = settings()
    names: dict[str, int] = {}
    if listed is not None:
        try:
            names = read_map(listed.read_text("utf-8"), listed.name, inventory.nodes)
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{listed} cannot be read: {error}.") from None
    asking = running.Asking(
        port, _credentials(inventory, community, credential), rate, timeout, _platform(platform), accept,
        frozenset(but or ()), parallel,
    )  # fmt: skip
    with identity.ledger(given) as engine, bar(f"Reading {target}", 0) as (progress, task):
        actor = identity.actor(engine)
        require(actor, Action.AUTHOR_PLAN, inventory.nodes, {0})
        looked = running.look(
            inventory, given, target, asking, lambda address: progress.update(task, description=address)
        )
        proposal = running.proposal_of(inventory, given, looked.routers, names)
        if write and proposal.adopted:
            proposal.changes.write()
            commit(folder, f"接管 / Adopt {target}")
            running.learn_keys(proposal, given.known_hosts)
        written = write and bool(proposal.adopted)
        # Once the routers are taken in, their networks tell of which site the others are.
        lines = running.others_proposed(load(folder) if written else inventory, looked.others)
        running.keep(engine, open_vault(given.vault_key_path), actor, target, proposal, time.time(), written=written)
    if as_json:
        print_json(_document(proposal, written) | {"others": asdict(lines)})
    else:
        _show(proposal, target, inventory.top, written=written, unmanaged=unmanaged)
        show_lines(lines)


def _credentials(inventory: "Inventory", community: str | None, references: list[str] | None) -> list[Any]:
    from cuntong.secrets import resolver
    from inventory.vocabulary import DeviceClass

    opener = resolver(settings())
    told = references
    if told is None and not community:
        named = inventory.county.credentials
        # The routers' must be there; those of kiosks and printers are tried where somebody gave them.
        more = [one for kind, one in named.items() if kind is not DeviceClass.ROUTER and opener.knows(one)]
        told = list(dict.fromkeys([named.get(DeviceClass.ROUTER, ""), *more]))
    found: list[Any] = [opener.credential(one) for one in told or () if one]
    return [*found, *([community.encode()] if community else [])]


def _platform(name: str | None) -> Any:
    from rollout.platform import Platform

    if name is None:
        return None
    try:
        return Platform(name)
    except ValueError:
        raise UsageError(f"{name!r} is none of {', '.join(Platform)}.") from None


def _take(inventory: "Inventory", scope: str, sections: list[str], *, write: bool, as_json: bool) -> None:
    from cuntong.adopting.taking import take
    from cuntong.changing.planning import require_scope
    from cuntong.changing.scope import routers_in
    from inventory.source import Source
    from ledger import audit

    devices = routers_in(inventory, scope)
    changes = take(Source(inventory.folder), inventory, devices, sections)
    with identity.ledger(settings()) as engine:
        actor = identity.actor(engine)
        require_scope(actor, Action.AUTHOR_PLAN, inventory, devices)
        if write and changes.after:
            changes.write()
            commit(inventory.folder, f"接管 / Take {' '.join(sections)} of {scope}")
            with engine.begin() as connection:
                audit.record(connection, time.time(), actor.name, "adopt.take", scope, {"sections": sections})
    if as_json:
        print_json({"written": write and bool(changes.after), "files": sorted(changes.after), "diff": changes.diff()})
        return
    show_diff(changes.diff())
    if not changes.after:
        say("Nothing changes: these sections are ours already.")
    elif write:
        say(f"Written. What this would send to the routers: cuntong plan {scope} --diff")
    else:
        say("Nothing was written. --write does.")


def show_diff(diff: str) -> None:
    """A difference of files: in colours for a person, plain for a program."""
    if diff and out.is_terminal:
        out.print(Syntax(diff, "diff", background_color="default", word_wrap=False))
    elif diff:
        say(diff.rstrip("\n"))


def _show(proposal: "Proposal", target: str, top: str, *, written: bool, unmanaged: bool) -> None:
    rows = [
        {
            "router": one.seen.address, "calls itself": one.found.hostname, "is": one.device, "by": one.place.by,
            "model": one.model, "addresses": len(one.found.addresses), "unmanaged": len(one.found.heads),
        }
        for one in proposal.adopted
    ]  # fmt: skip
    show_diff(proposal.changes.diff())
    if rows:
        shows.wide(out).print(shows.Table(rows).drawn())
    for one in proposal.adopted if unmanaged else ():
        say(f"{one.device}: {len(one.found.heads)} lines and sections that nobody manages")
        for head in one.found.heads:
            say(f"  {head}")
    for one in proposal.adopted:
        if one.seen.host_key:
            say(f"{one.device}: new host key {_fingerprint(one.seen.host_key)}; compare it on the device")
    for seen in proposal.unknown:
        vendor = (seen.identity.vendor if seen.identity else None) or "unknown vendor"
        kept = "its configuration is kept sealed" if seen.text is not None else f"not read: {seen.said}"
        say(f"! {seen.address}: {vendor}, no platform of ours; {kept}. Nothing of it is locked.")
    for seen, found in proposal.unplaced:
        line = f"{found.hostname or seen.address},CODE"
        say(f"! {seen.address} ({found.hostname}): nothing tells its site. Name it in a list: --map FILE with {line}.")
    for seen in proposal.unread:
        say(f"! {seen.address}: {seen.said}")
    left = Counter(unknown=len(proposal.unknown), placeless=len(proposal.unplaced), unread=len(proposal.unread))
    said = ", ".join(f"{count} {what}" for what, count in left.items() if count)
    say(f"{len(proposal.adopted)} routers{f' ({said} left out)' if said else ''}.")
    if written:
        scope = target if "/" not in target else top
        say(f"Written, observed only: the first plan is empty. Look: cuntong plan {scope}")
        say("Take sections over one by one: cuntong adopt SCOPE --take time --write")
    elif proposal.adopted:
        say("Nothing was written. --write does.")


def _fingerprint(key: str) -> str:
    import base64
    import hashlib

    digest = hashlib.sha256(base64.b64decode(key.split()[1])).digest()
    return f"{key.split()[0]} SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def _document(proposal: "Proposal", written: bool) -> dict[str, Any]:
    return {
        "written": written,
        "files": sorted(proposal.changes.after),
        "diff": proposal.changes.diff(),
        "adopted": [
            {
                "address": one.seen.address, "hostname": one.found.hostname, "device": one.device, "by": one.place.by,
                "model": one.model, "serial": one.seen.identity.serial if one.seen.identity else None,
                "host_key": one.seen.host_key or None, "unmanaged": list(one.found.heads),
                "addresses": [
                    {"kind": a.kind, "vpn": a.vpn, "address": str(a.address), "hop": a.hop, "interface": a.interface}
                    for a in one.found.addresses
                ],
            }
            for one in proposal.adopted
        ],
        "unknown": [
            {
                "address": one.address, "vendor": one.identity.vendor if one.identity else None,
                "kept": one.text is not None, "said": one.said,
            }
            for one in proposal.unknown
        ],
        "unplaced": [{"address": seen.address, "hostname": found.hostname} for seen, found in proposal.unplaced],
        "unread": [{"address": one.address, "said": one.said} for one in proposal.unread],
    }  # fmt: skip
