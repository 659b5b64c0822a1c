"""Comware's scheduler: jobs and schedules are part of the configuration, and run by themselves.

A schedule that appears in the running configuration starts to count, one that goes stops; each fires once.
"""

from typing import TYPE_CHECKING

from simulator.routers.editing import Done, Place
from simulator.routers.timers import minutes_of

if TYPE_CHECKING:
    from simulator.routers.device import SimulatedRouter


class Scheduler:
    """Follows the configuration of one router."""

    def __init__(self, router: "SimulatedRouter") -> None:
        self._router = router
        self._fired: set[str] = set()

    def follow(self) -> None:
        """Start and stop what the running configuration says now."""
        router = self._router
        if "scheduler_job" in router.spec.lacks:
            return
        wanted: dict[str, tuple[str, float]] = {}
        for line, below in router.tree.items():
            if line.startswith("scheduler schedule ") and below:
                job = next((one.removeprefix("job ") for one in below if one.startswith("job ")), None)
                once = next((one for one in below if one.startswith("time once delay ")), "")
                if job is not None and once and (minutes := minutes_of(once.split()[-1])) is not None:
                    wanted[line] = (job, minutes)
        for name in [name for name in router.jobs if name not in wanted]:
            router.unschedule(name)
        self._fired &= set(wanted)
        for name, (job, minutes) in wanted.items():
            if name not in router.jobs and name not in self._fired:
                self._start(name, job, minutes)

    def _start(self, name: str, job: str, minutes: float) -> None:
        def due() -> None:
            self._fired.add(name)
            self._run(job)

        self._router.schedule(name, minutes, due)

    def _run(self, job: str) -> None:
        """Do a job's commands unattended; replacing and configuration lines are all that is known here."""
        router, place = self._router, Place()
        split = [one.split(" ", 2) for one in router.tree.get(f"scheduler job {job}") or ()]
        for _, command in sorted((int(words[1]), words[2]) for words in split if len(words) == 3):
            if command.startswith("configuration replace file "):
                tree = router.file(command.rpartition(" ")[2])
                if tree is not None:
                    router.set_running(tree)
            elif command == "quit":
                place = place.up()
            elif command not in ("system-view", "return"):
                outcome = router.enter(place, command)
                place = outcome.place if isinstance(outcome, Done) else place
