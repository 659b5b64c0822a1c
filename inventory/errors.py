"""The root of every error that this project raises on purpose.

    CuntongError
    ├─ InventoryError      what people wrote is not usable: carries every Problem       inventory/
    ├─ LedgerError         the ledger cannot be read or written                         ledger/
    ├─ DeviceError         expected in the field: recorded, and the work goes on        collectors/
    │  ├─ SilentDeviceError   no reply at all
    │  ├─ RefusedError     it answered, and said why it will not
    │  └─ DecodeError      bytes from the network that are not an SNMP message
    └─ SimulationError     a scenario names what the county does not have               simulator/

Each branch lives in its own folder. ``cuntong/`` catches `CuntongError` once; anything else that escapes is a
bug and keeps its traceback.
"""

from collections.abc import Iterable
from dataclasses import dataclass


class CuntongError(Exception):
    """Something that the program foresaw; its text says what, where and how to mend it."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with what people wrote, and where.

    Args:
        file: relative to the inventory's folder.
        line: 1-based; 0 where the whole file is meant.
        path: the way through the document, such as ``links[0].link_type``; empty for the whole file.
        message: what is wrong, one sentence.
        mend: what to do about it, one sentence.
    """

    file: str
    line: int
    path: str
    message: str
    mend: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.line else f"{self.file}: "
        path = f"{self.path}: " if self.path else ""
        return f"{where}{path}{self.message} {self.mend}"


class InventoryError(CuntongError):
    """Refuses an inventory with every problem found, not just the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))
