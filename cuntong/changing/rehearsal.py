"""The demo's provisioning run: some routers come bare from the bench, and are planned, approved and changed in waves.

Everything is as in the field but for the devices: secrets in files, host keys that must be known, two accounts (with
passwords that nobody knows, made up on the spot), one who plans and another who approves.
"""

import asyncio
import os
import secrets
import shlex
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from api.actions import accounts as actions
from cuntong.changing.applying import LEASE_S, Controller, Result, Tell, new_run_id
from cuntong.changing.approving import require_approved, say_of
from cuntong.changing.gates import require_watch
from cuntong.changing.planning import templates_of, write_plan
from cuntong.changing.reach import platform_of, reach
from cuntong.errors import StartError
from cuntong.settings import Settings
from inventory.devices import Device
from inventory.model import Inventory
from ledger import accounts, rollouts
from ledger.accounts import Role
from ledger.database import open_ledger
from ledger.vault import open_vault
from rollout.plan import Plan, Terms
from simulator.control import request

MINUTE_S: Final = 2.0
"""A minute of the demo's routers: a reboot that is scheduled in five comes after ten seconds."""
BOOT_S: Final = 3.0
OFFICE: Final = "demo-office"
_TOKEN_S: Final = 86_400.0
_PASSWORD_BYTES: Final = 24


def lay_out(inventory: Inventory, place: Path, bare: Sequence[Device]) -> dict[str, str]:
    """Secrets, and a startup configuration for every router that is not bare; what programs must be told of it."""
    network = inventory.county.network
    if network is None:
        raise StartError(f"{inventory.folder / 'county.yml'} has no `network`: nothing says how routers are managed.")
    wanted = [network.login.password, network.login.enable, network.snmp.auth_password, network.snmp.priv_password]
    wanted += [network.ipsec.psk] if network.ipsec else []
    folder = place / "secrets"
    for reference in {one for one in wanted if one}:
        path = folder / reference.removeprefix("secret://")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(18) + "\n", "ascii")
    configurations = place / "configurations"
    configurations.mkdir(mode=0o700)
    left_out, templates = {device.id for device in bare}, templates_of(inventory)
    for device in inventory.devices:
        platform = platform_of(inventory, device)
        if platform is not None and device.id not in left_out:
            text = templates.render(inventory, device, platform)
            (configurations / f"{device.id}.cfg").write_text(text, "utf-8")
    return {
        "CUNTONG_SECRETS": str(folder),
        "CUNTONG_KNOWN_HOSTS": str(place / "known_hosts"),
        "CUNTONG_VAULT_KEY": str(place / "vault.key"),
        "CUNTONG_MINUTE_S": str(MINUTE_S),
    }


def learn_host_keys(control: Path, known_hosts: Path) -> None:
    """What an operator writes down at the bench: the key of each router.

    Raises:
        StartError: the simulator does not tell.
    """
    answer = asyncio.run(request(control, {"do": "host_keys"}))
    if not answer.get("ok"):
        raise StartError(f"The simulator does not tell its host keys: {answer.get('error')}")
    known_hosts.write_text("".join(f"{id} {key}\n" for id, key in answer["host_keys"].items()), "ascii")


def perform(
    inventory: Inventory,
    settings: Settings,
    scope: str,
    devices: Sequence[Device],
    terms: Terms,
    tell: Tell,
    *,
    blind: bool = False,
) -> tuple[Plan, Result]:
    """Plan, have it approved by a second person, and carry it out.

    Args:
        blind: no collector measures these sites, and the gates see nothing.

    Raises:
        CuntongError: what would stop it in the field.
    """
    engine = open_ledger(settings.ledger_url)
    try:
        people(engine, inventory.top)
        with engine.connect() as connection:
            author, approver = (accounts.find(connection, name) for name in ("demo-engineer", "demo-approver"))
        name, plan = write_plan(
            inventory, scope, devices, reach(inventory, settings), templates_of(inventory), terms, engine, author,
            open_vault(settings.vault_key_path),
        )  # fmt: skip
        with engine.connect() as connection:
            kept = rollouts.find_plan(connection, name)
        say_of(engine, approver, inventory, kept, "approve", "the demo's second person", time.time())
        now = time.time()
        with engine.connect() as connection:
            require_approved(connection, kept, plan, now)
        if not blind:
            require_watch(engine, settings.interval_s, now)
        run = rollouts.start(engine, new_run_id(now), name, author.name, "demo", now, LEASE_S)
        return plan, Controller(inventory, settings, engine, plan, run, tell, blind=blind).lead()
    finally:
        engine.dispose()


def people(engine: Engine, top: str) -> None:
    """Accounts, as separation of duties wants: who creates, who grants, who plans, who approves; and the office.

    Each has a password that nobody knows. Where they are there already, nothing is done.
    """
    now = time.time()
    with engine.connect() as connection:
        if accounts.every(connection):
            return
    actions.add_account(engine, None, "demo-admin", "", _password(), now)
    actions.grant_role(engine, None, "demo-admin", Role.SYS_ADMIN, top, now)
    with engine.connect() as connection:
        admin = accounts.find(connection, "demo-admin")
    for name in ("demo-security", "demo-engineer", "demo-approver", OFFICE):
        actions.add_account(engine, admin, name, "", _password(), now)
    actions.grant_role(engine, admin, "demo-security", Role.SEC_ADMIN, top, now)
    with engine.connect() as connection:
        security = accounts.find(connection, "demo-security")
    for name in ("demo-engineer", "demo-approver"):
        actions.grant_role(engine, security, name, Role.NETWORK_ENGINEER, top, now)
    for role in (Role.REFORM_VIEWER, Role.NOC_OPERATOR):
        actions.grant_role(engine, security, OFFICE, role, top, now)


def token(url: str, top: str, name: str) -> str:
    """A token of one of the demo's people for one day."""
    engine = open_ledger(url)
    try:
        people(engine, top)
        with engine.connect() as connection:
            account = accounts.find(connection, name)
        return actions.make_token(engine, account, "demo", time.time(), _TOKEN_S)
    finally:
        engine.dispose()


def write_shell(place: Path, inventory: Inventory, ledger_url: str, environment: Mapping[str, str]) -> Path:
    """A file that makes a shell the terminal of the demo's engineer: its ledger, its secrets, a copy of the inventory.

    ``as_approver`` before a command makes it the second person's. The file holds both tokens, for its owner alone.
    """
    folder = place / "inventory"
    shutil.copytree(inventory.folder, folder)
    told = {
        **environment,
        "CUNTONG_INVENTORY": str(folder),
        "CUNTONG_TOKEN": token(ledger_url, inventory.top, "demo-engineer"),
    }
    programs = shlex.quote(str(Path(sys.executable).parent))
    approver = shlex.quote(token(ledger_url, inventory.top, "demo-approver"))
    lines = [f"export {name}={shlex.quote(value)}" for name, value in told.items()]
    lines += [f"export PATH={programs}:$PATH", f'as_approver() {{ CUNTONG_TOKEN={approver} "$@"; }}']
    path = place / "engineer"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("\n".join(lines) + "\n")
    return path


def _password() -> str:
    return secrets.token_urlsafe(_PASSWORD_BYTES) + "Aa1"
