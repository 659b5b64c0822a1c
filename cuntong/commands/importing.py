"""Commands of spreadsheets that people fill in: import template, import run; `cuntong import FILE DIR` for short."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.syntax import Syntax

from cuntong.commands.common import HERE, Folder, Json, app, out, print_json, say
from cuntong.errors import UsageError

if TYPE_CHECKING:
    from inventory.sheets.faults import Fault
    from inventory.sheets.planning import ImportPlan

BESIDE = "file"


class _FileFirst(typer.core.TyperGroup):
    """Takes a file's name where a subcommand may stand, so that `cuntong import FILE DIR` is enough."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = [BESIDE, *args]
        return super().parse_args(ctx, args)


importing = typer.Typer(
    cls=_FileFirst,
    help="Spreadsheets that people fill in: `import FILE DIR`, and the templates for it.",
    no_args_is_help=True,
)
app.add_typer(importing, name="import", rich_help_panel="Declare")


class Template(StrEnum):
    SITES = "sites"
    CLAIMS = "claims"
    KIOSKS = "kiosks"
    DEVICES = "devices"
    CIRCUITS = "circuits"
    ALL = "all"


@importing.command(BESIDE)
def from_file(
    file: Annotated[Path, typer.Argument(help="What people sent: .xlsx or .csv.")],
    folder: Folder = HERE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change and what is wrong.")] = False,
    allocate: Annotated[bool, typer.Option(help="Give ids and addresses to what is new afterwards.")] = False,
    as_json: Json = False,
) -> None:
    """Write the rows of a spreadsheet into the inventory's files, all of them or none."""
    from cuntong.own_history import commit
    from inventory.loader import allocate_missing, plan_of
    from inventory.sheets import planning, workbook

    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    plan = planning.plan_import(folder, workbook.read(file.name, data))
    written = not dry_run and not plan.faults
    added: list[str] = []
    if written:
        plan.write()
        added = allocate_missing(folder) if allocate else []
        commit(folder, f"导入 / Import {file.name}")
    if as_json:
        document = {
            "ok": not plan.faults, "written": written, "rows": plan.rows, "files": sorted(plan.after),
            "new_sites": plan.new_sites, "skipped": list(plan.skipped), "allocated": added,
            "faults": [_cell(one) for one in plan.faults],
            "repaired": [_cell(one) for one in plan.repaired],
        }  # fmt: skip
        print_json({**document, "diff": plan.diff()})
    else:
        diff = plan.diff()
        if diff and (dry_run or plan.faults):
            if out.is_terminal:
                out.print(Syntax(diff, "diff", background_color="default", word_wrap=False))
            else:
                say(diff.rstrip("\n"))
        for fault in (*plan.faults, *plan.repaired):
            say(str(fault))
        for name in plan.skipped:
            say(f"跳过工作表 {name}：没有认识的列名 / the sheet {name} was skipped: none of its headers is known")
        say(_summary(plan, written))
        if written and not allocate and plan.after and plan_of(folder)[2]:
            say(f"Next: cuntong check {folder} --allocate, which gives ids and addresses to what is new.")
        for line in added:
            say(line)
    if plan.faults:
        raise typer.Exit(2)


def _cell(one: "Fault") -> dict[str, object]:
    return {
        "sheet": one.sheet, "row": one.row or None, "column": one.column or None, "header": one.header or None,
        "zh": one.zh, "en": one.en,
    }  # fmt: skip


def _summary(plan: "ImportPlan", written: bool) -> str:
    if plan.faults:
        bad = len({(one.sheet, one.row) for one in plan.faults})
        return f"{bad} 行有误，未写入 / {bad} rows are wrong, nothing was written ({plan.rows} rows were understood)"
    files = ", ".join(sorted(plan.after)) or "-"
    if not plan.after:
        return f"{plan.rows} 行，没有改动 / {plan.rows} rows, nothing changes"
    done = "已写入 / written" if written else "试运行，未写入 / dry run, nothing was written"
    return f"{plan.rows} 行 / {plan.rows} rows → {files}: {done}"


@importing.command("template")
def template(
    what: Annotated[Template, typer.Argument(help="Which table; all of them in one workbook.")],
    folder: Folder = HERE,
    xlsx: Annotated[Path | None, typer.Option(help="Write a workbook with lists to choose from.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write CSV instead.")] = None,
    filled: Annotated[bool, typer.Option("--filled", help="With code and name of every division in it.")] = False,
) -> None:
    """Write the template of a table: Chinese headers, and the lists of this inventory to choose from."""
    from inventory.loader import examine
    from inventory.sheets import template as templates
    from inventory.sheets.columns import TABLES
    from inventory.source import Source

    if (xlsx is None) == (csv is None):
        raise UsageError("Name one file: --xlsx FILE or --csv FILE.")
    compilation = examine(Source(folder))
    nodes = compilation.nodes
    places = [i for i in range(len(nodes)) if nodes.levels[i] >= 3 and nodes.kinds[i] != "placeholder"]
    prefilled = [(nodes.codes[i], nodes.names[i]) for i in places] if filled else []
    tables = list(TABLES.values()) if what is Template.ALL else [TABLES[what]]
    if csv is not None:
        if len(tables) > 1:
            raise UsageError("CSV holds one table: name sites, claims, devices, kiosks or circuits.")
        _write(csv, templates.csv_text(tables[0], prefilled))
    elif xlsx is not None:
        _write(xlsx, templates.xlsx(tables, compilation.county, prefilled))


def _write(path: Path, data: bytes) -> None:
    half = path.with_name(f".{path.name}.half")
    try:
        half.write_bytes(data)
        half.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    say(str(path))
