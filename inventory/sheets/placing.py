"""Where a site stands in the files of an inventory, and where a new one belongs."""

from collections.abc import Iterable, Mapping
from typing import Any

from inventory.divisions import Nodes
from inventory.reading_sites import MAIN, Row
from inventory.source import Source


class Places:
    """Finds files and paths of sites.

    Attributes:
        counties: of each file that has to be made, the county's code.
    """

    def __init__(self, source: Source, nodes: Nodes, rows: Mapping[tuple[int, str], Row]) -> None:
        self.source, self.nodes, self.rows = source, nodes, rows
        self.counties: dict[str, str] = {}
        self._documents: dict[str, Any] = {}

    def scalar(self, row: Row) -> str:
        value = self._document(row.file)
        for step in row.path:
            value = value[step]
        return str(value.get("is") or row.name if isinstance(value, dict) else value)

    def place(self, node: int, key: str, unit: bool, row: Row | None) -> tuple[str, tuple[str | int, ...]]:
        """The file of a site, and the way to it there."""
        if row is not None:
            return row.file, row.path
        nodes = self.nodes
        code = nodes.codes[node]
        line = [node, *nodes.ancestors(node)]
        county = next(one for one in line if nodes.levels[one] <= 3)
        if key != MAIN:
            group = "units" if unit else "more"
            own = self.rows.get((node, MAIN))
            if own is not None and self._has_mapping(own) and node != county:
                return own.file, (*own.path, group, key)
            return self._file_of(county), (group, key)
        if node == county:
            return self._file_of(county), ("center",)
        township = next((one for one in line if nodes.levels[one] == 4), None)
        if township is None:
            return self._file_of(county), ("villages", code)
        file, written_as = self._file_of_township(county, township)
        return file, ("townships", written_as) if node == township else ("townships", written_as, "villages", code)

    def _document(self, file: str) -> Any:
        if file not in self._documents:
            self._documents[file] = self.source.yaml(file)
        return self._documents[file]

    def _has_mapping(self, row: Row) -> bool:
        return row.site_type in ("township_center", "village_site")

    def _of_county(self, county: int) -> Iterable[tuple[str, dict[str, Any]]]:
        for file in sorted(name for name in self.source.files if name.startswith("sites/") and name.endswith(".yml")):
            document = self._document(file)
            if self.nodes.index.get(str(document["division"]).ljust(12, "0")) == county:
                yield file, document

    def _file_of(self, county: int) -> str:
        """The file of a county's own sites: the one with its centre, the first of its files, or a new one."""
        files = list(self._of_county(county))
        for file, document in files:
            if document.get("center") is not None:
                return file
        code = self.nodes.codes[county]
        return files[0][0] if files else self._new_file(county, code.rstrip("0").ljust(6, "0"))

    def _new_file(self, county: int, name: str) -> str:
        file = f"sites/{name}.yml"
        self.counties[file] = self.nodes.codes[county]
        return file

    def _file_of_township(self, county: int, township: int) -> tuple[str, str]:
        """Where a township stands and how its code is written there, or where it belongs."""
        files = list(self._of_county(county))
        code = self.nodes.codes[township]
        for file, document in files:
            for written_as in document.get("townships") or {}:
                if written_as.ljust(12, "0") == code:
                    return file, written_as
        if len(files) == 1:
            return files[0][0], code
        return self._new_file(county, code[:9]), code
