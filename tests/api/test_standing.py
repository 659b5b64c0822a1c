"""Following the ledger step by step ends where reading all of it anew ends."""

import random
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import inventory as inventory_package
from api.rolled import Moment, News, Rolled
from api.standing import Snapshot, Standing
from inventory.loader import load
from inventory.model import Inventory
from inventory.vocabulary import Aspect, Claim, Verdict
from ledger import facts
from ledger.facts import Fact
from ledger.journal import SiteEvent

if TYPE_CHECKING:
    from tests.api.conftest import World

EXAMPLE = Path(inventory_package.__file__).parent / "examples" / "tianquan"
MINUTE, DAY = 60.0, 86_400.0
WAITS = [1.0, 1.0, 30.0, 30.0, 2 * MINUTE, 9 * MINUTE, 11 * MINUTE, 0.4 * DAY, 1.2 * DAY, 8 * DAY]


def everything(standing: Standing, snapshot: Snapshot) -> dict[str, object]:
    """All that a snapshot counts, at every division of all levels."""
    found: dict[str, object] = {}
    for requirement, counted in snapshot.rollups:
        for node, code in enumerate(snapshot.nodes.codes):
            found[f"{requirement} {counted} {code}"] = standing.figures(requirement, counted, node, snapshot)
        found[f"{requirement} contradicting"] = snapshot.contradicting[requirement].tolist()
        for site, name in list(enumerate(standing.inventory.sites.ids))[::7]:
            judged = standing.judgement(site, requirement, snapshot)
            found[f"{requirement} {name}"] = judged.state, judged.works_now, judged.reason
    return found


class Spy:
    """Counts how many requirements were carried over from the moment before."""

    def __init__(self, advanced: Callable[[Moment, Rolled, Moment, News], Rolled]) -> None:
        self.carried: Counter[bool] = Counter()
        self._advanced = advanced

    def __call__(self, earlier: Moment, known: Rolled, moment: Moment, news: News) -> Rolled:
        found = self._advanced(earlier, known, moment, news)
        self.carried.update(one in found.judged.made for one in known.judged.made)
        return found


@pytest.mark.parametrize("seed", range(2))
def test_what_is_rolled_up_by_changes_is_what_is_rolled_up_anew(
    make_world: "Callable[[Inventory], World]", tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    folder = shutil.copytree(EXAMPLE, tmp_path / "inventory")
    rules = (folder / "county.yml").read_text("utf-8")
    rules = rules.replace("coverage:\n", "coverage:\n  needs: {platform: [items_listed]}\n", 1)
    (folder / "county.yml").write_text(rules, "utf-8")
    world = make_world(load(folder))
    chance, inventory, standing = random.Random(seed), world.inventory, world.standing
    assert inventory.coverage_rules.needs
    spy = Spy(standing._roller.advanced)
    monkeypatch.setattr(standing._roller, "advanced", spy)
    world.lights_up(world.now - 7200, *chance.sample(inventory.sites.ids, 120))
    world.watched(world.now - 7200, world.now)
    everything(standing, standing.snapshot)  # from now on all of it is asked for
    for _ in range(25):
        world.now += chance.choice(WAITS)
        for _ in range(chance.choice([0, 1, 1, 2, 5])):
            _something(chance, world)
        if chance.random() < 0.7:
            world.journal.flush(world.now)
        standing.refresh()
        anew = Standing(inventory, world.engine, lambda: world.now, standing.stale_after_s)
        assert everything(standing, standing.snapshot) == everything(anew, anew.refresh())
    assert spy.carried[True] > 30
    assert spy.carried[False] > 0


def _something(chance: random.Random, world: "World") -> None:
    site = chance.choice(world.inventory.sites.ids)
    kind = chance.random()
    if kind < 0.75:
        verdict = chance.choice(list(Verdict))
        proved = chance.choice([None, world.now - chance.choice(WAITS)])
        aspect = chance.choice([one for one in Aspect if one is not Aspect.OPEN])
        world.journal.add(SiteEvent(world.now, site, aspect, verdict, "down", proved))
        world.journal.flush(None)
    elif kind < 0.92:
        world.claims(site, chance.choice(list(Claim)), date(2026, 11, chance.randint(1, 20)))
    else:
        name, value = chance.choice(["open", "items_listed", "central"]), chance.random() < 0.5
        with world.engine.begin() as connection:
            facts.record(connection, [Fact(site, name, value, date(2026, 11, 19), "zhao", "list")], world.now)


def test_a_refresh_that_failed_leaves_what_it_read_to_the_next(lit: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    assert lit.coverage()["works_now"]["numerator"] == 96
    lit.says(lit.now + 1, "tq-chengxiang-meizi", Verdict.NO, "down", proved_at=lit.now)
    lit.journal.flush(lit.now + 1)
    with monkeypatch.context() as broken:

        def away(*_: object, **__: object) -> None:
            raise ConnectionError

        broken.setattr("api.standing.history.outages", away)
        with pytest.raises(ConnectionError):
            lit.refresh(lit.now + 2)
    lit.refresh(lit.now + 3)
    assert lit.coverage()["works_now"]["numerator"] == 95


def test_a_snapshot_that_somebody_still_reads_does_not_change(lit: "World", example: Inventory) -> None:
    before = lit.standing.snapshot
    was = everything(lit.standing, before)
    evidence = before.evidence(Aspect.REACHABLE).verdicts.copy()
    for site in example.sites.ids[:5]:
        lit.says(lit.now + 1, site, Verdict.NO, "down", proved_at=lit.now)
    lit.watched(lit.now + 1, lit.now + 2)
    assert lit.standing.snapshot is not before
    assert everything(lit.standing, before) == was
    assert np.array_equal(before.evidence(Aspect.REACHABLE).verdicts, evidence)
