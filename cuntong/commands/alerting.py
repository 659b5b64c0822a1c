"""Command on alerts: rules."""

from pathlib import Path
from typing import Annotated

import typer

from cuntong.commands.common import HERE, Folder, Json, app, load, print_json, say
from cuntong.errors import UsageError
from cuntong.rule_files import DASHBOARDS, RUNBOOKS


@app.command(rich_help_panel="Run")
def rules(
    folder: Folder = HERE,
    out: Annotated[
        Path | None, typer.Option(help="Write rules/*.yml and alertmanager.yml here; without it they are only checked.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option(help="A folder of rule files of your own to be checked as ours are.")
    ] = None,
    runbooks: Annotated[str, typer.Option(help="Where the runbooks are served.")] = RUNBOOKS,
    dashboards: Annotated[str, typer.Option(help="Grafana's address.")] = DASHBOARDS,
    as_json: Json = False,
) -> None:
    """Write Prometheus' rules and Alertmanager's configuration for this inventory; each defect with file and line."""
    from cuntong import rule_files

    for address in (runbooks, dashboards):
        if not address.startswith(("http://", "https://")) or '"' in address or "'" in address or " " in address:
            raise UsageError(f"{address!r} is no address such as https://noc.example/runbooks.")
    written: tuple[Path, ...] = ()
    if check is not None:
        if not check.is_dir():
            raise UsageError(f"{check} is no folder.")
        found = rule_files.findings_in(check)
    elif out is not None:
        done = rule_files.write(load(folder), out, runbooks, dashboards)
        written, found = done.files, done.findings
    else:
        found = rule_files.findings(load(folder))
    if as_json:
        problems = [
            {"file": where.file, "line": where.line, "what": where.what, "check": one.check, "message": one.message}
            for one in found
            for where in (one.where,)
        ]
        print_json({"ok": not found, "files": list(written), "problems": problems})
    else:
        for file in written:
            say(f"Wrote {file}")
        for one in found:
            say(str(one))
        if not found:
            say("Nothing speaks against these rules.")
    if found:
        raise typer.Exit(2)
