"""What the linter says."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Where:
    """A place in a file, and the rule, panel or route that stands there.

    Args:
        line: 1-based; 0 where the whole file is meant.
    """

    file: str
    line: int
    what: str = ""


@dataclass(frozen=True, order=True, slots=True)
class Finding:
    """One defect.

    Args:
        check: a word for its kind, such as ``promql/rate``.
    """

    where: Where
    check: str
    message: str

    def __str__(self) -> str:
        what = f"{self.where.what}: " if self.where.what else ""
        return f"{self.where.file}:{self.where.line}: {what}{self.message} [{self.check}]"
