"""Commands that ask one device."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cuntong import show as shows
from cuntong.commands.common import Json, app, err, host_and_port, out, print_json
from cuntong.errors import StartError
from cuntong.settings import settings


@app.command(rich_help_panel="Ask devices")
def poll(
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS[:PORT]", help="Where the device answers; port 161 if left out.")
    ],
    community: Annotated[str, typer.Option(envvar="CUNTONG_COMMUNITY", help="SNMP community.")] = "public",
    credential: Annotated[
        str | None, typer.Option(help="A reference such as secret://snmp/routers; SNMPv3 users are only given so.")
    ] = None,
    profiles: Annotated[Path | None, typer.Option(help="A folder of device profiles of your own.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds of patience for each try.", min=0.05, max=60)] = 2.0,
    retries: Annotated[int, typer.Option(help="Further tries.", min=0, max=10)] = 2,
    as_json: Json = False,
) -> None:
    """Identify one device and read everything that its profile knows, once."""
    from collectors.one_shot import poll_once
    from cuntong.secrets import resolver
    from inventory.profiles import load_profiles

    host, port = host_and_port(address, 161)
    known = load_profiles(profiles)
    given = resolver(settings()).credential(credential) if credential else community
    who = given.decode() if isinstance(given, bytes) else given
    with err.status(f"Asking {address} ..."):
        try:
            readings = asyncio.run(poll_once(host, port, who, known, timeout_s=timeout, retries=retries))
        except OSError as error:
            raise StartError(f"{address}: {error.strerror or error}.") from None
    if as_json:
        print_json(readings.as_json())
    else:
        shows.wide(out).print(shows.readings(readings))
