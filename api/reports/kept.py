"""A report as plain values and back: what is published is the finished paper itself, under its hash."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from api.reports.sheet import Column, Heading, Paragraph, Part, Sheet, Table
from ledger.reports import Frozen

_KINDS: Final[Mapping[str, type[Part]]] = {"heading": Heading, "paragraph": Paragraph, "table": Table}


def as_document(sheet: Sheet) -> dict[str, Any]:
    """Plain values, as they are frozen."""
    names = {kind: name for name, kind in _KINDS.items()}
    return {
        "title": list(sheet.title),
        "parts": [{"is": names[type(part)], **asdict(part)} for part in sheet.parts],
        "signer": sheet.signer,
        "dated": sheet.dated,
        "facts": [list(fact) for fact in sheet.facts],
        "forms": list(sheet.forms),
    }


def from_document(document: Mapping[str, Any]) -> Sheet:
    """The paper that `as_document` wrote down."""
    parts: list[Part] = []
    for told in document["parts"]:
        values = {name: value for name, value in told.items() if name != "is"}
        if told["is"] == "table":
            values["columns"] = tuple(Column(**column) for column in values["columns"])
            values["rows"] = tuple(tuple(row) for row in values["rows"])
        parts.append(_KINDS[told["is"]](**values))
    return Sheet(
        tuple(document["title"]), tuple(parts), document["signer"], document["dated"],
        tuple((name, value) for name, value in document["facts"]), tuple(document["forms"]),
    )  # fmt: skip


def published(frozen: Frozen) -> Sheet:
    """A frozen paper with its edition and hash; a correction says in its title that it is one, and why at the end."""
    sheet = from_document(frozen.document)
    title, parts = sheet.title, sheet.parts
    if frozen.edition > 1:
        title = (*title, f"（第{frozen.edition}版，更正）")
        parts = (*parts, Heading("更正说明"), Paragraph(frozen.reason))
    facts = (*sheet.facts, ("版次", str(frozen.edition)), ("数据指纹（SHA-256）", frozen.sha256))
    return replace(sheet, title=title, parts=parts, facts=facts)
