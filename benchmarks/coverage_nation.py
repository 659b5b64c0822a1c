"""Coverage of the whole nation in memory: parents equal the sum of their children, and how long an answer takes.

    python benchmarks/coverage_nation.py [--divisions FILE]

Every village of the national list gets a state by chance, then 5,000 get another. Checked at all five levels, quirks
included: placeholder prefectures, townships right below a prefecture, counties without children. Times are CPU time of
this process.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from health.coverage import EvidenceColumns, judge_many
from health.rollup import Figures, Rollup
from inventory.divisions import Division, Nodes, build, read_csv

LIST = Path(__file__).parents[2] / "shared" / "divisions" / "divisions-2023.csv.xz"
NATION = "000000000000"
DAY_S = 86_400.0


def nation(path: Path) -> Nodes:
    """The whole list as one tree, with the nation on top."""
    rows, problems = read_csv(path.name, path.read_bytes())
    if problems:
        raise SystemExit(str(problems[0]))
    top = Division(NATION, "全国", 1, "", "zone", 0)
    rows = [row._replace(parent=NATION, kind="zone") if not row.parent else row for row in rows]
    tree, problems = build(path.name, [top, *rows], [], {}, NATION)
    if tree is None:
        raise SystemExit(str(problems[0]))
    return tree.nodes


def best_s(work: Callable[[], object], runs: int) -> float:
    times = []
    for _ in range(runs):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def add(left: Figures, right: Figures) -> Figures:
    states = {state: count + right.states[state] for state, count in left.states.items()}
    return Figures(
        states, left.claimed + right.claimed, left.works + right.works, left.works_unknown + right.works_unknown
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--divisions", type=Path, default=LIST)
    path = arguments.parse_args().divisions
    if not path.exists():
        raise SystemExit(f"{path} is not on this machine")
    nodes = nation(path)
    villages = np.array([i for i, level in enumerate(nodes.levels) if level == 5], dtype=np.int64)
    chance = np.random.default_rng(1)
    count, now = len(villages), 1e9
    watched = np.where(chance.random(count) < 0.98, now - 60, now - 9 * DAY_S)
    evidence = EvidenceColumns(
        chance.choice(np.array([1, 1, 1, 1, 0, -1], dtype=np.int8), count),
        np.where(chance.random(count) < 0.9, now - chance.random(count) * 3 * DAY_S, np.nan),
        watched,
    )
    connected, required = chance.random(count) < 0.95, chance.random(count) < 0.99

    def judged() -> Rollup:
        states, works = judge_many(evidence, connected, required, now, DAY_S, 600.0)
        return Rollup(villages, states, connected, works)

    states, works = judge_many(evidence, connected, required, now, DAY_S, 600.0)
    rebuild_s = best_s(lambda: Rollup(villages, states, connected, works), 9)
    whole_s = best_s(judged, 9)
    rollup = judged()
    changes = []
    for _ in range(200):  # one after another, as the ledger tells them
        subjects = chance.choice(count, 25, replace=False).astype(np.int64)
        new_states = chance.integers(0, 6, 25).astype(np.int8)
        started = time.process_time()
        rollup = rollup.changed(subjects, new_states, connected[subjects], works[subjects])
        changes.append(time.process_time() - started)
    parents, wrong = 0, 0
    by_level: dict[int, int] = {}
    for node in range(len(nodes)):
        children = nodes.children(node)
        if nodes.levels[node] == 5 or not children:
            continue
        total = rollup.figures(children[0], nodes.ends[children[0]])
        for child in children[1:]:
            total = add(total, rollup.figures(child, nodes.ends[child]))
        parents += 1
        by_level[nodes.levels[node] if node else 0] = by_level.get(nodes.levels[node] if node else 0, 0) + 1
        wrong += total != rollup.figures(node, nodes.ends[node])
    picked = chance.integers(0, len(nodes), 20_000).tolist()
    asked = []
    for node in picked:
        started = time.perf_counter_ns()
        rollup.figures(node, nodes.ends[node])
        asked.append(time.perf_counter_ns() - started)
    asked.sort()
    whole = rollup.figures(0, nodes.ends[0])
    p99_us = asked[int(len(asked) * 0.99)] / 1000
    by_level = {level: by_level[level] for level in sorted(by_level)}
    print(f"{count:,} villages below {len(nodes) - count:,} divisions, {whole.numerator:,} covered")
    print(f"parents that equal the sum of their children  {parents - wrong:,} of {parents:,} (by level: {by_level})")
    limits = (100 / p99_us, 0.05 / rebuild_s)
    print(
        f"coverage of any division, in process, p99     {p99_us:6.1f} us   {limits[0]:5.1f} x below the limit of 100 us"
    )
    print(f"the same, median                              {median(asked) / 1000:6.1f} us")
    print(f"rollup of every village, rebuilt              {rebuild_s * 1000:6.1f} ms   {limits[1]:5.1f} x below 50 ms")
    print(f"the same with every village judged first      {whole_s * 1000:6.1f} ms")
    print(f"25 villages changed in it, the last of 200 times              {median(changes[-20:]) * 1000:6.2f} ms")
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
