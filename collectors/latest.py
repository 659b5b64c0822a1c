"""The newest readings of each device, for those who show them: metrics text and site pages."""

from dataclasses import dataclass

from health.reading import Readings


@dataclass(slots=True)
class Latest:
    """One device's newest poll that was answered.

    Args:
        polled_at: Unix time of the newest finished poll, answered or not; 0 before the first.
        readings: of the newest answered poll; None before the first, and dropped after `STALE_AFTER` silent ones.
        missed: polls in a row without an answer.
        boot_at: Unix time at which the device's newest plausible clock started.
        clock_offset_s: its clock minus ours when the readings came; None where it does not tell.
    """

    polled_at: float = 0.0
    readings: Readings | None = None
    missed: int = 0
    boot_at: float | None = None
    clock_offset_s: float | None = None

    def take(self, readings: Readings | None, at: float) -> None:
        self.polled_at = at
        if readings is None:
            self.missed += 1
            if self.missed >= STALE_AFTER:
                self.readings = None
            return
        self.missed = 0
        self.readings = readings
        self.clock_offset_s = None if readings.clock_at is None else readings.clock_at - at
        if readings.uptime_seconds is not None:
            boot_at = at - readings.uptime_seconds
            # Clocks tick in hundredths and polls take time: only a real restart moves it, so the series stays still.
            if self.boot_at is None or abs(boot_at - self.boot_at) > 5:
                self.boot_at = boot_at


STALE_AFTER = 3
"""Missed polls after which old values are no longer shown as if they were fresh."""
