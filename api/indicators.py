"""The nine indicators (I1 to I9) of one division and month, from the ledger; what nobody measured has no value."""

from collections.abc import Iterable

from api.periods import Period, midnight, month_span
from api.standing import Standing
from health.availability import Availability
from health.indicators import NoValue, Value, mean_hours, of_time, percentile, share
from health.outage import Scope
from inventory.vocabulary import DeviceClass
from ledger import facts

_NOTHING = Availability(0.0, 0.0, 0.0)
_PASSED, _APPLICABLE = "compliance_passed", "compliance_applicable"
_LATENCY, _LOST, _SENT, _KIOSKS_USED = "latency_p95_seconds", "probes_lost", "probes_sent", "kiosks_used"


def indicators_of(standing: Standing, month: str, node: int = 0, known_at: float | None = None) -> list[Value]:
    """I1 to I9 of a division (its place in the tree of today).

    I3, I4, I7 and I9 come from facts imported for the month, summed over the sites: the ledger keeps verdicts, not
    samples.

    Raises:
        ValueError: no month, or one that has not begun.
    """
    first, last = month_span(month)
    since, until = midnight(first), min(midnight(last), standing.now())
    if until <= since:
        raise ValueError(f"{month} has not begun.")
    inventory = standing.inventory
    nodes, sites = inventory.nodes, inventory.sites
    snapshot, period = standing.at(until, known_at), Period(standing, since, until, known_at=known_at)
    then = snapshot.nodes.index.get(nodes.codes[node])
    figures = None if then is None else standing.figures(standing.main_requirement, "default", then, snapshot)
    inside = range(*sites.span(node))
    raw, net, served, with_kiosks, faulty = _NOTHING, _NOTHING, _NOTHING, 0, 0
    for site in inside:
        reached = period.reached(site)
        raw, net = raw + reached.raw, net + reached.net
        if any(slot.device_class is DeviceClass.KIOSK for slot in inventory.devices.slots(site)):
            kiosks = period.kiosks_served(site)
            with_kiosks += kiosks.up_s + kiosks.down_s > 0
            faulty += kiosks.down_s > 0
            served += kiosks
    names = {sites.ids[site] for site in inside}
    repairs = [
        outage.until - outage.since
        for outage in period.outages
        if outage.until is not None
        and outage.window is None
        and outage.scope is not Scope.DEVICE
        and outage.node in names
    ]
    told = _told(standing, month, names, known_at)
    return [
        Value("I1", None, 0, 0, NoValue.NOTHING_TO_COUNT)
        if figures is None
        else share("I1", figures.numerator, figures.denominator),
        of_time("I2", net, raw),
        percentile("I3", told.get(_LATENCY, []), 0),
        _of_facts("I4", told.get(_LOST), told.get(_SENT)),
        of_time("I5", served),
        share("I6", faulty, with_kiosks),
        _of_facts("I7", told.get(_KIOSKS_USED), [float(with_kiosks)]),
        mean_hours("I8", repairs),
        _of_facts("I9", told.get(_PASSED), told.get(_APPLICABLE)),
    ]


def _of_facts(indicator: str, part: Iterable[float] | None, whole: Iterable[float] | None) -> Value:
    if part is None or whole is None:
        return Value(indicator, None, 0, 0, NoValue.NOT_MEASURED)
    return share(indicator, sum(part), sum(whole))


def _told(standing: Standing, month: str, names: set[str], known_at: float | None) -> dict[str, list[float]]:
    """Imported numbers of the month by name; of each site the last one told."""
    newest: dict[tuple[str, str], float] = {}
    wanted = {_PASSED, _APPLICABLE, _LATENCY, _LOST, _SENT, _KIOSKS_USED}
    with standing.query() as connection:
        for _, fact in facts.told_since(connection, 0, known_at):
            number = isinstance(fact.value, int | float) and not isinstance(fact.value, bool)
            if number and fact.name in wanted and fact.subject in names and f"{fact.happened_on:%Y-%m}" == month:
                newest[fact.name, fact.subject] = float(fact.value)
    found: dict[str, list[float]] = {}
    for (name, _), value in newest.items():
        found.setdefault(name, []).append(value)
    return found
