"""The pages for people, rendered on the server: no script, readable on paper and by a screen reader."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.answers import Counts, Coverage, SiteSummary
from api.auth import PublicViewer, Viewer
from api.messages import say
from api.milestones import milestones_of
from api.problems import nothing_to_see
from api.routers.coverage import contradiction_answer, counts_of, coverage_of
from api.routers.outages import outage_answer
from api.routers.sites import ancestors, site_answer, summary_of
from api.standing import CHINA, Snapshot, Standing
from api.view import View
from api.web import PUBLISHED, VIEWS, beginning, program
from health.coverage import State

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

Language = Annotated[Literal["zh", "en"], Query()]

_SITES_ON_A_PAGE: Final = 2000
"""Beyond a large county the page names divisions only; their pages name the sites."""


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["time"] = _time
    environment.filters["percent"] = _percent
    environment.filters["duration"] = _duration
    environment.globals["STATES"] = [str(state) for state in State]
    return environment


def _time(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")


def _percent(ratio: float | None) -> str:
    """One decimal, and never rounded up to the whole: 999 of 1,000 is not 100 %."""
    if ratio is None:
        return "—"
    return "100%" if ratio == 1 else f"{int(ratio * 1000) / 10:.1f}%"


def _duration(seconds: float, language: str) -> str:
    second, minute, hour, day = ("秒", "分钟", "小时", "天") if language == "zh" else ("s", "min", "h", "d")
    minutes = int(seconds) // 60
    if minutes < 1:
        return f"{int(seconds)} {second}"
    if minutes < 60:
        return f"{minutes} {minute}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} {hour} {minutes} {minute}" if hours < 48 else f"{hours // 24} {day}"


_TEMPLATES: Final = _environment()


def _page(request: Request, template: str, language: str, view: View, **values: Any) -> str:
    standing = view.standing

    def t(key: str, **words: object) -> str:
        return say(language, key, **words)

    other = "en" if language == "zh" else "zh"
    return _TEMPLATES.get_template(template).render(
        t=t,
        language=language,
        query="" if language == "zh" else f"?lang={language}",
        other=f"{request.url.path}{'' if other == 'zh' else f'?lang={other}'}",
        title=standing.inventory.title,
        inventory=standing.inventory,
        snapshot=standing.snapshot,
        program=program(),
        beginning=beginning(view, language, _top(view), mapped=request.app.state.boundaries is not None),
        public=view.public,
        **values,
    )


def shell(request: Request, view: Viewer, lang: Language = "zh") -> str:
    """A view that only the browser's program has."""
    return _page(request, "shell.html", lang, view, path=[])


def published_shell(request: Request, view: PublicViewer, lang: Language = "zh") -> str:
    """The same of what may be published."""
    return shell(request, view, lang)


for _view in VIEWS:
    router.add_api_route(_view, published_shell if _view in PUBLISHED else shell, methods=["GET"])


def _top(view: View) -> int:
    """Where the reader begins: at the top, or at the first division that he was granted."""
    roots = view.roots()
    if not roots:
        raise nothing_to_see()
    return roots[0]


@router.get("/")
def overview(request: Request, view: PublicViewer, lang: Language = "zh") -> str:
    return _division(request, view, _top(view), lang)


@router.get("/d/{code}")
def division(request: Request, view: PublicViewer, code: str, lang: Language = "zh") -> str:
    return _division(request, view, view.one(code), lang)


def _division(request: Request, view: View, node: int, language: str) -> str:
    standing = view.standing
    snapshot, inventory = standing.snapshot, standing.inventory
    nodes = inventory.nodes
    low, high = inventory.sites.span(node)
    with_sites = high - low <= _SITES_ON_A_PAGE and not view.public
    inside = set(inventory.sites.ids[low:high])
    outages = [
        outage_answer(standing, outage, snapshot.at, view)
        for outage in (() if view.public else snapshot.outages)
        if inside.intersection((*outage.sites, outage.node, outage.node.rpartition("-")[0]))
    ]
    main, requirements = standing.main_requirement, inventory.coverage_rules.requirements
    coverage = coverage_of(standing, snapshot, node, main, "default", children=False, view=view)
    serving = next((name for name, aspect in requirements.items() if aspect == "working"), None)
    return _page(
        request,
        "division.html",
        language,
        view,
        path=_path(view, node),
        coverage=coverage,
        headline=_headline(coverage, language),
        serving=counts_of(standing, snapshot, node, serving, "default") if serving else None,
        rows=[_row(standing, snapshot, child, with_sites) for child in nodes.children(node)],
        own=[] if view.public else [summary_of(standing, snapshot, site, main) for site in inventory.sites.own(node)],
        outages=outages,
        contradictions=[]
        if view.public
        else [
            contradiction_answer(standing, found)
            for found in standing.contradictions(main, snapshot, (node, nodes.ends[node]))
        ],
        milestones=milestones_of(standing, snapshot, node),
        window_hours=round(standing.window_s(standing.aspect(main)) / 3600),
    )


def _path(view: View, node: int) -> list[tuple[str, str]]:
    """The way down to a division, from where the reader's grant begins."""
    return [(code, name) for code, name in ancestors(view.standing, node) if view.sees_code(code)]


def _headline(coverage: Coverage, language: str) -> str:
    """The county in one sentence, for those who read no further."""

    def t(key: str, **words: object) -> str:
        return say(language, key, **words)

    parts = [t("as_of", time=_time(coverage.as_of))]
    if not coverage.denominator:
        parts.append(t("headline_empty"))
    else:
        counts = {
            "denominator": coverage.denominator,
            "villages": coverage.villages,
            "communities": coverage.communities,
        }
        measured = {"numerator": coverage.numerator, "works": coverage.works_now.numerator}
        parts.append(t("headline", **counts, **measured, ratio=_percent(coverage.ratio)))
        if coverage.unknown:
            parts.append(t("headline_unknown", unknown=coverage.unknown))
        disagreeing = coverage.contradicted
        parts.append(t("headline_contradictions", count=disagreeing) if disagreeing else t("headline_agree"))
    return ("" if language == "zh" else " ").join(parts)


class Row:
    """A division in the tree of the page: its figures, and its sites where the page has room for them."""

    def __init__(self, counts: Counts, sites: list[SiteSummary]) -> None:
        self.counts = counts
        self.sites = sites


def _row(standing: Standing, snapshot: Snapshot, node: int, with_sites: bool) -> Row:
    low, high = standing.inventory.sites.span(node)
    main = standing.main_requirement
    sites = [summary_of(standing, snapshot, site, main) for site in range(low, high)] if with_sites else []
    return Row(counts_of(standing, snapshot, node, main, "default"), sites)


@router.get("/s/{site_id}")
def site(request: Request, view: Viewer, site_id: str, lang: Language = "zh") -> str:
    standing = view.standing
    index = view.site(site_id)
    answer = site_answer(standing, standing.snapshot, index, view)
    nodes = standing.inventory.nodes
    path = _path(view, int(standing.inventory.sites.nodes[index]))
    return _page(
        request,
        "site.html",
        lang,
        view,
        site=answer,
        path=[(code, name) for code, name in path if nodes.levels[nodes.index[code]] < 5],
    )
