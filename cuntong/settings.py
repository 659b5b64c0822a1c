"""Settings from the environment: ``CUNTONG_LEDGER``, ``CUNTONG_INTERVAL_S`` and so on. Options win over them."""

import os
from functools import cached_property
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from collectors.traps import Limit
from cuntong.errors import UsageError
from ledger.database import sqlite_url

SWITCH: Final = "switch.json"
"""In the state folder: a restore that was decided and not done to its end (`cuntong.safekeeping.switching`)."""


class Settings(BaseSettings):
    """Everything that can be set without editing a file.

    Attributes:
        ledger: SQLAlchemy's URL; empty for a SQLite file in the user's state folder.
        secrets: folder with one file per secret, readable by its owner alone.
        interval_s: between two polls of one device.
        timeout_s: patience of one try; each question is tried ``1 + retries`` times.
        per_uplink: devices behind one uplink that may be asked at the same time.
        ping_interval_s: between two ICMP echoes to one router; 0 sends none.
        line_proof_s: how long a new line must have been there before the old one goes.
        traps_per_source_s: notifications that are heard of one device each second, in the long run.
        traps_burst: of one device at once.
        traps_total_s: of all devices together each second; four times as many at once.
        known_hosts: the host keys of the routers by device id; empty for ``known_hosts`` in the inventory's folder.
        vault_key: file with the key of what is sealed in the ledger; empty for one in the user's state folder.
        instance: what this instance is called in signed files; empty for the inventory's title.
        exchange_key: file with the private key that signs them; empty for one in the user's state folder.
        dump_recipient: whose private key opens dumps: what `cuntong dump-key` printed; empty: a passphrase does.
        dump_passphrase: file with the passphrase of dumps, for timed work; empty: it is asked for.
        certificates: files of TLS certificates of this server, separated by colons, whose end `cuntong doctor` watches.
        simulated_ssh: TCP port of the simulated routers; 0 is the field.
        simulated_devices: file with the ids of the simulated county's devices, in the order of their addresses; empty
            where the inventory has not changed since the simulator began.
        simulated_snmp: UDP port of the simulated county, which `cuntong doctor` asks then; 0 is the field.
        public: everybody who reaches the API reads what may be published: figures, no devices, people or tasks.
        open_reading: everybody reads everything; only where the API listens on loopback, as in the demo.
        minute_s: seconds in a minute of the routers' own timers: 60 but for simulated ones.
    """

    model_config = SettingsConfigDict(env_prefix="CUNTONG_", env_ignore_empty=True)

    ledger: str = ""
    secrets: Path = Path("/etc/cuntong/secrets")
    interval_s: float = Field(default=60.0, ge=1.0, le=3600.0)
    timeout_s: float = Field(default=1.0, gt=0, le=30.0)
    retries: int = Field(default=2, ge=0, le=10)
    per_uplink: int = Field(default=8, ge=1, le=1000)
    ping_interval_s: float = Field(default=60.0, ge=0, le=3600.0)
    line_proof_s: float = Field(default=1800.0, ge=1.0, le=30 * 86_400.0)
    traps_per_source_s: float = Field(default=5.0, gt=0, le=10_000)
    traps_burst: int = Field(default=20, ge=1, le=100_000)
    traps_total_s: float = Field(default=500.0, gt=0, le=100_000)
    known_hosts: Path | None = None
    vault_key: Path | None = None
    instance: str = Field(default="", max_length=80)
    exchange_key: Path | None = None
    dump_recipient: str = ""
    dump_passphrase: Path | None = None
    certificates: str = ""
    simulated_ssh: int = Field(default=0, ge=0, le=65535)
    simulated_snmp: int = Field(default=0, ge=0, le=65535)
    simulated_devices: Path | None = None
    public: bool = False
    open_reading: bool = False
    minute_s: float = Field(default=60.0, gt=0, le=60.0)

    @property
    def trap_limits(self) -> tuple[Limit, Limit]:
        """Of one device, of all together."""
        total = self.traps_total_s
        return Limit(self.traps_per_source_s, self.traps_burst), Limit(total, max(1, round(4 * total)))

    @property
    def spool_folder(self) -> Path:
        """Where a collector keeps what a ledger on another machine did not take yet."""
        return state_folder() / "spool"

    @property
    def vault_key_path(self) -> Path:
        return self.vault_key or state_folder() / "vault.key"

    @property
    def exchange_key_path(self) -> Path:
        return self.exchange_key or state_folder() / "exchange.key"

    @cached_property
    def ledger_url(self) -> str:
        if self.ledger:
            return self.ledger
        folder = state_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return sqlite_url(folder / "ledger.sqlite3")


def settings() -> Settings:
    """What the environment says.

    Raises:
        UsageError: a variable's value cannot be used; all of them are named.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = (f"CUNTONG_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}." for one in error.errors())
        raise UsageError("\n".join(wrong)) from None


def state_folder() -> Path:
    """Where this user's programs keep what they must not lose."""
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "cuntong"
