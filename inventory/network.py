"""What every router of a deployment is told: ``network`` in county.yml. Secrets are references, never values."""

from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from inventory.declared import Declared

SecretReference = Annotated[str, Field(pattern=r"^secret://[A-Za-z0-9][A-Za-z0-9._/-]{0,100}$")]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$")]
Port = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z-]* ?[0-9]*(/[0-9]+){0,3}$", max_length=32)]
"""An interface's name in its vendor's spelling: ``GigabitEthernet0/0/1``, ``GigabitEthernet 0/1``, ``eth1``."""


class Ports(Declared):
    """What is plugged where.

    Attributes:
        uplinks: one for each line, the main one first.
        downlink: the port behind which the lines to the sites below arrive, one VLAN each; None at a site without any.
        lan: ports of the site's own network.
        cellular: where a 4G or 5G line comes in.
        other: ports of the model that are never used here.
    """

    uplinks: tuple[Port, ...] = Field(min_length=1, max_length=4)
    downlink: Port | None = None
    lan: tuple[Port, ...] = ()
    cellular: Port | None = None
    other: tuple[Port, ...] = ()


class Login(Declared):
    """How we log in: as one named user, with a password or a private key."""

    user: Word
    password: SecretReference | None = None
    private_key: SecretReference | None = None
    enable: SecretReference | None = None
    port: Annotated[int, Field(ge=1, le=65535)] = 22


class SnmpUser(Declared):
    """The user of SNMPv3 that routers are given, for us to ask them and for their notifications."""

    user: Word
    group: Word = "cuntong"
    auth: Literal["sha", "sha256"] = "sha256"
    auth_password: SecretReference
    priv: Literal["aes128", "aes256"] = "aes128"
    priv_password: SecretReference


class Vpn(Declared):
    """One zone on the lines: its VLAN tag and its route distinguisher."""

    vlan: Annotated[int, Field(ge=2, le=4094)]
    rd: Annotated[str, Field(pattern=r"^[0-9]{1,10}:[0-9]{1,10}$")]


class Ipsec(Declared):
    """The hub of lines of type ``ipsec_inet``."""

    hub: IPv4Address
    psk: SecretReference


class Probe(Declared):
    """The service platform that every router probes by itself, as the people of its site would reach it.

    Attributes:
        zone: of ``vpns``: the probe starts at the site's own address there; without one at the router's.
    """

    address: IPv4Address
    zone: Word | None = None


class Network(Declared):
    """What every router is told.

    Attributes:
        managers: from where devices may be managed; ``manager`` is the address of the machine that changes them.
        vpns: by zone of the address plan; the zones that routers keep apart.
        reaches: addresses that every router must reach after a change, such as the hub's; tried from its own address.
        firmware: approved versions by model of the catalogue.
        probe: what routers probe; none where nothing is named.
    """

    managers: tuple[IPv4Network, ...] = Field(min_length=1)
    manager: IPv4Address
    login: Login
    snmp: SnmpUser
    ntp: tuple[IPv4Address, ...] = Field(min_length=1)
    syslog: tuple[IPv4Address, ...] = ()
    traps: tuple[IPv4Address, ...] = ()
    dns: tuple[IPv4Address, ...] = ()
    reaches: tuple[IPv4Address, ...] = Field(default=(), max_length=4)
    vpns: dict[Word, Vpn] = Field(default_factory=dict)
    ipsec: Ipsec | None = None
    apn: Word | None = None
    firmware: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    probe: Probe | None = None

    @model_validator(mode="after")
    def _probes_in_a_zone_that_there_is(self) -> Self:
        if self.probe is not None and self.probe.zone is not None and self.probe.zone not in self.vpns:
            raise ValueError(f"probe.zone: {self.probe.zone!r} is none of vpns ({', '.join(self.vpns) or 'none'}).")
        return self
