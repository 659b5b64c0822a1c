"""The command of the wall screen: noc."""

from typing import Annotated

import typer

from cuntong.commands.common import app, say, until_interrupted


@app.command(rich_help_panel="Run")
def noc(
    prometheus: Annotated[
        str, typer.Option(envvar="CUNTONG_PROMETHEUS", help="Its address.")
    ] = "http://127.0.0.1:9090",
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8090,
    refresh: Annotated[int, typer.Option(help="Seconds between two looks.", min=2, max=3600)] = 30,
) -> None:
    """Show the eight boards on a wall screen, from Prometheus' answers; nothing else is needed, Grafana neither."""
    from cuntong import http, signals
    from cuntong.errors import UsageError
    from cuntong.wall.asking import Prometheus
    from cuntong.wall.serving import Wall

    if not prometheus.startswith(("http://", "https://")):
        raise UsageError(f"{prometheus!r} is no address. Write it as http://127.0.0.1:9090.")
    sock = http.bind(host, port)
    wall = Wall(Prometheus(prometheus), refresh)
    say(f"the wall on http://{http.address_of(sock)}/, from {prometheus}")
    until_interrupted(signals.until_told(http.serve(wall.app(), sock)))
