"""What every self-service kiosk that we set up is told: ``kiosks`` in county.yml. Secrets are references."""

from ipaddress import IPv4Network
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from inventory.declared import Declared
from inventory.network import Login, SnmpUser

Url = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.-]{1,120}(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]{0,200})?$")]
UsbId = Annotated[str, Field(pattern=r"^[0-9a-f]{4}:[0-9a-f]{4}$")]
UsbPort = Annotated[str, Field(pattern=r"^[0-9]{1,2}-[0-9]{1,2}(\.[0-9]{1,2}){0,4}$")]
"""Where a device is plugged in, as the kernel names it: ``1-2``, ``1-1.4`` behind a hub."""
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
TcpPort = Annotated[int, Field(ge=1, le=65535)]
Part = Literal["document-camera", "id-card-reader", "printer", "ups", "other"]
"""What a device on USB is to people; all but ``other`` are reported when they are missing."""


class Destination(Declared):
    """Where kiosks may connect to.

    Attributes:
        addresses: prefixes; the firewall knows no names.
        ports: of TCP.
    """

    addresses: tuple[IPv4Network, ...] = Field(min_length=1)
    ports: tuple[TcpPort, ...] = Field(default=(443,), min_length=1)


class GovPlatform(Destination):
    """A platform whose pages the browser may show.

    Attributes:
        urls: each with everything below it.
    """

    title: str = ""
    urls: tuple[Url, ...] = Field(min_length=1)


class Mirror(Destination):
    """The internal mirror of the distribution, from which kiosks are kept up to date."""

    url: Url
    suite: Name
    components: tuple[Name, ...] = ("main",)
    security_suite: Annotated[str, Field(pattern=r"^[a-z][a-z0-9/-]{0,40}$")] | None = None


class Peripheral(Declared):
    """A device on USB, by VID:PID; whatever is not declared stays without power of speech.

    Attributes:
        port: where it must be plugged in; None allows every socket.
    """

    part: Part
    usb: UsbId
    port: UsbPort | None = None


class Kiosks(Declared):
    """What every kiosk on Linux is told.

    Attributes:
        login: how we log in to set them up: by private key.
        snmp: the user by whom they are asked.
        home: the page that a citizen finds; one of the platforms allows it.
        rating: the page for citizens' ratings (好差评), likewise; None where it is not looked at.
        fitted: by model of the catalogue, which of the peripherals its kiosks have.
        idle_s: after so many seconds without a touch everything that the citizen left is wiped.
    """

    login: Login
    snmp: SnmpUser
    home: Url
    rating: Url | None = None
    platforms: dict[Name, GovPlatform] = Field(min_length=1)
    mirror: Mirror
    peripherals: dict[Name, Peripheral] = Field(default_factory=dict)
    fitted: dict[str, tuple[Name, ...]] = Field(default_factory=dict)
    idle_s: Annotated[int, Field(ge=10, le=60)] = 60

    @field_validator("login")
    @classmethod
    def _by_key(cls, given: Login) -> Login:
        if given.private_key is None:
            raise ValueError("kiosks are set up by private key. | Add private_key: secret://...")
        return given

    @model_validator(mode="after")
    def _agrees(self) -> "Kiosks":
        urls = [url for platform in self.platforms.values() for url in platform.urls]
        for page in filter(None, (self.home, self.rating)):
            if not any(_below(page, url) for url in urls):
                raise ValueError(f"{page} is below no url of the platforms. | Add its url to a platform.")
        for model, names in self.fitted.items():
            unknown = [name for name in names if name not in self.peripherals]
            if unknown:
                raise ValueError(
                    f"fitted.{model} names {', '.join(unknown)}, and peripherals does not. | Add it under peripherals."
                )
        return self


def _below(url: str, top: str) -> bool:
    """Whether a browser that is allowed ``top`` opens ``url``."""
    asked, allowed = urlsplit(url), urlsplit(top)
    same = (asked.scheme, asked.netloc) == (allowed.scheme, allowed.netloc)
    return same and asked.path.startswith(allowed.path)
