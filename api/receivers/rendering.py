"""Says a group of alerts in words: one alert with its cause, reach, duty and link; several as a digest, a line each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from api import outage_facts as facts
from api.messages import say
from api.receivers.notice import TITLE_LIMIT, Notice, tidy
from health.outage import Outage
from inventory.divisions import full_code
from inventory.model import Inventory

_MOST_ROWS: Final = 100
_ORDER: Final = {"critical": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Told:
    """One alert that people are told of, and the outage that it is about.

    Args:
        since: Unix time; ``until`` is None while it fires.
        summaries: the rule's one-line summary by language; ``descriptions`` its sentence.
        repaired: somebody said that it is repaired, and it still does not answer.
    """

    alertname: str
    severity: str
    since: float
    until: float | None
    summaries: dict[str, str]
    descriptions: dict[str, str]
    runbook: str
    labels: dict[str, str]
    outage: Outage | None
    repaired: bool = False


def render(inventory: Inventory, told: Sequence[Told], pages: str, language: str, now: float) -> Notice:
    """One message about a group of alerts, at least one.

    Args:
        pages: where people open our pages.
    """
    ordered = sorted(told, key=lambda one: (one.until is not None, _ORDER.get(one.severity, 3), one.since))
    firing = [one for one in ordered if one.until is None]
    critical = any(one.severity == "critical" for one in firing)
    if len(ordered) == 1:
        title, lines = _one(inventory, ordered[0], language, now)
    else:
        title, lines = _several(inventory, ordered, len(firing), language, now)
    mark = say(language, f"severity.{firing[0].severity if firing else 'resolved'}")
    title = tidy(title, TITLE_LIMIT)
    outages = list(dict.fromkeys(one.outage.id for one in ordered if one.outage is not None))
    return Notice(
        language,
        critical,
        f"【{mark}】{title}" if language == "zh" else f"{mark}: {title}",
        tuple(tidy(line) for line in lines),
        say(language, "notice.more"),
        (say(language, "notice.link"), address_of(pages, outages)),
    )


def address_of(pages: str, outages: Sequence[str]) -> str:
    """Where our page shows an outage, or all of them."""
    base = f"{pages.rstrip('/')}/outages"
    return f"{base}?outage={outages[0]}" if len(outages) == 1 else base


def _one(inventory: Inventory, one: Told, language: str, now: float) -> tuple[str, list[str]]:
    if one.outage is None:
        lines = [one.descriptions.get(language, ""), _when(one, language, now)]
    else:
        lines = outage_lines(inventory, one.outage, language, now, one.until)
        if one.repaired and one.until is None:
            lines.append(say(language, "notice.repaired"))
    if one.runbook and one.until is None:
        lines.append(say(language, "notice.runbook", address=one.runbook))
    return _title(inventory, one, language), [line for line in lines if line]


def outage_lines(
    inventory: Inventory, outage: Outage, language: str, now: float, until: float | None = None
) -> list[str]:
    """Cause, reach, time and duty of one outage."""
    reason = facts.reason_of(language, inventory, outage)
    cause = facts.cause_of(language, outage)
    over = outage.until if outage.until is not None else until
    lines = [say(language, "notice.cause_why" if reason else "notice.cause", cause=cause, why=reason)]
    names = facts.names_beneath(inventory, outage)
    if names:
        comma = "、" if language == "zh" else ", "
        key = "notice.impact_more" if len(names) > facts.NAMES else "notice.impact"
        lines.append(say(language, key, count=len(names), names=comma.join(names[: facts.NAMES])))
    else:
        lines.append(say(language, "notice.impact_device", name=facts.name_of(inventory, outage)[1]))
    lines.append(_span(outage.since, over, language, now))
    if over is None:
        lines.append(say(language, "notice.duty", duty=facts.duty_of(language, inventory, outage)))
    if outage.window is not None:
        lines.append(say(language, "notice.planned"))
    return lines


def _several(
    inventory: Inventory, ordered: Sequence[Told], firing: int, language: str, now: float
) -> tuple[str, list[str]]:
    resolved = len(ordered) - firing
    key = "notice.group" if not resolved else "notice.group_mixed" if firing else "notice.group_over"
    title = say(language, key, where=_where(inventory, ordered, language), firing=firing, resolved=resolved)
    lines = []
    for one in ordered[:_MOST_ROWS]:
        since = one.since if one.outage is None else one.outage.since
        lasted = facts.duration(language, (now if one.until is None else one.until) - since)
        row = {"title": _title(inventory, one, language), "at": facts.clock(since), "duration": lasted}
        if one.until is not None:
            lines.append(f"{say(language, 'severity.resolved')} · {say(language, 'notice.row_over', **row)}")
            continue
        mark = say(language, f"severity.{one.severity}")
        if one.outage is None:
            lines.append(f"{mark} · {say(language, 'notice.row_plain', **row)}")
        else:
            row |= {
                "cause": facts.cause_of(language, one.outage),
                "duty": facts.duty_of(language, inventory, one.outage),
            }
            lines.append(f"{mark} · {say(language, 'notice.row', **row)}")
    if len(ordered) > _MOST_ROWS:
        lines.append(say(language, "notice.more", count=len(ordered) - _MOST_ROWS))
    return title, lines


def _title(inventory: Inventory, one: Told, language: str) -> str:
    if one.outage is None:
        return one.summaries.get(language) or one.alertname
    return say(language, "notice.outage", name=facts.name_of(inventory, one.outage)[1])


def _where(inventory: Inventory, told: Sequence[Told], language: str) -> str:
    """The narrowest place that all have in common: a township, a county, or several."""
    nodes = inventory.nodes
    for label in ("township", "county"):
        codes = {one.labels.get(label, "") for one in told}
        code = codes.pop() if len(codes) == 1 else ""
        if code and (place := nodes.index.get(full_code(code))) is not None:
            return nodes.names[place]
    return say(language, "notice.several")


def _when(one: Told, language: str, now: float) -> str:
    return _span(one.since, one.until, language, now)


def _span(since: float, until: float | None, language: str, now: float) -> str:
    at = facts.clock(since)
    if until is None:
        return say(language, "notice.since", at=at, duration=facts.duration(language, now - since))
    lasted = facts.duration(language, until - since)
    return say(language, "notice.over", at=at, until=facts.clock(until), duration=lasted)
