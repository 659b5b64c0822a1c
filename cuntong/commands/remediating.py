"""``cuntong remediate``: two files in, the lines between them out. Talks to no device."""

from pathlib import Path
from typing import Annotated

import typer

from cuntong.commands.common import Json, app, err, print_json, say
from cuntong.errors import UsageError
from rollout.errors import UnparsableError
from rollout.platform import Platform


@app.command(rich_help_panel="Change devices")
def remediate(
    running: Annotated[Path, typer.Argument(help="The running configuration, as the device prints it.")],
    intended: Annotated[Path, typer.Argument(help="What it should say: whole sections and families of lines.")],
    platform: Annotated[str, typer.Option(help="vrp, comware, rgos or frr.")],
    manager: Annotated[
        str | None, typer.Option(help="Address of the management station; without it the default route is the path.")
    ] = None,
    children: Annotated[bool, typer.Option("--children", help="Other sites hang below this device.")] = False,
    as_json: Json = False,
) -> None:
    """Print the commands that turn one configuration into another, the way back, and what is dangerous in it."""
    from rollout.remediation import remediate as work

    try:
        kind = Platform(platform)
    except ValueError:
        raise UsageError(f"{platform!r} is no platform: take one of {', '.join(Platform)}.") from None
    try:
        answer = work(kind, _read(running), _read(intended), manager=manager, children=children)
    except UnparsableError as error:
        raise UsageError(str(error)) from None
    if as_json:
        print_json(
            {
                "commands": answer.commands,
                "rollback": answer.rollback,
                "hazards": [
                    {"id": one.id, "line": one.line, "why": one.why, "fatal": one.fatal} for one in answer.hazards
                ],
                "unmanaged": answer.unmanaged,
                "path_class": answer.path_class,
            }
        )
    else:
        for line in answer.commands:
            say(line)
        for one in answer.hazards:
            err.print(
                f"{'refused' if one.fatal else 'note'}: {one.id}: {one.line}: {one.why}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
    if answer.refused:
        raise typer.Exit(1)


def _read(path: Path) -> str:
    """A configuration; VRP and Comware write descriptions in GBK where someone typed them so."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}.") from None
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UsageError(f"{path}: this is no text.")
