"""The programs on PostgreSQL: collector and API are processes of their own, and share one ledger and nothing else."""

from typing import Any

from cuntong import demo, http
from cuntong.watching import County
from inventory.loader import load
from inventory.vocabulary import Aspect, Verdict
from ledger import history, leases
from ledger.database import open_ledger


def test_a_county_is_collected_into_postgresql_and_shown_from_it(postgres: Any) -> None:
    inventory, url = load(demo.EXAMPLE), postgres.ledger()
    with demo.stage(demo.EXAMPLE, http.free_port(), "calm", interval_s=2.0, ledger=url) as stage:
        figures = demo.wait_for_sweep(stage, County(inventory, stage.page, stage.metrics))
        assert figures
        engine = open_ledger(url)
        with engine.connect() as connection:
            verdicts = history.newest_verdicts(connection)
        (lease,) = leases.current(engine, 0.0)
        engine.dispose()
    assert lease.county == inventory.top
    reached = [one.site for one in verdicts if (one.aspect, one.verdict) == (Aspect.REACHABLE, Verdict.YES)]
    assert len(set(reached)) > 100
