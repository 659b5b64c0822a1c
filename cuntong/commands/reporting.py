"""Commands that write papers: report bulletin, publish, daily, spot-check, ledger, ranking, carrier, list and more."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from sqlalchemy import Engine

from cuntong import identity
from cuntong import show as shows
from cuntong.commands.common import HERE, InventoryFolder, Json, app, load, out, print_json, say
from cuntong.commands.common import day as day_of
from cuntong.errors import UsageError
from cuntong.settings import settings

if TYPE_CHECKING:
    from api.reports.sheet import Sheet
    from api.standing import Standing

report = typer.Typer(help="Bulletins, ledgers and lists, as Word, PDF and spreadsheet.", no_args_is_help=True)
app.add_typer(report, name="report", rich_help_panel="People")

Division = Annotated[str | None, typer.Option(help="A division's code; the deployment's own if left out.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="The file.", show_default="named after the report")]
Month = Annotated[str, typer.Argument(metavar="MONTH", help="Such as 2026-10.")]
Issuer = Annotated[str, typer.Option(help="Who issues it; stands at the end.")]
Fonts = Annotated[
    Path | None, typer.Option(envvar="CUNTONG_FONTS", help="A folder with your fonts (仿宋, 小标宋), for PDF.")
]


class Format(StrEnum):
    DOCX = "docx"
    PDF = "pdf"
    XLSX = "xlsx"


As = Annotated[Format, typer.Option("--format", help="What kind of file.")]


@contextmanager
def _standing(folder: Path) -> Iterator[tuple["Standing", Engine]]:
    from api.standing import Standing

    inventory = load(folder)
    with identity.ledger(settings()) as engine:
        standing = Standing(inventory, engine, time.time, stale_after_s=3 * settings().interval_s + 30)
        standing.refresh()
        yield standing, engine


def _node(standing: "Standing", division: str | None) -> int:
    if division is None:
        return 0
    try:
        return standing.inventory.nodes.find(division)
    except KeyError:
        raise UsageError(f"{division!r} is no division of {standing.inventory.title}.") from None


def _write(sheet: "Sheet", kind: Format, path: Path, at: float, fonts: Path | None) -> None:
    from api.reports import docx, pdf, xlsx

    match kind:
        case Format.DOCX:
            data = docx.render(sheet)
        case Format.PDF:
            data = pdf.render(sheet, int(at), fonts)
        case Format.XLSX:
            data = xlsx.render(sheet)
    half = path.with_name(f".{path.name}.half")
    try:
        half.write_bytes(data)
        half.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    say(f"{path}: {''.join(sheet.title)}")


@contextmanager
def _checked() -> Iterator[None]:
    """A month, a day or a year that does not exist or has not come is wrong input."""
    try:
        yield
    except ValueError as error:
        raise UsageError(str(error)) from None


@report.command("bulletin")
def bulletin(
    month: Month,
    division: Division = None,
    kind: As = Format.DOCX,
    output: Output = None,
    edition: Annotated[int | None, typer.Option(help="Of several editions this one.", min=1)] = None,
    issuer: Issuer = "",
    fonts: Fonts = None,
    folder: InventoryFolder = HERE,
) -> None:
    """Write a month's bulletin (月通报): as it was published, else a draft from today's ledger."""
    from api.bulletins import BULLETIN, bulletin_of
    from api.periods import months_before
    from api.reports import making
    from ledger import reports

    with _checked(), _standing(folder) as (standing, engine):
        node = _node(standing, division)
        code = standing.inventory.nodes.codes[node]
        (last,) = months_before(date.fromisoformat(f"{month}-01"), 1)
        with engine.connect() as connection:
            frozen = reports.fetch(connection, BULLETIN, month, code, edition)
            before = reports.fetch(connection, BULLETIN, last, code)
        if frozen is None and edition is not None:
            raise UsageError(f"{month} of {code} has no edition {edition}.")
        document = frozen.document if frozen else bulletin_of(standing, month, node).document()
        sheet = making.bulletin(document, issuer=issuer, frozen=frozen, before=before.document if before else None)
        at = frozen.frozen_at if frozen else standing.now()
    _write(sheet, kind, output or Path(f"bulletin-{code}-{month}.{kind}"), at, fonts)


@report.command("publish")
def publish(
    month: Month,
    division: Division = None,
    reason: Annotated[str, typer.Option(help="Of a correction: why. A published bulletin never changes.")] = "",
    folder: InventoryFolder = HERE,
) -> None:
    """Publish a month's bulletin: frozen with its hash, a correction is another edition."""
    from api.actions import office
    from api.bulletins import BULLETIN, bulletin_of

    with _checked(), _standing(folder) as (standing, engine):
        node = _node(standing, division)
        made = bulletin_of(standing, month, node)
        frozen = office.publish(
            engine, standing.inventory, identity.actor(engine), BULLETIN, month, made.code, made.document(),
            made.as_of, time.time(), reason,
        )  # fmt: skip
    say(f"{BULLETIN} {month} of {made.code}: edition {frozen.edition}, sha256 {frozen.sha256}")


@report.command("list")
def every(division: Division = None, as_json: Json = False, folder: InventoryFolder = HERE) -> None:
    """List what was published, the newest edition of each month."""
    from api.bulletins import BULLETIN
    from api.standing import shown
    from ledger import reports

    with _standing(folder) as (standing, engine):
        code = standing.inventory.nodes.codes[_node(standing, division)] if division else None
        with engine.connect() as connection:
            rows = [
                {
                    "month": one.period, "division": one.division, "edition": one.edition,
                    "by": one.frozen_by, "at": shown(one.frozen_at).isoformat(timespec="seconds"),
                    "sha256": one.sha256 if as_json else one.sha256[:12], "reason": one.reason or None,
                }
                for one in reports.every(connection, BULLETIN, code)
            ]  # fmt: skip
    if as_json:
        print_json(rows)
    else:
        shows.wide(out).print(shows.Table(rows).drawn())


@report.command("daily")
def daily(
    day: Annotated[str | None, typer.Argument(metavar="DAY", help="Such as 2026-11-20; today if left out.")] = None,
    division: Division = None,
    kind: As = Format.XLSX,
    output: Output = None,
    fonts: Fonts = None,
    folder: InventoryFolder = HERE,
) -> None:
    """Write the daily check (日巡查): a row for every site."""
    from api.daily import daily_report
    from api.reports import making

    wanted = day_of(day, time.time())
    with _checked(), _standing(folder) as (standing, _):
        node = _node(standing, division)
        sheet = making.daily(standing.inventory.nodes.names[node], wanted, daily_report(standing, wanted, node))
        at = standing.now()
    _write(sheet, kind, output or Path(f"daily-{wanted}.{kind}"), at, fonts)


@report.command("spot-check")
def spot_check(
    week: Annotated[str, typer.Argument(metavar="WEEK", help="Such as 2026-W47.")],
    draw: Annotated[int | None, typer.Option(help="Draw so many sites now; once for a week and a division.")] = None,
    division: Division = None,
    kind: As = Format.XLSX,
    output: Output = None,
    fonts: Fonts = None,
    folder: InventoryFolder = HERE,
) -> None:
    """Draw a week's unannounced check (周暗访), or write the form of one that was drawn."""
    from api.actions import office
    from api.reports import making
    from ledger import spot_checks

    try:
        datetime.strptime(f"{week}-1", "%G-W%V-%u")  # noqa: DTZ007  only whether there is such a week
    except ValueError:
        raise UsageError(f"{week!r} is no week. Write it as 2026-W47.") from None
    with _standing(folder) as (standing, engine):
        code = standing.inventory.nodes.codes[_node(standing, division)]
        if draw is not None:
            office.draw(standing, engine, identity.actor(engine), code, week, draw, time.time())
        with engine.connect() as connection:
            made = spot_checks.find_draw(connection, code, week)
        if made is None:
            raise UsageError(f"Nothing was drawn for {week} of {code}. Draw with --draw NUMBER.")
        sheet = making.spot_check(standing, made)
    _write(sheet, kind, output or Path(f"spot-check-{code}-{week}.{kind}"), made.drawn_at, fonts)


@report.command("ledger")
def ledger(
    month: Month,
    due: Annotated[int, typer.Option(help="The day of the month on which it is due.", min=1, max=31)] = 25,
    kind: As = Format.XLSX,
    output: Output = None,
    fonts: Fonts = None,
    folder: InventoryFolder = HERE,
) -> None:
    """Write the month's ledger (台账): who signed, who is late."""
    from api.reports import making
    from api.sign_offs import LEDGER, sign_offs
    from ledger import reports

    with _checked(), _standing(folder) as (standing, engine):
        owed = sign_offs(standing, month, due_day=due)
        with engine.connect() as connection:
            sheet = making.ledger(standing, owed, reports.signed(connection, LEDGER, month))
        at = standing.now()
    _write(sheet, kind, output or Path(f"ledger-{month}.{kind}"), at, fonts)


@report.command("sign")
def sign(
    month: Month,
    division: Annotated[str, typer.Argument(help="The township that signs.")],
    column: Annotated[
        list[str] | None, typer.Option(help="A manual column, as 名称=内容; several times for several.")
    ] = None,
    folder: InventoryFolder = HERE,
) -> None:
    """Sign a township's ledger of a month."""
    from api.actions import office
    from api.sign_offs import LEDGER
    from ledger.reports import Signature

    columns = {}
    for text in column or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{text!r} is no column. Write 名称=内容.")
        columns[name.strip()] = value.strip()
    with _checked(), _standing(folder) as (standing, engine):
        actor, now = identity.actor(engine), time.time()
        code = standing.inventory.nodes.codes[_node(standing, division)]
        signature = Signature(LEDGER, month, code, day_of(None, now), actor.name, columns)
        office.sign(engine, standing.inventory, actor, signature, now)
    say(f"{LEDGER} {month} of {code} is signed by {actor.name}")


@report.command("ranking")
def ranking(
    year: Annotated[int, typer.Argument(metavar="YEAR", help="Such as 2026.", min=2000, max=9999)],
    division: Division = None,
    kind: As = Format.XLSX,
    output: Output = None,
    issuer: Issuer = "",
    fonts: Fonts = None,
    folder: InventoryFolder = HERE,
) -> None:
    """Write the year's ranking (年评比) from its twelve published bulletins; refused while one is missing."""
    from api.bulletins import year_of
    from api.reports import making

    with _checked(), _standing(folder) as (standing, _):
        node = _node(standing, division)
        sheet = making.ranking(standing.inventory.nodes.names[node], year, year_of(standing, year, node), issuer)
        at = standing.now()
    _write(sheet, kind, output or Path(f"ranking-{year}.{kind}"), at, fonts)


def _paper(
    name: str, period: str, division: str | None, kind: Format, output: Path | None, edition: int | None,
    publish: bool, reason: str, fonts: Path | None, folder: Path, counter: str | None = None,
    prometheus: str | None = None,
) -> None:  # fmt: skip
    """Write one of the papers: as it was published where an edition is named, else fresh; ``publish`` freezes it."""
    from api.actions import office
    from api.reports import asked, kept

    with _checked(), _standing(folder) as (standing, engine):
        node = _node(standing, division)
        code = standing.inventory.nodes.codes[node]
        if edition is not None:
            found = asked.published(standing, name, period, node, edition)
            if found is None:
                raise UsageError(f"{name} {period} of {code} has no edition {edition}.")
        else:
            measured = None
            if prometheus is not None:
                from cuntong.traffic import of_month

                measured = of_month(standing.inventory, prometheus, period.partition(".")[0], standing.now())
            found = asked.fresh(standing, name, period, node, counter, measured)
        if publish and edition is None:
            frozen = office.publish(
                engine, standing.inventory, identity.actor(engine), name, found.period, code,
                kept.as_document(found.sheet), found.at, time.time(), reason,
            )  # fmt: skip
            say(f"{name} {found.period} of {code}: edition {frozen.edition}, sha256 {frozen.sha256}")
            found = asked.published(standing, name, found.period, node, frozen.edition) or found
    _write(found.sheet, kind, output or Path(f"{name}-{code}-{found.period}.{kind}"), found.at, fonts)


Edition = Annotated[int | None, typer.Option(help="As it was published in this edition.", min=1)]
Publish = Annotated[bool, typer.Option("--publish", help="Freeze it under its hash; again: a correction.")]
Reason = Annotated[str, typer.Option(help="Of a correction: why. What is published never changes.")]


@report.command("evaluation")
def evaluation(
    first: Annotated[str, typer.Argument(metavar="FROM", help="The earlier day, such as 2026-01-01.")],
    last: Annotated[str, typer.Argument(metavar="TO", help="The later day.")],
    division: Division = None, kind: As = Format.DOCX, output: Output = None, edition: Edition = None,
    publish: Publish = False, reason: Reason = "", fonts: Fonts = None, folder: InventoryFolder = HERE,
) -> None:  # fmt: skip
    """Write the evaluation of two days (后评估): figures beside each other, and each village that changed."""
    from api.reports import papers

    _paper(papers.EVALUATION, f"{first}..{last}", division, kind, output, edition, publish, reason, fonts, folder)


@report.command("assessment")
def assessment(
    year: Annotated[str, typer.Argument(metavar="YEAR", help="Such as 2026.")],
    division: Division = None, kind: As = Format.XLSX, output: Output = None, edition: Edition = None,
    publish: Publish = False, reason: Reason = "", fonts: Fonts = None, folder: InventoryFolder = HERE,
) -> None:  # fmt: skip
    """Write the annual assessment (年度考核) by the scoring sheet in assessment.yml."""
    from api.reports import papers

    _paper(papers.ASSESSMENT, year, division, kind, output, edition, publish, reason, fonts, folder)


@report.command("readiness")
def readiness(
    division: Division = None, kind: As = Format.XLSX, output: Output = None, publish: Publish = False,
    reason: Reason = "", fonts: Fonts = None, folder: InventoryFolder = HERE,
) -> None:  # fmt: skip
    """Write the five preconditions of each site (场所、事项、网络、指导、经费), the network computed."""
    from api.reports import papers

    _paper(papers.READINESS, "", division, kind, output, None, publish, reason, fonts, folder)


@report.command("carrier")
def carrier(
    name: Annotated[str, typer.Option("--carrier", help="As in county.yml, such as telecom.")],
    month: Annotated[str, typer.Option("--month", help="Such as 2026-10.")],
    division: Division = None, kind: As = Format.PDF, output: Output = None, edition: Edition = None,
    publish: Publish = False, reason: Reason = "", fonts: Fonts = None, folder: InventoryFolder = HERE,
    prometheus: Annotated[
        str | None, typer.Option(metavar="URL", help="Where the month's traffic of the lines is asked for.")
    ] = None,
) -> None:  # fmt: skip
    """Write a carrier's month: each circuit against its contract, each outage with whose fault it was and the proof."""
    from api.reports.carrier import CARRIER

    _paper(
        CARRIER, f"{month}.{name}", division, kind, output, edition, publish, reason, fonts, folder,
        prometheus=prometheus,
    )  # fmt: skip


@report.command("counters")
def counters(
    name: Annotated[str | None, typer.Argument(help="Only this counter.")] = None,
    division: Division = None, kind: As = Format.XLSX, output: Output = None, publish: Publish = False,
    reason: Reason = "", fonts: Fonts = None, folder: InventoryFolder = HERE,
) -> None:  # fmt: skip
    """Write every dated value of imported counters, with who told them and from where."""
    from api.reports import papers

    _paper(papers.COUNTERS, "", division, kind, output, None, publish, reason, fonts, folder, name)
