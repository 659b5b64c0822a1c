"""Objects of an operator's MIB files, by pysnmp: names, what numbers the rows of a table, and values for people.

`collectors.mib_files` reads the files; here each object becomes a node of pysnmp's tree of modules, with its syntax,
its index and its way to be written. pysnmp then finds names, takes instance numbers apart and writes values.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from pyasn1.error import PyAsn1Error
from pyasn1.type.univ import Integer
from pysnmp.proto.rfc1902 import IpAddress, OctetString
from pysnmp.smi.builder import MibBuilder
from pysnmp.smi.error import SmiError
from pysnmp.smi.view import MibViewController

from collectors.decode.values import text
from collectors.mib_files import Kind, MibObject, Syntax

_BASES: Final = {
    "INTEGER": ("SNMPv2-SMI", "Integer32"),
    "Integer32": ("SNMPv2-SMI", "Integer32"),
    "Unsigned32": ("SNMPv2-SMI", "Unsigned32"),
    "UInteger32": ("SNMPv2-SMI", "Unsigned32"),
    "Gauge": ("SNMPv2-SMI", "Gauge32"),
    "Gauge32": ("SNMPv2-SMI", "Gauge32"),
    "Counter": ("SNMPv2-SMI", "Counter32"),
    "Counter32": ("SNMPv2-SMI", "Counter32"),
    "Counter64": ("SNMPv2-SMI", "Counter64"),
    "TimeTicks": ("SNMPv2-SMI", "TimeTicks"),
    "IpAddress": ("SNMPv2-SMI", "IpAddress"),
    "NetworkAddress": ("SNMPv2-SMI", "IpAddress"),
    "Opaque": ("SNMPv2-SMI", "Opaque"),
    "BITS": ("SNMPv2-SMI", "Bits"),
    "OCTET STRING": ("ASN1", "OctetString"),
    "OBJECT IDENTIFIER": ("ASN1", "ObjectIdentifier"),
}
_CONVENTIONS: Final = ("SNMPv2-TC", "INET-ADDRESS-MIB", "SNMP-FRAMEWORK-MIB")


class Found(NamedTuple):
    """An object that was found.

    Args:
        name: of the object.
        rest: the numbers behind it.
        indexes: what these numbers say, a text each; empty where that is not known.
    """

    name: str
    rest: tuple[int, ...]
    indexes: tuple[str, ...]


class MibNames:
    """The objects of MIB files in pysnmp's tree."""

    def __init__(self, objects: Iterable[MibObject]) -> None:
        self._builder = MibBuilder()
        self._builder.load_modules("SNMPv2-SMI", *_CONVENTIONS)
        self._view = MibViewController(self._builder)
        self._syntaxes: dict[tuple[Any, ...], Any] = {}
        self._units: dict[tuple[int, ...], str] = {}
        self._rows: dict[tuple[int, ...], Any] = {}
        modules: dict[str, list[MibObject]] = {}
        where: dict[str, list[str]] = {}
        for one in objects:
            modules.setdefault(one.module, []).append(one)
            where.setdefault(one.name, []).append(one.module)
        ours = {(one.module, one.name): one for own in modules.values() for one in own}
        for module, own in modules.items():
            there = self._builder.mibSymbols.get(module, {})
            nodes = {one.name: self._node(one, ours, where) for one in own if one.name not in there}
            self._builder.export_symbols(module, **nodes)

    def oid(self, name: str, module: str = "") -> tuple[int, ...] | None:
        """The object of this name, in a module or in any; None where there is none."""
        try:
            found = self._view.get_node_name_by_desc(name, module)
        except SmiError:
            return None
        return tuple(found[0])

    def find(self, oid: tuple[int, ...]) -> Found | None:
        """The nearest object at or above this place; None where there is none."""
        try:
            _, name, rest = self._view.get_node_location(oid)
        except SmiError:
            return None
        return Found(name, tuple(rest), self._index(oid[: len(oid) - len(rest)], tuple(rest)))

    def text(self, oid: tuple[int, ...], content: int | bytes) -> str | None:
        """A value as its MIB writes it, such as ``up(1)``; None where the MIB says nothing of it, or something else."""
        try:
            module, name, rest = self._view.get_node_location(oid)
        except SmiError:
            return None
        node = self._builder.mibSymbols[module][name]
        syntax = getattr(node, "syntax", None)
        if syntax is None or not rest or isinstance(syntax, Integer) is not isinstance(content, int):
            return None
        units = self._units.get(oid[: len(oid) - len(rest)], "")
        try:
            shown = _shown(syntax.clone(content))
        except (PyAsn1Error, SmiError, ValueError, OverflowError):
            return None
        if units and isinstance(content, int):
            return f"{content if shown is None else shown} {units}"
        return shown

    def _index(self, column: tuple[int, ...], rest: tuple[int, ...]) -> tuple[str, ...]:
        row = self._rows.get(column[:-1])
        if row is None or not rest:
            return ()
        try:
            parts = row.getIndicesFromInstId(rest)
        except (PyAsn1Error, SmiError, ValueError, IndexError):
            return ()
        # pysnmp gives the numbers back where they are too few for the index.
        whole = not any(isinstance(part, tuple) for part in parts)
        return tuple(_shown(part) or _plain(part) for part in parts) if whole else ()

    def _node(self, one: MibObject, ours: dict[tuple[str, str], MibObject], where: dict[str, list[str]]) -> Any:
        place = tuple(map(int, one.oid.split(".")))
        if one.kind is Kind.ROW:
            row = self._symbol("SNMPv2-SMI", "MibTableRow")(place)
            index = self._indexed(one, ours, where)
            if index:
                self._rows[place] = row.setIndexNames(*index)
            return row
        if one.syntax is not None and (syntax := self._syntax(one.syntax)) is not None:
            self._units[place] = one.units
            return self._symbol("SNMPv2-SMI", "MibTableColumn" if one.kind is Kind.COLUMN else "MibScalar")(
                place, syntax
            )
        return self._symbol("SNMPv2-SMI", "MibTable" if one.kind is Kind.TABLE else "MibIdentifier")(place)

    def _indexed(
        self, row: MibObject, ours: dict[tuple[str, str], MibObject], where: dict[str, list[str]]
    ) -> list[tuple[int, str, str]]:
        """The index of a row as pysnmp wants it; empty where a part of it is in no file."""

        def at(name: str) -> MibObject | None:
            modules = where.get(name, [])
            module = row.module if row.module in modules else modules[0] if modules else None
            return ours[module, name] if module else None

        if row.augments is not None and (other := at(row.augments)) is not None and other.indexes:
            row = other
        parts = [(int(implied), at(name)) for implied, name in row.indexes]
        found = [(implied, part.module, part.name) for implied, part in parts if part and part.syntax]
        return found if len(found) == len(row.indexes) else []

    def _syntax(self, said: Syntax) -> Any:
        """A value of this type, of which others are cloned; None for a type that no file here defines."""
        key = (said.base, tuple(sorted(said.words.items())), said.hint, said.size)
        if key not in self._syntaxes:
            self._syntaxes[key] = self._made(said)
        return self._syntaxes[key]

    def _made(self, said: Syntax) -> Any:
        if said.base in _BASES:
            base = self._symbol(*_BASES[said.base])
        else:
            home = next((name for name in _CONVENTIONS if said.base in self._builder.mibSymbols[name]), None)
            if home is None:
                return None
            base = self._symbol(home, said.base)
            if not isinstance(base, type):
                return None
        extra: dict[str, Any] = {}
        if said.words:
            names = self._symbol("ASN1-ENUMERATION", "NamedValues")
            numbers = {word: number for number, word in said.words.items()}  # pysnmp refuses a word that comes twice
            extra["namedValues"] = names(*numbers.items())
        if said.size is not None:
            extra["fixed_length"] = said.size
        convention = self._symbol("SNMPv2-TC", "TextualConvention")
        parents: tuple[type, ...] = (base,)
        if said.hint and said.base != "BITS":
            extra["displayHint"] = said.hint
            if issubclass(base, Integer):
                # What a device sends is no text of a person: 235 of "d-1" is 23.5, and not 2350 of what is stored.
                extra["prettyIn"] = lambda value, given: Integer.prettyIn(value, given)
            parents = (base,) if issubclass(base, convention) else (convention, base)
        made = type(said.base.replace(" ", ""), parents, extra) if extra else base
        return made()

    def _symbol(self, module: str, name: str) -> Any:
        (found,) = self._builder.import_symbols(module, name)
        return found


def _shown(value: Any) -> str | None:
    """A value with its words or its hint; None where its own text or number is all there is to say."""
    words = getattr(value, "namedValues", None)
    hint = getattr(value, "displayHint", "")
    if isinstance(value, Integer):
        word = words.getName(int(value)) if words else None
        return f"{word}({int(value)})" if word else value.prettyPrint() if hint else None
    if words:  # BITS
        octets = bytes(value)
        bits = [n for n in range(len(octets) * 8) if octets[n >> 3] & (0x80 >> (n & 7))]
        return " ".join(f"{words.getName(n)}({n})" if words.getName(n) else str(n) for n in bits)
    # Texts are decoded by us: a vendor's are in more codes than the two that hints know.
    return str(value.prettyPrint()) if any(letter in hint for letter in "xdo") else None


def _plain(value: Any) -> str:
    shown = text(bytes(value)) if isinstance(value, OctetString) and not isinstance(value, IpAddress) else None
    return shown if shown and shown.isprintable() else str(value.prettyPrint())
